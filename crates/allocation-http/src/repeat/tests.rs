use crate::testing::{Ports, TestResponse, chairs, holding, json_request, now, order, quantity, reference, send, sku};
use actix_web::http::Method;
use actix_web::test::TestRequest;
use allocation_domain::{AllocationReason, DeallocationReason, Eta, Event, Product};
use allocation_ports::mocks::MockCommandEffects;
use allocation_ports::{CausationId, StoreError};
use std::sync::Arc;

const LINE: &str = r#"{"order_id": "O-1", "sku": "RED-CHAIR", "qty": 10}"#;

fn keyed(request: TestRequest, values: &[&str]) -> TestRequest {
    values.iter().fold(request, |request, value| request.append_header(("idempotency-key", *value)))
}

/// Sends a request with the key `K`, which has caused an event if there is one, over a store with this product.
async fn sent(request: TestRequest, product: Product, caused: Option<Event>) -> TestResponse {
    let mut effects = MockCommandEffects::new();
    effects.expect_caused_by().times(1).returning(move |asked| {
        let key = CausationId::parse("K").unwrap();
        assert!(asked.iter().all(|(id, _)| *id == key));
        let asked_for = |event: &Event| asked.iter().any(|(_, name)| *name == event.name());
        Ok(caused.iter().filter(|event| asked_for(event)).map(|event| (key.clone(), event.clone())).collect())
    });
    let api = Ports::with_units(holding(product)).api().with_effects(Arc::new(effects));
    send(&api, keyed(request, &["K"])).await
}

fn allocated(qty: u32) -> Event {
    Event::Allocated {
        order_id: order("O-1"),
        sku: sku("RED-CHAIR"),
        reference: reference("B-1"),
        quantity: quantity(qty),
        line_quantity: quantity(qty),
        reason: AllocationReason::NewLine,
    }
}

#[actix_web::test]
async fn a_line_is_allocated_once_with_a_key_even_if_it_was_deallocated_since() {
    let request = || json_request("/allocations", LINE);
    assert_eq!(sent(request(), chairs(&["B-1"]), None).await.status, 201, "the first time");
    let mut product = chairs(&["B-1"]);
    product.allocate(&order("O-1"), quantity(10), now()).unwrap();
    assert_eq!(sent(request(), product, Some(allocated(10))).await.status, 200);
    sent(request(), chairs(&["B-1"]), Some(allocated(10))).await.problem("already-undone");
    sent(request(), chairs(&[]), Some(allocated(10))).await.problem("already-undone");
    sent(request(), chairs(&["B-1"]), Some(allocated(9))).await.problem("idempotency-key-reused");
}

#[actix_web::test]
async fn a_line_is_deallocated_once_with_a_key() {
    let request = || TestRequest::delete().uri("/allocations/O-1/batch/B-1");
    let event = Event::Deallocated {
        order_id: order("O-1"),
        sku: sku("RED-CHAIR"),
        reference: reference("B-1"),
        quantity: quantity(10),
        reason: DeallocationReason::Request,
    };
    assert_eq!(sent(request(), chairs(&["B-1"]), Some(event)).await.status, 204);
    sent(request(), chairs(&["B-1"]), None).await.problem("allocation-not-found");
}

#[actix_web::test]
async fn a_batch_is_added_once_with_a_key() {
    let request = || json_request("/batch", r#"{"reference": "B-9", "sku": "RED-CHAIR", "purchased_quantity": 3}"#);
    let added = |name| Event::BatchAdded {
        reference: reference(name),
        sku: sku("RED-CHAIR"),
        purchased_quantity: quantity(3),
        eta: Eta::InStock,
        origin: None,
    };
    assert_eq!(sent(request(), chairs(&[]), None).await.status, 201);
    sent(request(), chairs(&[]), Some(added("B-9"))).await.problem("already-undone");
    sent(request(), chairs(&[]), Some(added("B-8"))).await.problem("idempotency-key-reused");
}

#[actix_web::test]
async fn an_invalid_key_is_rejected_and_a_failed_lookup_changes_nothing() {
    let api = Ports::new().api();
    let answer = send(&api, keyed(json_request("/allocations", LINE), &["a", "b"])).await;
    assert_eq!(answer.places(), ["Idempotency-Key"]);
    let mut effects = MockCommandEffects::new();
    effects.expect_caused_by().returning(|_| Err(StoreError::Unavailable("away".into())));
    let api = Ports::new().api().with_effects(Arc::new(effects));
    send(&api, keyed(json_request("/allocations", LINE), &["K"])).await.problem("database-unavailable");
    let patch = json_request("/orders/O-1", r#"{"priority": 1}"#).method(Method::PATCH);
    send(&api, keyed(patch, &["K"])).await.problem("database-unavailable");
}
