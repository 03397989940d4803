use crate::testing::{Ports, due, get, now, sku};
use allocation_domain::{Availability, Eta};
use serde_json::{Value, json};

/// 5 lamps in the warehouse, and 10 on their way.
async fn ask(query: &str) -> Value {
    let mut ports = Ports::new();
    ports.queries.expect_availability().returning(|requested, at| {
        assert_eq!((requested, at), (&sku("LAMP"), now()));
        Ok(Some(Availability::of([(due(2027, 1, 15), 10), (Eta::InStock, 5)])))
    });
    let answer = get(&ports.api(), &format!("/products/LAMP/availability{query}")).await;
    assert_eq!(answer.status, 200);
    answer.json()
}

fn series() -> Value {
    json!([{"eta": null, "available": 5}, {"eta": "2027-01-15", "available": 15}])
}

#[actix_web::test]
async fn without_parameters_there_is_only_the_series() {
    assert_eq!(ask("").await, json!({"sku": "LAMP", "series": series()}));
}

#[actix_web::test]
async fn a_quantity_has_its_earliest_day() {
    let cases = [
        (5, json!({"eta": null})),
        (6, json!({"eta": "2027-01-15"})),
        (15, json!({"eta": "2027-01-15"})),
        (16, json!(null)),
    ];
    for (qty, earliest) in cases {
        let expected = json!({"sku": "LAMP", "series": series(), "qty": qty, "earliest": earliest});
        assert_eq!(ask(&format!("?qty={qty}")).await, expected);
    }
}

#[actix_web::test]
async fn a_day_has_its_free_units() {
    for (by, available) in [("2027-01-14", 5), ("2027-01-15", 15), ("9999-12-31", 15)] {
        let expected = json!({"sku": "LAMP", "series": series(), "by": by, "available_by": available});
        assert_eq!(ask(&format!("?by={by}")).await, expected);
    }
}

#[actix_web::test]
async fn nothing_free_is_an_empty_series() {
    let mut ports = Ports::new();
    ports.queries.expect_availability().returning(|_, _| Ok(Some(Availability::of([]))));
    let answer = get(&ports.api(), "/products/LAMP/availability?by=2027-01-15&qty=2147483647").await;
    let expected = r#"{"sku":"LAMP","series":[],"qty":2147483647,"earliest":null,"by":"2027-01-15","available_by":0}"#;
    assert_eq!(answer.body, expected);
}

#[actix_web::test]
async fn every_error_of_a_query_is_reported() {
    let api = Ports::new().api();
    let answer = get(&api, "/products/%20/availability?qty=0&by=null&x=1").await;
    let expected = [
        ("qty", "must be an integer from 1 to 2147483647"),
        ("by", "must be a date of the calendar, written YYYY-MM-DD"),
        ("x", "is not a known parameter"),
        ("sku", "must not begin or end with white space"),
    ];
    assert_eq!(answer.errors(), expected.map(|(place, detail)| (place.to_owned(), detail.to_owned())));
    for qty in ["", "-1", "%2B1", "1.0", "2147483648", "ten", "99999999999999999999"] {
        assert_eq!(get(&api, &format!("/products/LAMP/availability?qty={qty}")).await.places(), ["qty"], "{qty}");
    }
    for by in ["", "2027-02-30", "2027-1-1", "2027-01-15T00:00:00Z", "0000-01-01"] {
        assert_eq!(get(&api, &format!("/products/LAMP/availability?by={by}")).await.places(), ["by"], "{by}");
    }
}

/// The day of the tests is 2027-01-15.
#[actix_web::test]
async fn overdue_units_are_promised_for_today_at_the_earliest() {
    let mut ports = Ports::new();
    ports.queries.expect_availability().returning(|_, _| {
        Ok(Some(Availability::of([(due(2020, 1, 1), 10), (Eta::InStock, 5), (due(2027, 1, 16), 1)])))
    });
    let answer = get(&ports.api(), "/products/LAMP/availability?qty=6&by=2027-01-14").await;
    let expected = json!({
        "sku": "LAMP",
        "series": [
            {"eta": null, "available": 5}, {"eta": "2027-01-15", "available": 15}, {"eta": "2027-01-16", "available": 16},
        ],
        "qty": 6, "earliest": {"eta": "2027-01-15"}, "by": "2027-01-14", "available_by": 5,
    });
    assert_eq!(answer.json(), expected);
}
