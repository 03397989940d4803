use super::*;
use crate::testing::{Shop, reference, sku};
use allocation_domain::{Eta, MAX_MOVED_LINES, NewBatch, OrderId, ReceiptId, RestTerms, Units};

fn receipt(id: &str, kept: u32) -> Receipt {
    let kept = Units::new(kept).unwrap();
    Receipt::new(ReceiptId::parse(id).unwrap(), reference("B-1"), kept, Units::ZERO).unwrap()
}

fn later() -> Eta {
    Eta::Due("2027-03-01".parse().unwrap())
}

/// A shop with an inbound batch of lamps.
fn shop(units: u32) -> Shop {
    let shop = Shop::with(&[]);
    let new = NewBatch::new(reference("B-1"), crate::testing::units(units), later());
    shop.use_cases.add_batch(&sku("LAMP"), &new).unwrap();
    shop
}

fn received(shop: &Shop, receipt: &Receipt) -> RecordedReceipt {
    match shop.use_cases.receive_batch(receipt) {
        Ok(Outcome::Changed(recorded)) => recorded,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_part_arrives_once_and_the_rest_is_expected_under_a_free_name() {
    let shop = shop(10);
    shop.add("SOFA", "B-1/2", 1);
    shop.place_waiting("O-1", &[("LAMP", 6)]);
    shop.new_events();
    let recorded = received(&shop, &receipt("R", 4));
    let rest = recorded.outcome.rest.clone().unwrap();
    assert_eq!((rest.reference, rest.quantity.get(), rest.eta), (reference("B-1/3"), 6, later()));
    assert_eq!(shop.new_events(), ["batch_added", "deallocated", "batch_received", "allocated"]);
    let repeat = shop.use_cases.receive_batch(&receipt("R", 4)).unwrap();
    assert_eq!((repeat, shop.new_events().len()), (Outcome::Unchanged(recorded), 0));
    let other = shop.use_cases.receive_batch(&receipt("R", 5));
    assert!(matches!(other, Err(UseCaseError::Refused(ReceiveError::AlreadyExists(_)))), "{other:?}");
}

#[test]
fn a_dry_run_returns_what_would_be_and_stores_nothing() {
    let shop = shop(10);
    shop.new_events();
    let dry = shop.use_cases.clone().as_dry_run(true);
    let Outcome::Changed(would_be) = dry.receive_batch(&receipt("R", 4)).unwrap() else { panic!("new") };
    assert_eq!((shop.batch("B-1").unwrap().eta(), shop.new_events().len()), (later(), 0));
    assert_eq!(received(&shop, &receipt("R", 4)).outcome, would_be.outcome);
}

#[test]
fn refusals_change_nothing() {
    let shop = shop(10);
    shop.add("SOFA", "TAKEN", 1);
    shop.new_events();
    let rest = Some(RestTerms { reference: Some(reference("TAKEN")), eta: None });
    let taken = shop.use_cases.receive_batch(&receipt("R", 4).with_rest(rest));
    assert!(matches!(taken, Err(UseCaseError::Refused(ReceiveError::RestExists(_)))), "{taken:?}");
    let over = shop.use_cases.receive_batch(&receipt("R", 11));
    assert!(matches!(over, Err(UseCaseError::Refused(ReceiveError::MoreThanExpected { .. }))), "{over:?}");
    assert_eq!(shop.new_events(), [""; 0]);
    received(&shop, &receipt("R", 10));
    let again = shop.use_cases.receive_batch(&receipt("S", 1));
    assert!(matches!(again, Err(UseCaseError::Refused(ReceiveError::NotInTransit(_)))), "{again:?}");
    shop.use_cases.remove_batch(&reference("B-1")).unwrap();
    let gone = shop.use_cases.receive_batch(&receipt("S", 1));
    assert!(matches!(gone, Err(UseCaseError::Refused(ReceiveError::NotFound(_)))), "{gone:?}");
    assert!(matches!(shop.use_cases.receive_batch(&receipt("R", 10)), Ok(Outcome::Unchanged(_))), "a repeat is one");
}

#[test]
fn a_reference_that_no_number_fits_needs_a_rest_with_a_name() {
    let shop = Shop::with(&[]);
    let long = reference(&"B".repeat(254));
    let new = NewBatch::new(long.clone(), crate::testing::units(5), later());
    shop.use_cases.add_batch(&sku("LAMP"), &new).unwrap();
    let some = Receipt::new(ReceiptId::parse("R").unwrap(), long, Units::new(2).unwrap(), Units::ZERO).unwrap();
    let unnamed = shop.use_cases.receive_batch(&some);
    assert!(matches!(unnamed, Err(UseCaseError::Refused(ReceiveError::RestWithoutName(_)))), "{unnamed:?}");
    let named = some.with_rest(Some(RestTerms { reference: Some(reference("REST")), eta: None }));
    assert_eq!(received(&shop, &named).outcome.rest.unwrap().reference, reference("REST"));
}

#[test]
fn the_lines_of_a_crowded_batch_leave_in_the_background_and_are_served_from_the_rest() {
    let lines = u32::try_from(2 * MAX_MOVED_LINES).unwrap() + 500;
    let shop = shop(lines);
    let order_ids: Vec<_> = (0..lines).map(|number| OrderId::parse(format!("O-{number:04}")).unwrap()).collect();
    for some in order_ids.chunks(MAX_MOVED_LINES) {
        shop.allocate_to_each(some, "LAMP");
    }
    let recorded = received(&shop, &receipt("R", 100));
    assert_eq!((recorded.outcome.displaced.len(), recorded.outcome.on_hand), (0, 100));
    let rest = shop.batch("B-1/2").unwrap();
    assert_eq!((rest.purchased().get(), rest.moving_units()), (0, lines - 100));
    let pallet = Units::new(10).unwrap();
    let early = Receipt::new(ReceiptId::parse("R-2").unwrap(), reference("B-1/2"), pallet, Units::ZERO).unwrap();
    let refused = shop.use_cases.receive_batch(&early);
    assert!(matches!(refused, Err(UseCaseError::Store(StoreError::Busy(_)))), "its units are not there: {refused:?}");
    for _ in 0..100 {
        shop.use_cases.move_lines(|| true).unwrap();
        shop.use_cases.release_expired_holds(|| true).unwrap();
    }
    let (kept, rest) = (shop.batch("B-1").unwrap(), shop.batch("B-1/2").unwrap());
    assert_eq!((kept.purchased().get(), kept.allocated(), kept.moving()), (100, 100, None));
    assert_eq!((rest.purchased().get(), rest.allocated(), rest.moving()), (lines - 100, lines - 100, None));
    assert_eq!(shop.lines("O-0099")[0].1.allocations[0].reference, reference("B-1"));
    assert_eq!(shop.lines("O-0100")[0].1.allocations[0].reference, reference("B-1/2"));
}
