use crate::testing::{Ports, due, get, now, order, quantity, reference, sku};
use allocation_domain::{
    AdjustmentId, AdjustmentReason, BatchOrigin, Event, ListedUnits, PickListId, Promises, ReceiptId, ReturnId,
    ShipmentId, Totals, UnitChange, Units,
};
use allocation_ports::{Actor, MovementPage, PageSize, ProductTotals, RecordedEvent};
use serde_json::json;

fn units(units: u32) -> Units {
    Units::new(units).unwrap()
}

fn picked(quantity_of_line: u32) -> ListedUnits {
    ListedUnits {
        order_id: order("O-1"),
        sku: sku("LAMP"),
        reference: reference("B-1"),
        list: PickListId::parse("P-1").unwrap(),
        line: 2,
        quantity: quantity(quantity_of_line),
    }
}

fn events() -> [Event; 8] {
    let (reference, sku) = (reference("B-1"), sku("LAMP"));
    [
        Event::BatchAdded {
            reference: reference.clone(),
            sku: sku.clone(),
            purchased_quantity: quantity(9),
            eta: due(2027, 2, 1),
            origin: Some(BatchOrigin { return_id: ReturnId::parse("RMA-1").unwrap(), order_id: order("O-9") }),
        },
        Event::BatchChanged {
            reference: reference.clone(),
            sku: sku.clone(),
            purchased_quantity: units(10),
            adjustments: 0,
            eta: due(2027, 3, 1),
            old_purchased_quantity: units(9),
            old_adjustments: 0,
            old_eta: due(2027, 2, 1),
            revision: 2,
        },
        Event::BatchReceived {
            reference: reference.clone(),
            sku: sku.clone(),
            receipt_id: ReceiptId::parse("R-1").unwrap(),
            quantity: units(8),
            rejected_quantity: units(2),
            purchased_quantity: units(8),
            adjustments: 0,
            old_purchased_quantity: Some(units(10)),
            old_adjustments: Some(0),
            old_eta: due(2027, 3, 1),
            revision: 3,
        },
        Event::BatchAdjusted {
            reference: reference.clone(),
            sku: sku.clone(),
            adjustment_id: AdjustmentId::parse("A-1").unwrap(),
            reason: AdjustmentReason::parse("water damage").unwrap(),
            change: UnitChange::new(-3).unwrap(),
            purchased_quantity: units(8),
            adjustments: -1,
            old_purchased_quantity: Some(units(8)),
            old_adjustments: Some(0),
            revision: 4,
        },
        Event::UnitsMissing(picked(2)),
        Event::PickCorrected {
            units: picked(4),
            found: units(3),
            old_found: units(2),
            put_back: Units::ZERO,
            waited: Units::ZERO,
        },
        Event::Shipped { units: picked(3), shipment_id: ShipmentId::parse("S-1").ok() },
        Event::BatchRemoved { reference, sku, quantity: Some(units(3)) },
    ]
}

fn recorded(ordinal: u32, event: Event) -> RecordedEvent {
    let actor = if ordinal == 0 { Actor::Unknown } else { Actor::System };
    RecordedEvent { sku: sku("LAMP"), version: 3, ordinal, occurred_at: now(), event, actor }
}

#[actix_web::test]
async fn movements_have_their_change_their_cause_and_their_author() {
    let mut ports = Ports::new();
    ports.queries.expect_movements().returning(|name, after, page| {
        assert_eq!((name, after, page), (&sku("LAMP"), 0, PageSize::default()));
        let movements = (0..).zip(events()).map(|(number, event)| (u64::from(number) + 7, recorded(number, event)));
        Ok(MovementPage { movements: movements.collect(), next: None })
    });
    let answer = get(&ports.api(), "/products/LAMP/movements").await;
    assert_eq!((answer.status.as_u16(), answer.header("link")), (200, None));
    let at = "2027-01-15T08:00:00.123456Z";
    let of_pick = |event: &str, change: i64| {
        json!({"at": at, "event": event, "change": change, "reference": "B-1", "order_id": "O-1", "pick_list_id": "P-1",
            "line": 2, "by": "system"})
    };
    let mut shipped = of_pick("shipped", -3);
    shipped["shipment_id"] = json!("S-1");
    assert_eq!(
        answer.json(),
        json!([
            {"at": at, "event": "batch_added", "change": 9, "reference": "B-1", "eta": "2027-02-01",
                "order_id": "O-9", "return_id": "RMA-1"},
            {"at": at, "event": "batch_changed", "change": 1, "reference": "B-1", "eta": "2027-03-01",
                "old_eta": "2027-02-01", "by": "system"},
            {"at": at, "event": "batch_received", "change": -2, "reference": "B-1", "eta": null, "old_eta": "2027-03-01",
                "receipt_id": "R-1", "by": "system"},
            {"at": at, "event": "batch_adjusted", "change": -1, "reference": "B-1", "adjustment_id": "A-1",
                "reason": "water damage", "by": "system"},
            of_pick("units_missing", -2),
            of_pick("pick_corrected", 1),
            shipped,
            {"at": at, "event": "batch_removed", "change": -3, "reference": "B-1", "by": "system"}
        ])
    );
}

#[actix_web::test]
async fn pages_of_movements_link_to_each_other() {
    let mut ports = Ports::new();
    ports.queries.expect_movements().returning(|_, after, page| {
        assert_eq!(page.get(), 1);
        let next = (after == 0).then_some(41);
        Ok(MovementPage { movements: vec![(after + 1, recorded(0, events()[0].clone()))], next })
    });
    let api = ports.api();
    let first = get(&api, "/products/LAMP/movements?limit=1").await;
    let link = first.header("link").unwrap();
    let next = link.split(['<', '>']).nth(1).unwrap().to_owned();
    let second = get(&api, &next).await;
    assert_eq!((second.status.as_u16(), second.header("link")), (200, None));
}

#[actix_web::test]
async fn an_unknown_product_has_no_movements_and_a_known_one_may_have_none() {
    for (known, status) in [(false, 404), (true, 200)] {
        let mut ports = Ports::new();
        ports.queries.expect_movements().returning(|_, _, _| Ok(MovementPage::default()));
        ports.queries.expect_product().returning(move |_, _| {
            Ok(known.then(|| ProductTotals { sku: sku("LAMP"), totals: Totals::default(), promises: Promises::Fair }))
        });
        let answer = get(&ports.api(), "/products/LAMP/movements").await;
        assert_eq!(answer.status, status);
    }
}
