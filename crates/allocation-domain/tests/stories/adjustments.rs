//! Adjustments: units that were damaged, lost, found or counted.

use crate::shop::{Shop, batch, due, order, parts, refusal, sku};
use allocation_domain::{
    AdjustError, Adjusted, Adjusting, Adjustment, AdjustmentId, AdjustmentLine, AdjustmentReason, BatchChange,
    ChangeBatchError, DataRequest, Eta, Event, LoadRequest, MAX_MOVED_LINES, Pending, Quantity, Stock, UnitChange,
    Units,
};

fn line(reference: &str, change: i32) -> AdjustmentLine {
    AdjustmentLine { reference: batch(reference), change: UnitChange::new(change).unwrap(), expected: None }
}

fn counted(reference: &str, from: u32, change: i32) -> AdjustmentLine {
    AdjustmentLine { expected: Units::new(from).ok(), ..line(reference, change) }
}

fn adjustment(lines: impl IntoIterator<Item = AdjustmentLine>) -> Adjustment {
    let (id, reason) = (AdjustmentId::parse("A-1").unwrap(), AdjustmentReason::parse("damaged").unwrap());
    Adjustment::new(id, reason, lines).unwrap()
}

/// Order and units of each displaced line.
fn displaced(adjusted: &Adjusted) -> Vec<(&str, u32)> {
    adjusted.displaced.iter().map(|it| (it.order_id.as_str(), it.quantity.get())).collect()
}

impl Shop {
    fn try_adjust<const N: usize>(&mut self, lines: [AdjustmentLine; N]) -> Result<Adjusted, AdjustError> {
        self.pass(1);
        self.products.adjust(&adjustment(lines), self.now).map_err(refusal)
    }

    fn adjust<const N: usize>(&mut self, lines: [AdjustmentLine; N]) -> Adjusted {
        self.try_adjust(lines).unwrap()
    }

    /// Purchased, adjusted and available units of a batch of chairs.
    fn books(&mut self, reference: &str) -> (u32, i64, u32) {
        let found = self.chairs().batch(&batch(reference)).unwrap();
        (found.purchased().get(), found.adjusted(), found.available())
    }
}

/// odoo#45128: five of ten are on hand, and six are reserved.
#[test]
fn a_count_below_the_reserved_units_displaces_only_what_is_missing() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, Eta::InStock)]);
    shop.place(&order("O-1").of(6, "CHAIR").or_backorder());
    let adjusted = shop.adjust([counted("B-1", 10, -5)]);
    assert_eq!((displaced(&adjusted), adjusted.lines[0].on_hand), (vec![("O-1", 1)], 5));
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1")), (parts([("B-1", 5)]), 1));
    assert_eq!(shop.books("B-1"), (10, -5, 0));
}

#[test]
fn the_last_in_the_order_of_service_leave_an_adjusted_batch_first() {
    let mut shop = Shop::of_chairs(&[("B-1", 8, Eta::InStock)]);
    for (name, priority) in [("LAX", -1), ("OLD", 0), ("YOUNG", 0), ("URGENT", 1)] {
        shop.place(&order(name).of(2, "CHAIR").with_priority(priority).or_backorder());
    }
    assert_eq!(displaced(&shop.adjust([line("B-1", -3)])), [("YOUNG", 1), ("LAX", 2)]);
    assert_eq!(displaced(&shop.adjust([line("B-1", -4)])), [("URGENT", 1), ("OLD", 2), ("YOUNG", 1)]);
}

#[test]
fn displaced_units_get_other_batches_before_they_wait() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock), ("SOON", 3, due(2))]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    let adjusted = shop.adjust([line("B-1", -4)]);
    let moved: Vec<_> = adjusted.affected.iter().map(|it| (it.reference.as_str(), it.quantity.get())).collect();
    assert_eq!((moved, displaced(&adjusted)), (vec![("SOON", 3)], vec![("O-1", 1)]));
}

#[test]
fn units_that_are_found_serve_the_waiting_lines_at_once() {
    let mut shop = Shop::of_chairs(&[("B-1", 2, Eta::InStock)]);
    shop.place(&Shop::waiting("FIRST", 4));
    shop.place(&Shop::waiting("SECOND", 2));
    shop.adjust([line("B-1", 3)]);
    assert_eq!((shop.waits_for("FIRST"), shop.waits_for("SECOND")), (0, 1));
    assert_eq!(shop.books("B-1"), (2, 3, 0));
}

/// Found again: two of five were missing, and an adjustment brings them back.
#[test]
fn a_short_picked_unit_that_is_found_again_comes_back() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    shop.list("P-1");
    shop.pick("P-1", 1, 3);
    assert_eq!((shop.books("B-1"), shop.waits_for("O-1")), ((5, -2, 0), 2));
    shop.adjust([counted("B-1", 3, 2)]);
    assert_eq!((shop.books("B-1"), shop.waits_for("O-1")), ((5, 0, 0), 0));
    assert_eq!(shop.counts("B-1"), [2, 3, 0, 2, 0]);
}

