//! Picked units that leave in parcels.

use crate::shop::{Shop, order, parts, units};
use crate::warehouse::{list_id, listed, pick_line, shipment};
use allocation_domain::{
    CreateShipmentError, Eta, Event, OpenLines, OrderStatus, Outcome, PickError, PickLine, PickListStatus, PickStatus,
    PutBackError, ShipmentId, Units,
};

/// Five picked chairs of an order.
fn picked() -> Shop {
    let mut shop = listed();
    shop.pick("P-1", 1, 5);
    shop
}

fn shipped(line: &PickLine) -> (PickStatus, u32, u32) {
    (line.status, line.picked, line.shipped)
}

#[test]
fn a_pick_line_leaves_in_two_parcels() {
    let mut shop = picked();
    let first = shop.shipment("S-1", &[("P-1", 1, 2)]);
    assert_eq!((first.len(), first[0].quantity.get(), first[0].order_id.as_str()), (1, 2, "O-1"));
    assert_eq!(shipped(&shop.pick_line("P-1", 1)), (PickStatus::Picked, 5, 2));
    assert_eq!((shop.counts("B-1"), shop.status("O-1")), ([0, 3, 2, 0, 0], OrderStatus::PartiallyShipped));
    assert_eq!(shop.products.pick_list(&list_id("P-1")).unwrap().status(), PickListStatus::Picked);
    let rest = shop.shipment("S-2", &[("P-1", 1, 0)]);
    assert_eq!(rest[0].quantity.get(), 3, "all that is left");
    assert_eq!(shipped(&shop.pick_line("P-1", 1)), (PickStatus::Shipped, 5, 5));
    assert_eq!((shop.counts("B-1"), shop.status("O-1")), ([0, 0, 5, 0, 0], OrderStatus::Shipped));
    assert_eq!(shop.products.pick_list(&list_id("P-1")).unwrap().status(), PickListStatus::Shipped);
    let of_shipments: Vec<_> = shop
        .chairs()
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Shipped { units, shipment_id } => {
                Some((shipment_id.as_ref().map(ShipmentId::as_str), units.quantity.get()))
            }
            _ => None,
        })
        .map(|(id, units)| (id.map(str::to_owned), units))
        .collect();
    assert_eq!(of_shipments, [(Some("S-1".to_owned()), 2), (Some("S-2".to_owned()), 3)]);
}

#[test]
fn one_parcel_takes_lines_of_several_lists_and_orders() {
    let mut shop = picked();
    shop.receive("B-2", "CHAIR", 4, Eta::InStock);
    shop.place(&order("O-2").of(4, "CHAIR"));
    shop.list("P-2");
    shop.pick("P-2", 1, 4);
    let lines = shop.shipment("S-1", &[("P-2", 1, 3), ("P-1", 1, 0)]);
    let rows: Vec<_> = lines.iter().map(|it| (it.list.as_str(), it.order_id.as_str(), it.quantity.get())).collect();
    assert_eq!(rows, [("P-1", "O-1", 5), ("P-2", "O-2", 3)]);
    assert_eq!((shop.status("O-1"), shop.status("O-2")), (OrderStatus::Shipped, OrderStatus::PartiallyShipped));
}

#[test]
fn a_shipment_is_made_whole_or_not_at_all() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("B-1", "CHAIR", 9, Eta::InStock);
    shop.receive("L-1", "LAMP", 9, Eta::InStock);
    shop.place(&order("O-1").of(5, "CHAIR").of(4, "LAMP"));
    shop.place(&order("O-2").of(2, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, 5);
    shop.pick("P-1", 3, 4);
    let events = shop.chairs().events().len();
    for refused in [("P-1", 2, 0), ("P-1", 3, 5), ("P-1", 4, 0), ("P-9", 1, 1)] {
        let error = shop.try_shipment("S-1", &[("P-1", 1, 0), refused]).unwrap_err();
        let (id, requested) = (pick_line(refused.0, refused.1), units(5));
        match refused.1 {
            2 => assert!(matches!(error, CreateShipmentError::NotPicked { id: of, .. } if of == id)),
            3 => assert!(matches!(error, CreateShipmentError::MoreThanPicked { requested: it, .. } if it == requested)),
            _ => assert_eq!(error, CreateShipmentError::NotFound(id)),
        }
        assert_eq!((shop.counts("B-1"), shop.chairs().events().len()), ([2, 5, 0, 0, 2], events));
    }
    shop.shipment("S-1", &[("P-1", 1, 0), ("P-1", 3, 4)]);
    assert_eq!(shop.status("O-1"), OrderStatus::Shipped);
}

