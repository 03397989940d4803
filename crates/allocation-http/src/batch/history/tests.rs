use crate::testing::{Ports, batch, due, get, now, quantity, reference, secret, sku};
use allocation_domain::{AdjustmentId, AdjustmentReason, Eta, Event, UnitChange, Units};
use allocation_ports::{Actor, EventCursor, PageSize, RecordedEvent, StoreError, Subject};
use serde_json::json;

fn added() -> Event {
    Event::BatchAdded {
        reference: reference("B/1"),
        sku: sku("LAMP"),
        purchased_quantity: quantity(1),
        eta: due(2027, 2, 1),
        origin: None,
    }
}

fn changed() -> Event {
    Event::BatchChanged {
        reference: reference("B/1"),
        sku: sku("LAMP"),
        purchased_quantity: Units::new(3).unwrap(),
        adjustments: 0,
        eta: Eta::InStock,
        old_purchased_quantity: Units::new(1).unwrap(),
        old_adjustments: 0,
        old_eta: due(2027, 2, 1),
        revision: 2,
    }
}

fn adjusted() -> Event {
    Event::BatchAdjusted {
        reference: reference("B/1"),
        sku: sku("LAMP"),
        adjustment_id: AdjustmentId::parse("A-1").unwrap(),
        reason: AdjustmentReason::parse("water damage").unwrap(),
        change: UnitChange::new(-2).unwrap(),
        purchased_quantity: Units::new(3).unwrap(),
        adjustments: -2,
        old_purchased_quantity: Units::new(3).ok(),
        old_adjustments: Some(0),
        revision: 3,
    }
}

fn removed() -> Event {
    Event::BatchRemoved { reference: reference("B/1"), sku: sku("LAMP"), quantity: Some(Units::ZERO) }
}

fn recorded(ordinal: u32, event: Event) -> RecordedEvent {
    let actor = if ordinal == 0 { Actor::Unknown } else { Actor::Anonymous };
    RecordedEvent { sku: sku("LAMP"), version: 3, ordinal, occurred_at: now(), event, actor }
}

#[actix_web::test]
async fn events_have_their_facts_and_a_description() {
    let mut ports = Ports::new();
    ports.queries.expect_history().returning(|subject, after, page| {
        assert_eq!((subject, after, page), (&Subject::Batch(reference("B/1")), None, PageSize::default()));
        Ok((0..)
            .zip([added(), changed(), adjusted(), removed()])
            .map(|(ordinal, event)| recorded(ordinal, event))
            .collect())
    });
    let answer = get(&ports.api(), "/batch/B%2F1/history").await;
    assert_eq!((answer.status.as_u16(), answer.header("link")), (200, None));
    let at = "2027-01-15T08:00:00.123456Z";
    assert_eq!(
        answer.json(),
        json!([
            {"at": at, "event": "batch_added", "sku": "LAMP", "purchased_quantity": 1, "eta": "2027-02-01", "revision": 1,
                "detail": "The batch was added with 1 unit, due on 2027-02-01"},
            {"at": at, "event": "batch_changed", "sku": "LAMP", "by": "anonymous", "purchased_quantity": 3,
                "old_purchased_quantity": 1, "adjustments": 0, "eta": null, "old_eta": "2027-02-01", "revision": 2,
                "detail": "The purchase is 3 units, in stock; before, it was 1 unit, due on 2027-02-01"},
            {"at": at, "event": "batch_adjusted", "sku": "LAMP", "by": "anonymous", "purchased_quantity": 3,
                "adjustments": -2, "change": -2, "adjustment_id": "A-1", "reason": "water damage", "revision": 3,
                "detail": "The batch was adjusted by -2: water damage"},
            {"at": at, "event": "batch_removed", "sku": "LAMP", "by": "anonymous", "detail": "The batch was deleted"}
        ])
    );
}

#[actix_web::test]
async fn pages_of_a_history_link_to_each_other() {
    let mut ports = Ports::new();
    ports.queries.expect_history().returning(move |_, after, _| {
        let first = EventCursor::from(&recorded(0, added()));
        Ok(match after {
            None => vec![recorded(0, added())],
            Some(after) if after == first => vec![recorded(1, changed())],
            Some(_) => Vec::new(),
        })
    });
    ports.queries.expect_batch().returning(|_, _| Ok(None));
    let api = ports.api();
    let answer = get(&api, "/batch/B%201/history?limit=1").await;
    assert!(answer.next().starts_with("/batch/B%201/history?limit=1&after="), "{}", answer.next());
    let next = get(&api, answer.next()).await;
    assert_eq!((next.status.as_u16(), next.header("link")), (200, None));
}

#[actix_web::test]
async fn a_batch_whose_events_are_no_longer_retained_is_distinguished_from_an_unknown_one() {
    for (found, status) in [(Some(batch("B-1")), 200), (None, 404)] {
        let mut ports = Ports::new();
        ports.queries.expect_history().returning(|_, _, _| Ok(Vec::new()));
        ports.queries.expect_batch().returning(move |_, _| Ok(found.clone()));
        let answer = get(&ports.api(), "/batch/B-1/history").await;
        assert_eq!(answer.status, status);
        if status == 404 {
            assert_eq!(answer.problem("batch-not-found")["detail"], "There is no batch B-1");
        }
    }
}

#[actix_web::test]
async fn every_error_of_a_request_is_reported() {
    let wrong = get(&Ports::new().api(), "/batch/%20/history?limit=0&x=1").await;
    assert_eq!(wrong.places(), ["limit", "x", "reference"]);
    let failed = get(&Ports::failing(|| StoreError::Unavailable(secret())).api(), "/batch/B-1/history").await;
    assert_eq!(failed.status, 503);
    failed.problem("database-unavailable");
}