#[test]
fn picked_units_are_never_adjusted_away() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(2, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, 2);
    let change = UnitChange::new(-4).unwrap();
    let below = AdjustError::BelowConsumed { reference: batch("B-1"), change, free: 3 };
    assert_eq!(shop.try_adjust([line("B-1", -4)]), Err(below));
    shop.adjust([line("B-1", -3)]);
    assert_eq!((shop.books("B-1"), shop.counts("B-1")), ((5, -3, 0), [0, 2, 0, 0, 0]));
}

#[test]
fn a_count_of_another_number_than_is_on_hand_is_rejected() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    let expected = Units::new(6).unwrap();
    let changed = AdjustError::QuantityChanged { reference: batch("B-1"), expected, actual: 5 };
    assert_eq!(shop.try_adjust([counted("B-1", 6, -1)]), Err(changed));
    assert_eq!(shop.adjust([counted("B-1", 5, -1)]).lines[0].on_hand, 4);
}

#[test]
fn batches_of_several_products_are_all_adjusted_or_none() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("B-1", "CHAIR", 5, Eta::InStock);
    shop.receive("B-2", "LAMP", 5, Eta::InStock);
    let nowhere = shop.try_adjust([line("B-1", -1), line("B-9", -1)]);
    assert_eq!(nowhere, Err(AdjustError::NotFound(batch("B-9"))));
    assert!(shop.try_adjust([line("B-1", -1), line("B-2", -6)]).is_err());
    assert_eq!((shop.free_chairs(), shop.product("LAMP").available()), (5, 5));
    let adjusted = shop.adjust([line("B-2", -2), line("B-1", 1)]);
    let lines: Vec<_> = adjusted.lines.iter().map(|it| (it.sku.clone(), it.change.get(), it.on_hand)).collect();
    assert_eq!(lines, [(sku("CHAIR"), 1, 6), (sku("LAMP"), -2, 3)]);
}

#[test]
fn units_that_one_line_adds_replace_those_that_another_removes() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock), ("B-2", 1, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    let adjusted = shop.adjust([line("B-1", -3), line("B-2", 2)]);
    assert_eq!((displaced(&adjusted), shop.holds("O-1")), (vec![], parts([("B-1", 2), ("B-2", 3)])));
}

#[test]
fn a_batch_never_has_more_units_than_can_be_counted() {
    let mut shop = Shop::of_chairs(&[("B-1", Quantity::MAX, Eta::InStock)]);
    let change = UnitChange::new(1).unwrap();
    assert_eq!(shop.try_adjust([line("B-1", 1)]), Err(AdjustError::TooManyUnits { reference: batch("B-1"), change }));
    shop.adjust([line("B-1", -5)]);
    shop.lower("B-1", 9);
    shop.adjust([line("B-1", 7)]);
    let purchased = Units::new(Quantity::MAX).unwrap();
    let change = BatchChange { purchased: Some(purchased), ..BatchChange::default() };
    assert_eq!(shop.change("B-1", change), Err(ChangeBatchError::TooManyUnits { reference: batch("B-1"), purchased }));
    assert_eq!(shop.books("B-1"), (9, 2, 11));
}

#[test]
fn a_correction_of_the_purchase_keeps_the_adjustments() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, Eta::InStock)]);
    shop.adjust([line("B-1", -3)]);
    shop.lower("B-1", 8);
    assert_eq!(shop.books("B-1"), (8, -3, 5));
    let purchased = Units::new(2).unwrap();
    let below = ChangeBatchError::BelowConsumed { reference: batch("B-1"), purchased, consumed: 3 };
    assert_eq!(shop.change("B-1", BatchChange { purchased: Some(purchased), ..BatchChange::default() }), Err(below));
}

#[test]
fn each_adjusted_batch_has_a_new_revision_and_an_event_with_the_reason() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, Eta::InStock)]);
    shop.adjust([line("B-1", -3)]);
    let last = shop.chairs().events().last().unwrap().clone();
    let Event::BatchAdjusted { reason, change, purchased_quantity, adjustments, revision, .. } = last else {
        panic!("{last:?}")
    };
    assert_eq!(
        (reason.as_str(), change.get(), purchased_quantity.get(), adjustments, revision),
        ("damaged", -3, 10, -3, 2)
    );
    assert_eq!(shop.chairs().batch(&batch("B-1")).unwrap().revision(), 2);
}

/// A shop whose batch is held by this many lines of one unit.
fn crowd(lines: usize) -> Shop {
    let mut shop = Shop::of_chairs(&[("B-1", u32::try_from(lines).unwrap(), Eta::InStock)]);
    for number in 0..lines {
        shop.place(&order(&format!("O-{number:05}")).of(1, "CHAIR").or_backorder());
    }
    shop
}

