use super::describe;
use crate::order::history::entry::Facts;
use crate::testing::{due, now, order, quantity, reference, sku};
use allocation_domain::{
    AllocationReason, DeallocationReason, Disposition, Eta, Event, ListedUnits, OnShortage, OrderId, PickListId,
    Promises, Quantity, ReturnId, Sku, Units, WithdrawalReason,
};
use serde_json::json;

fn line() -> (OrderId, Sku, Quantity) {
    (order("O-1"), sku("LAMP"), quantity(10))
}

fn allocated(reason: AllocationReason) -> Event {
    let (order_id, sku, quantity) = line();
    Event::Allocated { order_id, sku, reference: reference("B-1"), quantity, line_quantity: quantity, reason }
}

fn deallocated(reason: DeallocationReason) -> Event {
    let (order_id, sku, quantity) = line();
    Event::Deallocated { order_id, sku, reference: reference("B-1"), quantity, reason }
}

#[test]
fn the_reason_of_an_allocation_is_described() {
    let cases = [
        (AllocationReason::NewLine, "new_line", "10 units allocated from batch B-1"),
        (AllocationReason::Refill, "refill", "10 units allocated from batch B-1, for units that the line had released"),
        (AllocationReason::Backorder, "backorder", "10 units allocated from batch B-1, which the line was waiting for"),
        (AllocationReason::Move, "move", "10 units moved to batch B-1"),
    ];
    for (reason, name, detail) in cases {
        let event = allocated(reason);
        let facts = json!({"reference": "B-1", "qty": 10, "reason": name});
        assert_eq!((describe(&event), json!(Facts::from(&event))), (detail.to_owned(), facts));
    }
}

#[test]
fn the_reason_of_a_deallocation_is_described() {
    let cases = [
        (DeallocationReason::Request, "request", "10 units returned to batch B-1 on request"),
        (DeallocationReason::Cancellation, "cancellation", "10 units returned to batch B-1: the order was cancelled"),
        (DeallocationReason::Expiry, "expiry", "10 units returned to batch B-1: the hold had expired"),
        (
            DeallocationReason::BatchLowered,
            "batch_lowered",
            "10 units lost from batch B-1: fewer units remain than were allocated",
        ),
        (DeallocationReason::Move, "move", "10 units moved out of batch B-1, for a better one"),
    ];
    for (reason, name, detail) in cases {
        let event = deallocated(reason);
        let facts = json!({"reference": "B-1", "qty": 10, "reason": name});
        assert_eq!((describe(&event), json!(Facts::from(&event))), (detail.to_owned(), facts));
    }
}

#[test]
fn corrected_picks_and_units_put_back_are_described() {
    let Event::Picked(units) = on_list("picked", WithdrawalReason::Released) else { panic!("a pick") };
    let number = |units: u32| allocation_domain::Units::new(units).unwrap();
    let corrected = Event::PickCorrected {
        units: units.clone(),
        found: number(0),
        old_found: number(7),
        put_back: number(0),
        waited: number(0),
    };
    let facts = json!({"reference": "B-1", "pick_list_id": "P-1", "line": 2, "qty": 0, "old_qty": 7});
    let detail = "The pick of line 2 of pick list P-1 was corrected: 0 units found, not 7";
    assert_eq!((describe(&corrected), json!(Facts::from(&corrected))), (detail.to_owned(), facts));
    for (reason, detail) in
        [(None, "10 units put back to batch B-1"), (Some("wet"), "10 units put back to batch B-1: wet")]
    {
        let reason = reason.map(|text| allocation_domain::PutBackReason::parse(text).unwrap());
        let event = Event::PutBack { units: units.clone(), reason };
        let facts = json!({"reference": "B-1", "pick_list_id": "P-1", "line": 2, "qty": 10});
        assert_eq!((describe(&event), json!(Facts::from(&event))), (detail.to_owned(), facts));
    }
}

#[test]
fn a_late_confirmation_is_described() {
    let (order_id, sku, quantity) = line();
    let event = Event::LineReinstated { order_id, sku, quantity };
    let detail = "The line of 10 units was confirmed after its hold had expired, like a new one";
    assert_eq!((describe(&event), json!(Facts::from(&event))), (detail.to_owned(), json!({"qty": 10})));
}