#[test]
fn only_picked_units_leave_and_each_once() {
    let mut shop = listed();
    let try_all = |shop: &mut Shop| shop.try_shipment("S", &[("P-1", 1, 0)]);
    let refusal = try_all(&mut shop).unwrap_err();
    assert_eq!(refusal.to_string(), "Line 1 of pick list P-1 is open, so nothing of it can be shipped");
    shop.pick("P-1", 1, 0);
    assert!(matches!(try_all(&mut shop), Err(CreateShipmentError::NotPicked { .. })), "it is missing");
    shop.pick("P-1", 1, 4);
    shop.put_back("P-1", 1, 4);
    assert!(matches!(try_all(&mut shop), Err(CreateShipmentError::NotPicked { .. })), "it is withdrawn");
    let mut shop = picked();
    shop.shipment("S-1", &[("P-1", 1, 4)]);
    let refusal = shop.try_shipment("S-2", &[("P-1", 1, 2)]).unwrap_err();
    assert_eq!(refusal.to_string(), "Line 1 of pick list P-1 has 1 picked units to ship, not 2");
    shop.shipment("S-2", &[("P-1", 1, 1)]);
    assert!(matches!(shop.try_shipment("S", &[("P-1", 1, 1)]), Err(CreateShipmentError::MoreThanPicked { .. })));
    let refusal = try_all(&mut shop).unwrap_err();
    assert_eq!(refusal.to_string(), "The 5 units of line 1 of pick list P-1 were shipped already");
}

#[test]
fn a_list_ships_what_its_parcels_have_left() {
    let mut shop = picked();
    shop.shipment("S-1", &[("P-1", 1, 2)]);
    let list = shop.ship("P-1");
    assert_eq!((list.status(), shipped(&list.lines[&1])), (PickListStatus::Shipped, (PickStatus::Shipped, 5, 5)));
    let last = shop.chairs().events().last().unwrap().clone();
    assert!(matches!(last, Event::Shipped { units, shipment_id: None } if units.quantity.get() == 3));
    assert!(matches!(shop.products.ship(&list_id("P-1"), OpenLines::Refuse), Ok(Outcome::Unchanged(_))));
}

#[test]
fn a_list_with_a_shipped_line_ships_without_its_open_ones() {
    let mut shop = Shop::of_chairs(&[("B-1", 9, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.place(&order("O-2").of(2, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, 5);
    shop.shipment("S-1", &[("P-1", 1, 0)]);
    let outcome = shop.products.ship(&list_id("P-1"), OpenLines::Release).unwrap();
    let Outcome::Changed(list) = outcome else { panic!("the open line is released") };
    assert_eq!((list.status(), list.lines[&2].status), (PickListStatus::Shipped, PickStatus::Withdrawn));
}

#[test]
fn shipped_units_of_a_line_are_not_put_back_and_the_others_are() {
    let mut shop = picked();
    shop.shipment("S-1", &[("P-1", 1, 2)]);
    let refused = shop.try_put_back("P-1", 1, 4).unwrap_err();
    assert!(matches!(refused, PutBackError::AlreadyShipped { .. }));
    assert_eq!(refused.to_string(), "2 units of line 1 of pick list P-1 were shipped, so 4 cannot be put back");
    assert!(matches!(shop.try_put_back("P-1", 1, 6), Err(PutBackError::MoreThanPicked { .. })));
    assert_eq!(shipped(&shop.put_back("P-1", 1, 1)), (PickStatus::Picked, 4, 2));
    let line = shop.put_back("P-1", 1, 3);
    assert_eq!((shipped(&line), line.put_back), ((PickStatus::Shipped, 2, 2), 3), "nothing is left to ship");
    assert_eq!((shop.counts("B-1"), shop.holds("O-1")), ([3, 0, 2, 0, 0], parts([("B-1", 3)])));
    assert!(matches!(shop.try_put_back("P-1", 1, 4), Err(PutBackError::AlreadyShipped { .. })));
}

#[test]
fn a_pick_is_corrected_as_to_the_units_that_are_not_shipped() {
    let mut shop = picked();
    shop.shipment("S-1", &[("P-1", 1, 2)]);
    let (id, line, requested) = (pick_line("P-1", 1), shop.pick_line("P-1", 1), Units::new(1).unwrap());
    let refused = shop.try_pick("P-1", 1, 1).unwrap_err();
    assert_eq!(refused, PickError::AlreadyShipped { id, line, requested });
    assert_eq!(
        refused.to_string(),
        "2 units of line 1 of pick list P-1 were shipped, so its report cannot be corrected to 1"
    );
    assert_eq!(shipped(&shop.pick("P-1", 1, 3).line), (PickStatus::Picked, 3, 2));
    assert_eq!(shipped(&shop.pick("P-1", 1, 4).line), (PickStatus::Picked, 4, 2), "and to more again");
    shop.put_back("P-1", 1, 1);
    let refused = shop.try_pick("P-1", 1, 2);
    assert!(matches!(refused, Err(PickError::AlreadyShipped { .. })), "one was put back, and two are shipped");
    assert_eq!(shipped(&shop.pick("P-1", 1, 3).line), (PickStatus::Shipped, 2, 2), "nothing is left to ship");
    assert_eq!(shop.counts("B-1"), [1, 0, 2, 2, 0]);
    assert!(matches!(shop.try_pick("P-1", 1, 5), Err(PickError::AlreadyShipped { .. })));
}

#[test]
fn units_of_a_closed_order_still_leave() {
    let mut shop = picked();
    shop.shipment("S-1", &[("P-1", 1, 1)]);
    shop.close("O-1");
    shop.shipment("S-2", &[("P-1", 1, 0)]);
    assert_eq!(shop.status("O-1"), OrderStatus::Shipped);
}

#[test]
fn the_order_of_the_lines_of_a_shipment_has_no_meaning() {
    assert_eq!(shipment("S", &[("P", 1, 2), ("Q", 1, 3)]), shipment("S", &[("Q", 1, 3), ("P", 1, 2)]));
}