#[test]
fn one_adjustment_displaces_a_bounded_number_of_lines_and_the_rest_leaves_in_steps() {
    let mut shop = crowd(MAX_MOVED_LINES + 500);
    shop.receive("B-2", "CHAIR", 300, Eta::InStock);
    for number in 0..300 {
        shop.place(&order(&format!("P-{number:05}")).of(1, "CHAIR").or_backorder());
    }
    // The lines of the first batch are few enough, and those of the second no longer are.
    let adjusted = shop.adjust([line("B-1", -800), line("B-2", -300)]);
    let moving = |shop: &mut Shop, reference: &str| shop.chairs().batch(&batch(reference)).unwrap().moving_units();
    assert_eq!((moving(&mut shop, "B-1"), moving(&mut shop, "B-2")), (800, 0));
    assert_eq!((adjusted.displaced.len(), adjusted.lines[0].on_hand), (300, 700));
    assert_eq!(shop.books("B-1"), (1_500, 0, 0));
    let now = shop.now;
    shop.chairs().move_lines(&batch("B-1"), None, now).unwrap().unwrap();
    assert_eq!((moving(&mut shop, "B-1"), shop.books("B-1")), (0, (1_500, -800, 0)));
    assert_eq!(shop.chairs().waiting().count(), 1_100);
}

#[test]
fn units_that_waiting_lines_have_yet_to_get_do_not_replace_those_of_a_younger_line() {
    let mut shop = Shop::of_chairs(&[("B-1", 1, Eta::InStock), ("B-2", 1, Eta::InStock)]);
    for number in 0..2 {
        shop.place(&order(&format!("O-{number:05}")).of(1, "CHAIR").or_backorder());
    }
    let lines = MAX_MOVED_LINES + 500;
    for number in 2..lines {
        shop.place(&order(&format!("O-{number:05}")).of(1, "CHAIR").or_backorder());
    }
    // More units are found than one decision gives to waiting lines, and another batch loses its unit.
    let found = i32::try_from(lines).unwrap();
    let adjusted = shop.adjust([line("B-1", found), line("B-2", -1)]);
    assert!(adjusted.displaced.is_empty() && shop.chairs().is_behind(), "{:?}", adjusted.displaced);
    assert_eq!(shop.chairs().batch(&batch("B-2")).unwrap().allocated(), 1, "its line leaves later");
}

#[test]
fn stock_in_memory_adjusts_a_batch_of_many_lines_at_once() {
    let mut shop = crowd(MAX_MOVED_LINES + 500);
    let mut stock = Stock::restore(shop.products.iter().map(allocation_domain::Product::state)).unwrap();
    let adjusted = stock.adjust(&adjustment([line("B-1", -1_200)]), shop.now).unwrap();
    assert_eq!((adjusted.displaced.len(), stock.batch(&batch("B-1")).unwrap().on_hand()), (1_200, 300));
    assert!(shop.adjust([line("B-1", -1_200)]).displaced.is_empty(), "too many for one decision");
}

#[test]
fn rows_that_one_batch_lacks_are_loaded_without_deciding_on_the_others_again() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    for (reference, name) in [("B-1", "CHAIR"), ("B-2", "LAMP")] {
        shop.receive(reference, name, 5, Eta::InStock);
        shop.place(&order(&format!("{name}-1")).of(5, name).or_backorder());
    }
    let whole = shop.products.clone();
    // The store has loaded the batches, and no line of them.
    let mut products: allocation_domain::Products = whole
        .iter()
        .map(|product| {
            let state = product.state();
            let rows = allocation_domain::ProductState { lines: Vec::new(), more_waiting: true, ..state };
            allocation_domain::Product::restore(rows)
        })
        .collect();
    let adjustment = adjustment([line("B-1", -1), line("B-2", -2)]);
    let mut adjusting = Adjusting::of(&adjustment, &mut products, shop.now).unwrap();
    let mut asked = Vec::new();
    let adjusted = loop {
        match adjusting.resume(&adjustment, &mut products, shop.now) {
            Ok(adjusted) => break adjusted,
            Err(Pending::Load(LoadRequest { sku, what })) => {
                let product = products.get_mut(&sku).unwrap();
                let lines = whole.get(&sku).unwrap().lines().map(|(id, line)| (id.clone(), line.clone()));
                match &what {
                    DataRequest::LastOn { reference, units } => product.load_last_on(reference, *units, Some(lines)),
                    DataRequest::WaitingLines { after, free, .. } => {
                        product.load_waiting(after.as_ref(), *free, [], false)
                    }
                    other => panic!("{other:?}"),
                }
                asked.push((sku, what));
            }
            Err(other) => panic!("{other:?}"),
        }
    };
    let loads: Vec<_> = asked.iter().filter(|(_, what)| matches!(what, DataRequest::LastOn { .. })).collect();
    assert_eq!(loads.len(), 2, "each batch asks once for its last lines");
    assert_eq!(displaced(&adjusted).len(), 2);
}
