//! Valid orders and their statuses.

use super::*;
use crate::{Allocation, BatchReference, Eta, Fulfilment};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn units(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

/// Returns a line of ten units, of which `holds` are allocated and `waiting` are backordered.
fn line(commitment: ReservationState, holds: u32, waiting: u32) -> LineState {
    let terms = OrderTerms { on_shortage: OnShortage::Backorder, ..OrderTerms::default() }.of_line(now());
    let part = Quantity::new(holds).ok().map(|quantity| Allocation {
        reference: BatchReference::parse("B-1").unwrap(),
        quantity,
        eta: Eta::InStock,
        added_at: now(),
    });
    LineState {
        quantity: units(10),
        terms,
        commitment,
        waiting,
        fulfilment: Fulfilment::default(),
        allocations: part.into_iter().collect(),
    }
}

fn short(holds: u32, waiting: u32) -> LineState {
    let line = line(ReservationState::Firm, holds, waiting);
    LineState { terms: LineTerms { on_shortage: OnShortage::Reject, ..line.terms }, ..line }
}

/// Returns a line of ten units, of which some were picked and shipped.
fn picked(picked: u32, shipped: u32) -> LineState {
    LineState {
        fulfilment: Fulfilment { picked, shipped, ..Fulfilment::default() },
        ..line(ReservationState::Firm, 0, 0)
    }
}

fn held(seconds: i64) -> ReservationState {
    ReservationState::Held { expires_at: now() + chrono::TimeDelta::seconds(seconds) }
}

#[test]
fn an_order_has_one_to_five_hundred_lines_one_for_each_sku() {
    let order =
        |lines: Vec<(Sku, Quantity)>| NewOrder::new(OrderId::parse("O-1").unwrap(), lines, OrderTerms::default());
    let numbered = |count: u32| (0..count).map(|n| (Sku::parse(format!("SKU-{n}")).unwrap(), units(1))).collect();
    assert_eq!(order(Vec::new()), Err(NewOrderError::LineCount(0)));
    assert_eq!(order(numbered(501)), Err(NewOrderError::LineCount(501)));
    assert_eq!(order(numbered(500)).unwrap().lines().len(), 500);
    let lamp = Sku::parse("LAMP").unwrap();
    let twice = vec![(lamp.clone(), units(1)), (lamp.clone(), units(1))];
    assert_eq!(order(twice), Err(NewOrderError::RepeatedSku(lamp)));
    let long = vec![(Sku::parse("🪑".repeat(255)).unwrap(), units(1))];
    let long_name = NewOrder::new(OrderId::parse("🪑".repeat(255)).unwrap(), long, OrderTerms::default());
    assert!(matches!(long_name, Err(NewOrderError::LineTooLong(_))));
}

#[test]
fn every_order_has_one_status() {
    use OrderStatus::{
        Allocated, Backordered, Cancelled, Closed, Expired, Held, PartiallyAllocated, PartiallyShipped, Picked,
        Shipped, Short,
    };
    let closed = |line| LineState { commitment: ReservationState::Closed, ..line };
    let shipped_of_ten = |units| picked(0, units);
    let full = line(ReservationState::Firm, 10, 0);
    let ended = |commitment| line(commitment, 0, 0);
    let cases = [
        (vec![full.clone()], Allocated),
        (vec![full.clone(), line(held(9), 10, 0)], Held),
        (vec![full.clone(), line(ReservationState::Firm, 4, 6)], PartiallyAllocated),
        (vec![line(held(9), 4, 6)], PartiallyAllocated),
        (vec![full.clone(), line(ReservationState::Firm, 0, 10)], PartiallyAllocated),
        (vec![line(ReservationState::Firm, 4, 0)], PartiallyAllocated),
        (vec![full.clone(), ended(ReservationState::Firm)], PartiallyAllocated),
        (vec![line(held(9), 10, 0), ended(held(9))], PartiallyAllocated),
        (vec![line(ReservationState::Firm, 0, 10), ended(ReservationState::Firm)], Backordered),
        (vec![line(ReservationState::Firm, 0, 10)], Backordered),
        (vec![line(held(9), 0, 10)], Backordered),
        (vec![full.clone(), short(4, 6)], Short),
        (vec![short(0, 10)], Short),
        (vec![picked(10, 0)], Picked),
        (vec![picked(3, 7), picked(0, 10)], PartiallyShipped),
        (vec![picked(3, 7)], PartiallyShipped),
        (vec![picked(10, 0), full.clone()], Allocated),
        (vec![picked(0, 10), ended(ReservationState::Cancelled)], Shipped),
        (vec![picked(0, 10), ended(ReservationState::Firm)], Closed),
        (vec![shipped_of_ten(4)], Closed),
        (vec![shipped_of_ten(4), ended(ReservationState::Expired)], Closed),
        (vec![picked(0, 10), ended(ReservationState::Expired)], Closed),
        (vec![picked(0, 10), line(held(0), 10, 0)], Closed),
        (vec![picked(0, 10), full.clone()], PartiallyShipped),
        (vec![picked(0, 10), line(held(9), 10, 0)], PartiallyShipped),
        (vec![picked(5, 0)], PartiallyAllocated),
        (vec![picked(0, 10), line(ReservationState::Firm, 0, 10)], PartiallyShipped),
        (vec![closed(picked(5, 0))], Picked),
        (vec![closed(picked(5, 0)), closed(ended(ReservationState::Firm))], Picked),
        (vec![closed(picked(3, 2))], PartiallyShipped),
        (vec![closed(picked(0, 5))], Closed),
        (vec![closed(picked(0, 10))], Shipped),
        (vec![closed(picked(0, 10)), closed(ended(ReservationState::Firm))], Closed),
        (vec![closed(ended(ReservationState::Firm))], Closed),
        (vec![closed(ended(ReservationState::Firm)), ended(ReservationState::Cancelled)], Closed),
        (vec![closed(ended(ReservationState::Firm)), ended(ReservationState::Expired)], Expired),
        (vec![picked(0, 10), short(0, 10)], Short),
        (vec![line(held(0), 10, 0)], Expired),
        (vec![line(held(9), 10, 0), ended(ReservationState::Expired)], Expired),
        (vec![ended(ReservationState::Expired), ended(ReservationState::Cancelled)], Expired),
        (vec![full.clone(), ended(ReservationState::Expired)], PartiallyAllocated),
        (vec![full, ended(ReservationState::Cancelled)], Allocated),
        (vec![ended(ReservationState::Cancelled)], Cancelled),
        (vec![ended(ReservationState::Firm)], Cancelled),
        (Vec::new(), Cancelled),
    ];
    for (lines, status) in cases {
        assert_eq!(OrderStatus::of(&lines, now()), status, "{lines:?}");
    }
}
