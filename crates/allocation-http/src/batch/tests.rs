use crate::etag;
use crate::testing::{
    Ports, batch, chairs, delete, due, get, holding, now, patch, post, quantity, reference, send, sku,
};
use actix_web::test::TestRequest;
use allocation_domain::{Batch, Eta, NewBatch, Product};
use allocation_ports::{BatchCursor, OverdueCursor, PageSize};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

const ADD: &str = r#"{"reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 20, "eta": "2027-01-15"}"#;

fn empty() -> Product {
    chairs(&[])
}

fn with_batch(eta: Eta) -> Product {
    let mut product = empty();
    product.add_batch(NewBatch::new(reference("B-1"), quantity(20), eta), now()).unwrap();
    product
}

#[actix_web::test]
async fn the_response_for_a_new_batch_has_its_location() {
    let answer = post(&Ports::with_units(holding(empty())).api(), "/batch", ADD).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("location"), Some("/batch/B-1"));
    assert_eq!(answer.version().as_deref(), Some("\"1-66517289a6240\""));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let expected = json!({
        "reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 20, "allocated_quantity": 0,
        "available_quantity": 20, "eta": "2027-01-15"
    });
    assert_eq!(answer.json(), expected);
}

#[actix_web::test]
async fn the_members_of_a_batch_are_in_the_order_of_the_contract() {
    let answer = post(&Ports::with_units(holding(empty())).api(), "/batch", ADD).await;
    let expected = r#"{"reference":"B-1","sku":"RED-CHAIR","purchased_quantity":20,"allocated_quantity":0,"available_quantity":20,"eta":"2027-01-15"}"#;
    assert_eq!(answer.body, expected);
}

#[actix_web::test]
async fn the_location_of_an_unusual_reference_is_percent_encoded() {
    let odd = json!({"reference": "a/b %+\"椅🪑?#.~", "sku": "RED-CHAIR", "purchased_quantity": 1}).to_string();
    let answer = post(&Ports::with_units(holding(empty())).api(), "/batch", odd).await;
    assert_eq!(answer.header("location"), Some("/batch/a%2Fb%20%25%2B%22%E6%A4%85%F0%9F%AA%91%3F%23.~"));
}

#[actix_web::test]
async fn aliases_of_members_are_accepted() {
    let body = r#"{"ref": "B-1", "sku": "RED-CHAIR", "qty": 20}"#;
    let answer = post(&Ports::with_units(holding(empty())).api(), "/batch", body).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["reference"], "B-1");
    assert_eq!(answer.json()["purchased_quantity"], 20);
    assert_eq!(answer.json()["eta"], json!(null));
}

#[actix_web::test]
async fn a_repeated_batch_gets_the_existing_one() {
    let answer = post(&Ports::with_units(holding(with_batch(due(2027, 1, 15)))).api(), "/batch", ADD).await;
    assert_eq!(answer.status, 200);
    assert_eq!((answer.header("location"), answer.version().as_deref()), (None, Some("\"1-66517289a6240\"")));
    assert_eq!(answer.json()["available_quantity"], 20);
}

#[actix_web::test]
async fn a_reference_with_other_content_is_a_conflict() {
    let answer = post(&Ports::with_units(holding(with_batch(Eta::InStock))).api(), "/batch", ADD).await;
    assert_eq!(answer.status, 409);
    let problem = answer.problem("batch-already-exists");
    assert_eq!(problem["detail"], "Batch B-1 exists already with other content");
}

#[actix_web::test]
async fn a_batch_is_found_by_its_reference() {
    let mut ports = Ports::new();
    ports
        .queries
        .expect_batch()
        .withf(|reference, at| reference.as_str() == "B-1" && *at == now())
        .returning(|_, _| Ok(Some(batch("B-1").with_revision(7).with_allocated(5).unwrap())));
    let answer = get(&ports.api(), "/batch/B-1").await;
    assert_eq!((answer.status.as_u16(), answer.version().as_deref()), (200, Some("\"7-66517289a6240\"")));
    let expected = json!({
        "reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 20, "allocated_quantity": 5,
        "available_quantity": 15, "eta": null
    });
    assert_eq!(answer.json(), expected);
}

