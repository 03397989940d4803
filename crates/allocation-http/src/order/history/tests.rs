use crate::testing::{Ports, get, now, order, quantity, reference, sku};
use allocation_domain::{AllocationReason, Eta, Event, LineState, OnShortage, Order, Promises};
use allocation_ports::{Actor, EventCursor, PageSize, RecordedEvent, Subject};
use chrono::TimeDelta;
use serde_json::json;

fn placed() -> Event {
    Event::LinePlaced {
        order_id: order("O-1"),
        sku: sku("LAMP"),
        quantity: quantity(2),
        priority: 5,
        on_shortage: OnShortage::Backorder,
        allow_split: false,
        promises: Promises::Stable,
        ship_complete: true,
        expires_at: Some(now() + TimeDelta::seconds(10)),
    }
}

fn worsened() -> Event {
    Event::PromiseWorsened {
        order_id: order("O-1"),
        sku: sku("LAMP"),
        reference: reference("B-1"),
        quantity: quantity(2),
        old_eta: Eta::InStock,
        new_eta: crate::testing::due(2027, 2, 1),
    }
}

fn recorded(ordinal: u32, event: Event) -> RecordedEvent {
    let actor = if ordinal == 0 { Actor::System } else { Actor::Unknown };
    RecordedEvent { sku: sku("LAMP"), version: 3, ordinal, occurred_at: now(), event, actor }
}

#[actix_web::test]
async fn events_have_their_facts_and_a_description() {
    let mut ports = Ports::new();
    ports.queries.expect_history().returning(|subject, after, page| {
        assert_eq!((subject, after, page), (&Subject::Order(order("O/1")), None, PageSize::default()));
        Ok(vec![recorded(0, placed()), recorded(1, worsened())])
    });
    let answer = get(&ports.api(), "/orders/O%2F1/history").await;
    assert_eq!((answer.status.as_u16(), answer.header("link")), (200, None));
    let expected = json!([
        {"at": "2027-01-15T08:00:00.123456Z", "event": "line_placed", "sku": "LAMP", "by": "system",
            "qty": 2, "expires_at": "2027-01-15T08:00:10.123456Z", "priority": 5, "on_shortage": "backorder",
            "allow_split": false, "promises": "stable", "ship_complete": true,
            "detail": "2 units ordered, to be held until 2027-01-15T08:00:10.123456Z"},
        {"at": "2027-01-15T08:00:00.123456Z", "event": "promise_worsened", "sku": "LAMP", "reference": "B-1",
            "qty": 2, "old_eta": null, "new_eta": "2027-02-01",
            "detail": "2 units from batch B-1 promised for 2027-02-01, later than before: from stock"}
    ]);
    assert_eq!(answer.json(), expected);
}

#[actix_web::test]
async fn pages_of_a_history_link_to_each_other() {
    let allocated = Event::Allocated {
        order_id: order("O 1"),
        sku: sku("LAMP"),
        reference: reference("B-1"),
        quantity: quantity(1),
        line_quantity: quantity(1),
        reason: AllocationReason::NewLine,
    };
    let mut ports = Ports::new();
    ports.queries.expect_history().returning(move |_, after, _| {
        let first = EventCursor::from(&recorded(0, allocated.clone()));
        Ok(match after {
            None => vec![recorded(0, allocated.clone())],
            Some(after) if after == first => vec![recorded(1, allocated.clone())],
            Some(_) => Vec::new(),
        })
    });
    ports.queries.expect_order().returning(|_| Ok(None));
    let api = ports.api();
    let answer = get(&api, "/orders/O%201/history?limit=1").await;
    assert!(answer.next().starts_with("/orders/O%201/history?limit=1&after="), "{}", answer.next());
    assert_eq!(answer.json()[0]["reason"], "new_line");
    let next = get(&api, answer.next()).await;
    assert_eq!((next.status.as_u16(), next.header("link")), (200, None));
}

#[actix_web::test]
async fn an_order_without_events_is_distinguished_from_an_unknown_one() {
    let stored =
        Order { order_id: order("O-1"), lines: vec![(sku("LAMP"), LineState::standalone(quantity(1), now()))] };
    for (found, status) in [(Some(stored), 200), (None, 404)] {
        let mut ports = Ports::new();
        ports.queries.expect_history().returning(|_, _, _| Ok(Vec::new()));
        ports.queries.expect_order().returning(move |_| Ok(found.clone()));
        let answer = get(&ports.api(), "/orders/O-1/history").await;
        assert_eq!(answer.status, status);
        if status == 404 {
            assert_eq!(answer.problem("order-not-found")["detail"], "There is no order O-1");
        }
    }
}

#[actix_web::test]
async fn the_history_of_a_removed_order_ends_with_an_empty_page() {
    let mut ports = Ports::new();
    ports.queries.expect_history().returning(|_, after, page| {
        let last = after.is_some() && page.get() > 1;
        Ok(if last { Vec::new() } else { vec![recorded(0, placed())] })
    });
    ports.queries.expect_order().returning(|_| Ok(None));
    let api = ports.api();
    let first = get(&api, "/orders/O-1/history?limit=1").await;
    let end = get(&api, &first.next().replace("limit=1&", "limit=9&")).await;
    assert_eq!((end.status.as_u16(), &*end.body), (200, &b"[]"[..]));
}

#[actix_web::test]
async fn every_error_of_a_history_request_is_reported() {
    let answer = get(&Ports::new().api(), "/orders/%20/history?limit=0&after=x&x=1").await;
    assert_eq!(answer.places(), ["limit", "after", "x", "order_id"]);
}