#[test]
fn the_backorder_of_a_line_is_described() {
    let ((order_id, sku, _), quantity) = (line(), quantity(1));
    let cases = [
        (
            Event::Backordered { order_id: order_id.clone(), sku: sku.clone(), quantity },
            "1 unit backordered: stock is short",
        ),
        (
            Event::LineShort { order_id: order_id.clone(), sku: sku.clone(), quantity },
            "1 unit short: lost after being promised, and no others are free",
        ),
        (Event::WaitEnded { order_id, sku, quantity }, "The line no longer waits for 1 unit"),
    ];
    for (event, detail) in cases {
        assert_eq!((describe(&event), json!(Facts::from(&event))), (detail.to_owned(), json!({"qty": 1})));
    }
}

#[test]
fn the_life_cycle_of_a_hold_is_described() {
    let ((order_id, sku, quantity), expires_at) = (line(), now());
    let until = json!({"expires_at": "2027-01-15T08:00:00.123456Z"});
    let firm = Event::LinePlaced {
        order_id: order_id.clone(),
        sku: sku.clone(),
        quantity,
        priority: 0,
        on_shortage: OnShortage::Reject,
        allow_split: true,
        promises: Promises::Fair,
        ship_complete: false,
        expires_at: None,
    };
    let terms = json!({"qty": 10, "priority": 0, "on_shortage": "reject", "allow_split": true});
    let cases = [
        (firm, "10 units ordered", terms),
        (
            Event::HoldExtended { order_id: order_id.clone(), sku: sku.clone(), expires_at },
            "The hold was extended until 2027-01-15T08:00:00.123456Z",
            until.clone(),
        ),
        (
            Event::HoldExpired { order_id: order_id.clone(), sku: sku.clone(), expires_at },
            "The hold expired at 2027-01-15T08:00:00.123456Z without confirmation",
            until,
        ),
        (
            Event::HoldConfirmed { order_id: order_id.clone(), sku: sku.clone() },
            "The order was confirmed: held units are now firm",
            json!({}),
        ),
        (
            Event::LineClosed { order_id: order_id.clone(), sku: sku.clone() },
            "The order was closed: nothing more is to come",
            json!({}),
        ),
        (Event::LineCancelled { order_id, sku }, "The order was cancelled", json!({})),
    ];
    for (event, detail, facts) in cases {
        assert_eq!((describe(&event), json!(Facts::from(&event))), (detail.to_owned(), facts));
    }
}

#[test]
fn a_better_promise_is_described_with_both_batches_and_dates() {
    let (order_id, sku, quantity) = line();
    let event = Event::PromiseImproved {
        order_id,
        sku,
        old_reference: reference("B-2"),
        reference: reference("B-1"),
        quantity,
        old_eta: due(2027, 2, 1),
        new_eta: Eta::InStock,
    };
    let detail = "10 units moved from batch B-2 to B-1, promised from stock, earlier than before: for 2027-02-01";
    assert_eq!(describe(&event), detail);
    let facts =
        json!({"reference": "B-1", "old_reference": "B-2", "qty": 10, "old_eta": "2027-02-01", "new_eta": null});
    assert_eq!(json!(Facts::from(&event)), facts);
}

#[test]
fn a_worse_promise_is_described_with_both_dates() {
    let (order_id, sku, quantity) = line();
    let event = Event::PromiseWorsened {
        order_id,
        sku,
        reference: reference("B-1"),
        quantity,
        old_eta: due(2027, 1, 15),
        new_eta: due(2027, 2, 1),
    };
    let detail = "10 units from batch B-1 promised for 2027-02-01, later than before: for 2027-01-15";
    assert_eq!(describe(&event), detail);
    let facts = json!({"reference": "B-1", "qty": 10, "old_eta": "2027-01-15", "new_eta": "2027-02-01"});
    assert_eq!(json!(Facts::from(&event)), facts);
}