#[actix_web::test]
async fn an_unknown_batch_is_not_found() {
    let mut ports = Ports::with_units(holding(empty()));
    ports.queries.expect_batch().returning(|_, _| Ok(None));
    let api = ports.api();
    for answer in [get(&api, "/batch/B-9").await, delete(&api, "/batch/B-9").await] {
        assert_eq!(answer.status, 404);
        assert_eq!(answer.problem("batch-not-found")["detail"], "There is no batch B-9");
    }
}

#[actix_web::test]
async fn the_tag_of_a_batch_changes_with_its_body_and_the_version_does_not() {
    let shown = async |allocated: u32| {
        let mut ports = Ports::new();
        ports.queries.expect_batch().returning(move |_, _| Ok(Some(batch("B-1").with_allocated(allocated).unwrap())));
        get(&ports.api(), "/batch/B-1").await
    };
    let (before, after) = (shown(0).await, shown(5).await);
    assert_eq!(shown(0).await.header("etag"), before.header("etag"));
    assert_ne!(before.header("etag"), after.header("etag"));
    assert_eq!(before.version(), after.version());
}

#[actix_web::test]
async fn a_batch_that_the_client_has_is_not_modified() {
    let mut ports = Ports::new();
    ports.queries.expect_batch().returning(|_, _| Ok(Some(batch("B-1"))));
    let api = ports.api();
    let tag = get(&api, "/batch/B-1").await.header("etag").unwrap().to_owned();
    let ask = async |known: &str| {
        send(&api, TestRequest::get().uri("/batch/B-1").insert_header(("if-none-match", known))).await
    };
    for known in [tag.clone(), format!("W/{tag}"), "*".to_owned()] {
        let answer = ask(&known).await;
        assert_eq!((answer.status.as_u16(), answer.header("etag"), answer.body.len()), (304, Some(tag.as_str()), 0));
    }
    assert_eq!(ask("\"1-66517289a6240\"").await.status, 200, "the version alone does not identify the body");
}

#[actix_web::test]
async fn a_batch_is_deleted_only_in_the_expected_version() {
    let version = chairs(&["B-1"]).batches()[0].version();
    let (current, other) = (etag::version_tag(version), "\"9-1f\"");
    let remove = async |path: &str, tag: &str| {
        let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
        send(&api, TestRequest::delete().uri(path).insert_header(("if-match", tag))).await
    };
    for tag in [current.clone(), "*".to_owned(), format!("{other}, {current}")] {
        assert_eq!(remove("/batch/B-1", &tag).await.status, 204, "{tag}");
    }
    for tag in [other.to_owned(), format!("W/{current}"), "x".to_owned(), String::new()] {
        let answer = remove("/batch/B-1", &tag).await;
        assert_eq!(answer.status, 412, "{tag}");
        let detail = format!("Batch B-1 has the version {current} now, which If-Match does not name");
        assert_eq!(answer.problem("batch-changed")["detail"], detail);
    }
    remove("/batch/B-9", "*").await.problem("batch-not-found");
}

#[actix_web::test]
async fn a_batch_without_allocations_can_be_deleted() {
    let answer = delete(&Ports::with_units(holding(chairs(&["B-1"]))).api(), "/batch/B-1").await;
    assert_eq!(answer.status, 204);
    assert!(answer.body.is_empty());
}

#[actix_web::test]
async fn a_batch_with_allocations_is_not_removed() {
    let mut product = chairs(&["B-1"]);
    product.allocate(&crate::testing::order("O-1"), quantity(3), now()).unwrap();
    let answer = delete(&Ports::with_units(holding(product)).api(), "/batch/B-1").await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.problem("batch-has-allocations")["detail"], "Batch B-1 has 3 allocated units");
}

