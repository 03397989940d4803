use crate::testing::{Ports, get, now, order, quantity, sku};
use allocation_domain::QueuePosition;
use allocation_ports::{Backorder, BackorderCursor, BackorderFilter};

fn row(position: u64) -> Backorder {
    let queued = QueuePosition::new(order(&format!("O-{position}")), -5, now());
    Backorder { sku: sku("a/b c"), position, queued, waiting: quantity(3) }
}

#[actix_web::test]
async fn waiting_lines_are_listed_with_their_position() {
    let mut ports = Ports::new();
    ports.queries.expect_backorders().returning(|filter, after, page, at| {
        let expected = BackorderFilter { sku: Some(sku("a/b c")) };
        assert_eq!((filter, after, page.get(), at), (&expected, None, 7, now()));
        Ok(vec![row(1)])
    });
    let answer = get(&ports.api(), "/backorders?sku=a%2Fb+c&limit=7").await;
    assert_eq!((answer.status.as_u16(), answer.header("link")), (200, None));
    let expected = r#"[{"sku":"a/b c","position":1,"order_id":"O-1","qty":3,"priority":-5,"placed_at":"2027-01-15T08:00:00.123456Z"}]"#;
    assert_eq!(answer.body, expected);
}

#[actix_web::test]
async fn pages_of_waiting_lines_link_to_each_other() {
    let mut ports = Ports::new();
    ports.queries.expect_backorders().returning(|_, after, _, _| {
        Ok(match after {
            None => vec![row(1)],
            Some(after) if after == BackorderCursor::from(&row(1)) => vec![row(2)],
            Some(_) => Vec::new(),
        })
    });
    let api = ports.api();
    let answer = get(&api, "/backorders?sku=a%2Fb%20c&limit=1").await;
    assert!(answer.next().starts_with("/backorders?sku=a%2Fb%20c&limit=1&after="), "{}", answer.next());
    let next = get(&api, answer.next()).await;
    assert_eq!((&next.json()[0]["position"], next.header("link")), (&2.into(), None));
}

#[actix_web::test]
async fn every_error_of_a_query_is_reported() {
    let answer = get(&Ports::new().api(), "/backorders?sku=%20&limit=0&after=x&order_id=O-1").await;
    assert_eq!(answer.places(), ["sku", "limit", "after", "order_id"]);
}