#[test]
fn units_that_come_back_are_described_with_their_disposition() {
    let (order_id, sku, quantity) = line();
    let returned = |disposition, units: Quantity, batch: Option<&str>| Event::LineReturned {
        order_id: order_id.clone(),
        sku: sku.clone(),
        return_id: ReturnId::parse("RMA-1").unwrap(),
        quantity: units,
        disposition,
        reference: batch.map(reference),
    };
    let one = crate::testing::quantity(1);
    let cases = [
        (
            returned(Disposition::Restock, quantity, Some("RMA-1")),
            "10 units came back, and are in stock again: return RMA-1",
        ),
        (returned(Disposition::Quarantine, quantity, None), "10 units came back, and are in quarantine: return RMA-1"),
        (returned(Disposition::Scrap, one, None), "1 unit came back, and is scrapped: return RMA-1"),
    ];
    for (event, detail) in &cases {
        assert_eq!(describe(event), *detail);
    }
    let facts = json!({"qty": 10, "return_id": "RMA-1", "disposition": "restock", "reference": "RMA-1"});
    assert_eq!(json!(Facts::from(&cases[0].0)), facts);
}

#[test]
fn events_of_a_product_alone_are_described_too() {
    let (reference, eta) = (reference("B-1"), Eta::InStock);
    let added = Event::BatchAdded {
        reference: reference.clone(),
        sku: sku("LAMP"),
        purchased_quantity: quantity(1),
        eta,
        origin: None,
    };
    let cases = [
        (added, "Batch B-1 was added"),
        (Event::BatchRemoved { reference, sku: sku("LAMP"), quantity: Some(Units::ZERO) }, "Batch B-1 was removed"),
        (Event::ProductRegistered { sku: sku("LAMP") }, "Product LAMP was registered"),
        (
            Event::ProductChanged { sku: sku("LAMP"), promises: Promises::Stable },
            "The settings of product LAMP were changed",
        ),
        (Event::OutOfStock { sku: sku("LAMP") }, "The last free unit of SKU LAMP was allocated"),
        (Event::BackInStock { sku: sku("LAMP") }, "Units of SKU LAMP are free again"),
    ];
    for (event, detail) in cases {
        assert_eq!((describe(&event), json!(Facts::from(&event))), (detail.to_owned(), json!({})));
    }
}

/// Ten units of a batch on line 2 of a pick list.
fn on_list(name: &str, reason: WithdrawalReason) -> Event {
    let ((order_id, sku, quantity), reference) = (line(), reference("B-1"));
    let units = ListedUnits { order_id, sku, reference, list: PickListId::parse("P-1").unwrap(), line: 2, quantity };
    match name {
        "listed" => Event::PickListed(units),
        "changed" => Event::PickLineChanged { units, old_quantity: self::quantity(12), reason },
        "withdrawn" => Event::PickLineWithdrawn { units, reason },
        "picked" => Event::Picked(units),
        "missing" => Event::UnitsMissing(units),
        _ => Event::Shipped { units, shipment_id: None },
    }
}

#[test]
fn warehouse_events_are_described() {
    let cases = [
        ("listed", "10 units from batch B-1 to be picked: line 2 of pick list P-1"),
        ("picked", "10 units picked from batch B-1"),
        ("missing", "10 units of batch B-1 not found by the picker"),
        ("shipped", "10 units from batch B-1 shipped"),
    ];
    for (name, detail) in cases {
        let event = on_list(name, WithdrawalReason::Released);
        let facts = json!({"reference": "B-1", "pick_list_id": "P-1", "line": 2, "qty": 10});
        assert_eq!((describe(&event), json!(Facts::from(&event))), (detail.to_owned(), facts));
    }
}

#[test]
fn the_reason_of_a_withdrawal_is_described() {
    let cases = [
        (WithdrawalReason::Deallocated, "deallocated", "its units are no longer allocated"),
        (WithdrawalReason::NotInStock, "not_in_stock", "the batch is no longer in stock"),
        (WithdrawalReason::Released, "given_back", "the list was released"),
    ];
    for (reason, name, why) in cases {
        let facts = json!({"reference": "B-1", "pick_list_id": "P-1", "line": 2, "qty": 10, "reason": name});
        let (changed, withdrawn) = (on_list("changed", reason), on_list("withdrawn", reason));
        let left = format!("Only 10 units left to be picked on line 2 of pick list P-1: {why}");
        assert_eq!((describe(&changed), json!(Facts::from(&changed))), (left, facts.clone()));
        let gone = format!("Line 2 of pick list P-1 was withdrawn: {why}");
        assert_eq!((describe(&withdrawn), json!(Facts::from(&withdrawn))), (gone, facts));
    }
}