#[actix_web::test]
async fn unusual_references_are_decoded_unchanged() {
    let cases = [
        ("/batch/a%2Fb", "a/b"),
        ("/batch/a%2fb%2F", "a/b/"),
        ("/batch/100%25", "100%"),
        ("/batch/%252F", "%2F"),
        ("/batch/a+b", "a+b"),
        ("/batch/a%2Bb", "a+b"),
        ("/batch/a%20b", "a b"),
        ("/batch/%22x%22'", "\"x\"'"),
        ("/batch/%F0%9F%AA%91", "🪑"),
        ("/batch/%E6%A4%85%3F%23", "椅?#"),
        ("/batch/...", "..."),
        ("/batch/%2E%2E%2E", "..."),
        ("/b%61tch/B-1", "B-1"),
        ("/batch/%7Bx%7D", "{x}"),
    ];
    for (path, expected) in cases {
        let mut ports = Ports::new();
        ports.queries.expect_batch().returning(|reference, _| {
            Ok(Some(Batch::new(reference.clone(), sku("RED-CHAIR"), quantity(1), Eta::InStock, now())))
        });
        let answer = get(&ports.api(), path).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["reference"]), (200, &json!(expected)), "{path}");
    }
}

#[actix_web::test]
async fn invalid_references_are_errors_of_the_path() {
    let long = format!("/batch/{}", "x".repeat(256));
    let cases = [
        ("/batch/%00", "must not hold control characters: character 1 is U+0000"),
        ("/batch/a%0Ab", "must not hold control characters: character 2 is U+000A"),
        ("/batch/B%C2%AD-1", "must not hold invisible characters: character 2 is U+00AD"),
        ("/batch/a%E2%80%A8b", "must hold no white space but the space, U+0020: character 2 is U+2028"),
        ("/batch/%20a", "must not begin or end with white space"),
        ("/batch/a%E2%80%83", "must not begin or end with white space"),
        ("/batch/%2E%2E", "must not be \".\" or \"..\""),
        ("/batch/..", "must not be \".\" or \"..\""),
        ("/batch/%FF", "must be percent-encoded UTF-8"),
        ("/batch/%C3%28", "must be percent-encoded UTF-8"),
        ("/batch/50%", "must be percent-encoded UTF-8"),
        ("/batch/50%zz", "must be percent-encoded UTF-8"),
        (&long, "must have at most 255 characters, not 256"),
    ];
    let api = Ports::new().api();
    for (path, detail) in cases {
        for answer in [get(&api, path).await, delete(&api, path).await] {
            assert_eq!(answer.errors(), [("reference".to_owned(), detail.to_owned())], "{path}");
            assert_eq!(answer.json()["errors"][0]["parameter"], "reference");
        }
    }
}

#[actix_web::test]
async fn an_invalid_parameter_beside_a_reference_is_reported_too() {
    let answer = get(&Ports::new().api(), "/batch/%20?x=1").await;
    assert_eq!(answer.places(), ["x", "reference"]);
}

#[actix_web::test]
async fn a_page_that_is_not_full_is_the_last() {
    let mut ports = Ports::new();
    ports.queries.expect_batches().once().returning(|filter, after, page, _| {
        assert_eq!((filter.sku.is_none(), after, page), (true, None, PageSize::default()));
        Ok(vec![batch("B-1"), batch("B-2")])
    });
    let answer = get(&ports.api(), "/batch").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("link"), None);
    let references: Vec<_> = answer.json().as_array().unwrap().iter().map(|row| row["reference"].clone()).collect();
    assert_eq!(references, ["B-1", "B-2"]);
}

#[actix_web::test]
async fn a_full_last_page_links_to_no_other() {
    let mut ports = Ports::new();
    ports
        .queries
        .expect_batches()
        .times(2)
        .returning(|_, after, _, _| Ok(if after.is_none() { vec![batch("B-1")] } else { Vec::new() }));
    let answer = get(&ports.api(), "/batch?limit=1").await;
    assert_eq!(answer.header("link"), None);
}

#[actix_web::test]
async fn the_link_to_the_next_page_works() {
    let mut ports = Ports::new();
    ports.queries.expect_batches().returning(|filter, after, _, _| {
        assert_eq!(filter.sku, Some(sku("a/b & ü")));
        let first = BatchCursor { added_at: now(), reference: reference("B <1>;") };
        Ok(match after {
            None => vec![batch("B <1>;")],
            Some(after) if after == first => vec![batch("B-2")],
            Some(_) => Vec::new(),
        })
    });
    let api = ports.api();
    let answer = get(&api, "/batch?sku=a%2Fb+%26%20%C3%BC&limit=1").await;
    let link = answer.header("link").unwrap();
    let (target, relation) = link.split_once('>').unwrap();
    assert_eq!(relation, "; rel=\"next\"");
    let target = target.strip_prefix('<').unwrap();
    assert!(target.starts_with("/batch?sku=a%2Fb%20%26%20%C3%BC&limit=1&after="), "{target}");
    let next = get(&api, target).await;
    assert_eq!(next.json()[0]["reference"], "B-2");
    assert_eq!(next.header("link"), None);
}

#[actix_web::test]
async fn every_error_of_a_query_is_reported() {
    let answer = get(&Ports::new().api(), "/batch?limit=0&sku=&colour=red&limit=5&after=x&%FF=1").await;
    let mut errors = answer.errors();
    errors.sort();
    let expected = [
        ("%FF", "must be percent-encoded UTF-8"),
        ("after", "must be copied from the Link header of the previous page"),
        ("colour", "is not a known parameter"),
        ("limit", "must be an integer from 1 to 1000"),
        ("limit", "must be given only once"),
        ("sku", "must not be empty"),
    ];
    assert_eq!(errors, expected.map(|(place, detail)| (place.to_owned(), detail.to_owned())));
    assert!(answer.json()["errors"].as_array().unwrap().iter().all(|error| error["parameter"].is_string()));
}

#[actix_web::test]
async fn limits_are_integers_from_1_to_1000() {
    let mut ports = Ports::new();
    ports.queries.expect_batches().returning(|_, _, _, _| Ok(Vec::new()));
    let api = ports.api();
    for limit in ["1", "1000"] {
        assert_eq!(get(&api, &format!("/batch?limit={limit}")).await.status, 200);
    }
    for limit in ["0", "1001", "-1", "%2B5", "1.0", "", "ten", "99999999999999999999"] {
        assert_eq!(get(&api, &format!("/batch?limit={limit}")).await.places(), ["limit"], "{limit}");
    }
}

#[actix_web::test]
async fn every_error_of_a_body_is_reported() {
    let api = Ports::new().api();
    let body = r#"{"qty": 0, "eta": "2027-02-30", "colour": "red", "a/b~c": 1, "sku": 7, "sku": "x"}"#;
    let answer = post(&api, "/batch?verbose=1", body).await;
    let errors = answer.errors();
    let detail = |place: &str| {
        let found: Vec<_> = errors.iter().filter(|(at, _)| at == place).map(|(_, detail)| detail.as_str()).collect();
        found.join("; ")
    };
    let known = "is not known; known are reference, sku, purchased_quantity, eta";
    assert_eq!(detail("verbose"), "is not a known parameter");
    assert_eq!(detail("/qty"), "must be an integer from 1 to 2147483647");
    assert_eq!(detail("/eta"), "must be a date of the calendar, written YYYY-MM-DD, or null");
    assert_eq!(detail("/colour"), known);
    assert_eq!(detail("/a~1b~0c"), known);
    assert_eq!(detail("/sku"), "is given more than once; must be a string, not a number");
    assert_eq!(detail("/reference"), "is missing");
    assert_eq!(errors.len(), 8);
}

#[actix_web::test]
async fn a_member_and_its_alias_together_are_an_error() {
    let body = r#"{"ref": "B-1", "reference": "B-1", "sku": "RED-CHAIR", "qty": 5, "purchased_quantity": 5}"#;
    let answer = post(&Ports::new().api(), "/batch", body).await;
    let expected = [
        ("/ref", "is another name of reference: give one of them"),
        ("/qty", "is another name of purchased_quantity: give one of them"),
    ];
    assert_eq!(answer.errors(), expected.map(|(place, detail)| (place.to_owned(), detail.to_owned())));
}

#[actix_web::test]
async fn a_missing_member_is_reported_by_its_own_name() {
    let answer = post(&Ports::new().api(), "/batch", "{}").await;
    assert_eq!(answer.places(), ["/reference", "/sku", "/purchased_quantity"]);
}

#[actix_web::test]
async fn a_repeated_alias_is_reported_by_that_alias() {
    let body = r#"{"ref": "B-1", "ref": "B-2", "sku": "RED-CHAIR", "qty": 1}"#;
    let answer = post(&Ports::new().api(), "/batch", body).await;
    assert_eq!(answer.errors(), [("/ref".to_owned(), "is given more than once".to_owned())]);
}

#[actix_web::test]
async fn a_query_full_of_errors_gets_a_short_response_at_once() {
    let names: Vec<_> = (0..9_000).map(|number| format!("{number}=1")).collect();
    for query in [names.join("&"), ["x"; 30_000].join("&")] {
        let answer = get(&Ports::new().api(), &format!("/batch?{query}")).await;
        assert!(answer.body.len() < 256 * 1024, "{}", answer.body.len());
        assert!(answer.errors().len() > 500);
    }
}

/// The day of the tests is 2027-01-15.
#[actix_web::test]
async fn a_batch_due_before_today_is_overdue() {
    for (eta, overdue) in
        [(due(2027, 1, 14), json!(true)), (due(2027, 1, 15), json!(null)), (Eta::InStock, json!(null))]
    {
        let mut ports = Ports::new();
        let found = Batch::new(reference("B-1"), sku("LAMP"), quantity(20), eta, now());
        ports.queries.expect_batch().return_once(move |_, _| Ok(Some(found)));
        let shown = get(&ports.api(), "/batch/B-1").await.json();
        assert_eq!(
            (&shown["overdue"], &shown["eta"]),
            (&overdue, &json!(eta.date().map(|day| day.to_string()))),
            "its date stays"
        );
    }
}

#[actix_web::test]
async fn today_comes_from_the_calendar() {
    let mut ports = Ports::new();
    let found = Batch::new(reference("B-1"), sku("LAMP"), quantity(20), due(2027, 1, 15), now());
    ports.queries.expect_batch().returning(move |_, _| Ok(Some(found.clone())));
    let api = ports.api();
    assert_eq!(get(&api, "/batch/B-1").await.json()["overdue"], json!(null));
    let later = api.with_calendar(|at: DateTime<Utc>| (at + TimeDelta::hours(24)).date_naive());
    assert_eq!(get(&later, "/batch/B-1").await.json()["overdue"], true);
}

#[actix_web::test]
async fn overdue_batches_have_their_own_list() {
    let mut ports = Ports::new();
    ports.queries.expect_overdue_batches().returning(|filter, today, after, _, at| {
        assert_eq!((filter.sku.clone(), today.to_string().as_str(), at), (Some(sku("LAMP")), "2027-01-15", now()));
        let late = |name: &str| Batch::new(reference(name), sku("LAMP"), quantity(20), due(2027, 1, 14), now());
        let first = OverdueCursor::from(&late("B-1"));
        Ok(match after {
            None => vec![late("B-1")],
            Some(after) if after == first => vec![late("B-2")],
            Some(_) => Vec::new(),
        })
    });
    let api = ports.api();
    let first = get(&api, "/batch?sku=LAMP&overdue=true&limit=1").await;
    assert_eq!((&first.json()[0]["reference"], &first.json()[0]["overdue"]), (&json!("B-1"), &json!(true)));
    assert!(first.next().starts_with("/batch?sku=LAMP&overdue=true&limit=1&after="), "{}", first.next());
    let second = get(&api, first.next()).await;
    assert_eq!((&second.json()[0]["reference"], second.header("link")), (&json!("B-2"), None));
    for wrong in ["false", "", "1", "True"] {
        assert_eq!(get(&api, &format!("/batch?overdue={wrong}")).await.places(), ["overdue"], "{wrong}");
    }
    let after = first.next().split("after=").nth(1).unwrap();
    assert_eq!(get(&api, &format!("/batch?after={after}")).await.places(), ["after"], "of another list");
}

#[actix_web::test]
async fn an_absurd_eta_is_an_error_in_every_request() {
    let api = Ports::new().api();
    for absurd in ["0001-01-01", "1999-12-31", "3000-01-01"] {
        let batch = json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 1, "eta": absurd});
        let rule = format!("must be from 2000-01-01 to 2999-12-31, not {absurd}");
        let expected = [("/eta".to_owned(), rule)];
        assert_eq!(post(&api, "/batch", batch.to_string()).await.errors(), expected);
        assert_eq!(patch(&api, "/batch/B-1", json!({"eta": absurd}).to_string()).await.errors(), expected);
    }
}
