//! Units on hold.

use crate::shop::{Shop, batch, id, order, parts, seconds, units};
use allocation_domain::{
    AllocateError, ChangeOrderError, ConfirmError, DeallocateError, Eta, ExtendError, HoldExpired, HoldTooLong,
    OrderStatus, Pending, Product, ProductState, ReservationState, TermsChange,
};
use chrono::TimeDelta;

fn shop_with_a_cart() -> Shop {
    let mut shop = Shop::of_chairs(&[("B-1", 10, Eta::InStock)]);
    shop.place(&order("CART").of(10, "CHAIR").held_for(60));
    shop
}

fn expired(order_id: &str) -> HoldExpired {
    HoldExpired { order_id: id(order_id) }
}

#[test]
fn held_units_are_free_for_no_other_line() {
    let mut shop = shop_with_a_cart();
    assert_eq!(shop.status("CART"), OrderStatus::Held);
    assert!(shop.try_place(&order("O-2").of(1, "CHAIR")).is_err());
}

#[test]
fn a_confirmed_order_stays_firm() {
    let mut shop = shop_with_a_cart();
    shop.products.confirm(&id("CART"), shop.now).unwrap();
    shop.pass(100_000);
    assert_eq!(shop.status("CART"), OrderStatus::Allocated);
    assert!(shop.try_place(&order("O-2").of(1, "CHAIR")).is_err());
    assert_eq!(shop.history("CART"), ["line_placed", "allocated", "hold_confirmed"]);
}

#[test]
fn confirming_twice_is_confirming_once() {
    let mut shop = shop_with_a_cart();
    let first = shop.products.confirm(&id("CART"), shop.now).unwrap();
    shop.pass(100_000);
    assert_eq!(shop.products.confirm(&id("CART"), shop.now), Ok(first));
    assert_eq!(shop.history("CART").len(), 3);
}

#[test]
fn expired_units_are_free_from_that_instant_without_a_sweep() {
    let mut shop = shop_with_a_cart();
    let last = shop.now + TimeDelta::seconds(60) - TimeDelta::microseconds(1);
    let refusal = shop.chairs().allocate(&id("O-2"), units(10), last).unwrap_err();
    assert!(matches!(refusal, Pending::Refused(AllocateError::OutOfStock(_))));
    let end = last + TimeDelta::microseconds(1);
    shop.chairs().allocate(&id("O-2"), units(10), end).unwrap();
    assert_eq!(shop.holds("O-2"), parts([("B-1", 10)]));
    assert_eq!(shop.history("CART"), ["line_placed", "allocated", "deallocated", "hold_expired"]);
}

#[test]
fn an_order_is_not_confirmed_at_the_instant_it_expires() {
    let mut shop = shop_with_a_cart();
    shop.pass(60);
    assert_eq!(shop.products.confirm(&id("CART"), shop.now), Err(ConfirmError::HoldExpired(expired("CART"))));
    assert_eq!(shop.status("CART"), OrderStatus::Expired);
}

#[test]
fn a_clock_that_is_behind_does_not_confirm_an_order_whose_units_were_reallocated() {
    let mut shop = shop_with_a_cart();
    let before_the_end = shop.now + TimeDelta::seconds(59);
    shop.pass(60);
    shop.place(&order("O-2").of(1, "CHAIR"));
    assert_eq!(shop.products.confirm(&id("CART"), before_the_end), Err(ConfirmError::HoldExpired(expired("CART"))));
}

#[test]
fn a_clock_that_is_ahead_does_not_expire_a_confirmed_order() {
    let mut shop = shop_with_a_cart();
    shop.products.confirm(&id("CART"), shop.now).unwrap();
    shop.pass(60);
    let now = shop.now;
    assert_eq!(shop.chairs().release_expired(now), Ok(Vec::new()));
    assert_eq!(shop.holds("CART"), parts([("B-1", 10)]));
}

#[test]
fn one_expired_line_expires_the_order_so_it_is_never_half_confirmed() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("C-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 5, Eta::InStock);
    shop.place(&order("CART").of(5, "CHAIR").of(5, "LAMP").held_for(60));
    let before_the_end = shop.now + TimeDelta::seconds(59);
    shop.pass(60);
    shop.place(&order("O-2").of(5, "LAMP"));
    assert_eq!(shop.products.confirm(&id("CART"), before_the_end), Err(ConfirmError::HoldExpired(expired("CART"))));
    assert_eq!(shop.products.order(&id("CART")).unwrap().status(before_the_end), OrderStatus::Expired);
    assert!(
        matches!(shop.line("CART").commitment, ReservationState::Held { .. }),
        "the chairs are held until the next decision"
    );
}

#[test]
fn a_hold_is_extended_from_now_and_never_shortened() {
    let mut shop = shop_with_a_cart();
    let placed = shop.now;
    shop.pass(30);
    let order = shop.products.extend(&id("CART"), seconds(10), shop.now).unwrap();
    assert_eq!(order.expires_at(), Some(placed + TimeDelta::seconds(60)));
    let order = shop.products.extend(&id("CART"), seconds(100), shop.now).unwrap();
    assert_eq!(order.expires_at(), Some(placed + TimeDelta::seconds(130)));
    assert_eq!(shop.history("CART"), ["line_placed", "allocated", "hold_extended"]);
}

/// woocommerce#28236, #24491: a hold of three days.
#[test]
fn however_often_a_hold_is_extended_it_ends_30_days_after_its_order_was_placed() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    let day = 86_400;
    shop.place(&order("CART").of(1, "CHAIR").held_for(3 * day));
    let placed = shop.now;
    for days in 2..=29 {
        shop.now = placed + TimeDelta::days(days);
        let longer = if days < 29 { 2 * day } else { day };
        shop.products.extend(&id("CART"), seconds(longer), shop.now).unwrap();
    }
    let latest = placed + TimeDelta::days(30);
    let too_long = HoldTooLong { order_id: id("CART"), latest };
    let refused = shop.products.extend(&id("CART"), seconds(day + 1), shop.now);
    assert_eq!(refused, Err(ExtendError::TooLong(too_long.clone())));
    let later = TermsChange { hold: Some(seconds(day + 1)), ..TermsChange::default() };
    assert_eq!(shop.set_terms("CART", later), Err(ChangeOrderError::TooLong(too_long)));
    shop.pass(3_600);
    let shorter = shop.products.extend(&id("CART"), seconds(60), shop.now).unwrap();
    assert_eq!(shorter.expires_at(), Some(latest), "what is no extension is no error");
    shop.now = latest;
    assert_eq!(
        shop.products.extend(&id("CART"), seconds(60), shop.now),
        Err(ExtendError::HoldExpired(expired("CART")))
    );
}

#[test]
fn only_an_order_on_hold_is_extended() {
    let mut shop = shop_with_a_cart();
    let unknown = shop.products.extend(&id("NONE"), seconds(60), shop.now);
    assert_eq!(unknown, Err(ExtendError::NotFound(id("NONE"))));
    shop.products.confirm(&id("CART"), shop.now).unwrap();
    let firm = shop.products.extend(&id("CART"), seconds(60), shop.now);
    assert_eq!(firm, Err(ExtendError::NotHeld(id("CART"))));
}

#[test]
fn an_expired_order_is_not_extended() {
    let mut shop = shop_with_a_cart();
    shop.pass(60);
    let late = shop.products.extend(&id("CART"), seconds(60), shop.now);
    assert_eq!(late, Err(ExtendError::HoldExpired(expired("CART"))));
}

#[test]
fn an_expired_order_is_not_cancelled() {
    let mut shop = shop_with_a_cart();
    shop.pass(60);
    shop.cancel("CART");
    assert_eq!((shop.status("CART"), shop.free_chairs()), (OrderStatus::Expired, 10));
    assert_eq!(shop.history("CART").last(), Some(&"hold_expired"));
}

#[test]
fn an_expired_line_that_is_sent_again_stays_expired() {
    let mut shop = shop_with_a_cart();
    shop.pass(60);
    let now = shop.now;
    let again = shop.chairs().allocate(&id("CART"), units(10), now);
    assert_eq!(again, Err(Pending::Refused(AllocateError::HoldExpired(expired("CART")))));
}

#[test]
fn expired_units_serve_waiting_lines_before_a_newcomer() {
    let mut shop = shop_with_a_cart();
    shop.place(&order("WAITS").of(7, "CHAIR").or_backorder());
    shop.pass(60);
    let newcomer = shop.place(&order("NEW").of(7, "CHAIR").or_backorder());
    assert_eq!(shop.holds("WAITS"), parts([("B-1", 7)]));
    assert_eq!((newcomer.lines[0].1.allocated(), newcomer.lines[0].1.waiting), (3, 4));
}

#[test]
fn a_held_order_waits_no_longer_than_its_hold() {
    let mut shop = Shop::of_chairs(&[]);
    shop.place(&order("CART").of(5, "CHAIR").or_backorder().held_for(60));
    assert_eq!(shop.status("CART"), OrderStatus::Backordered);
    shop.pass(60);
    assert_eq!(shop.status("CART"), OrderStatus::Expired);
    shop.receive("B-1", "CHAIR", 5, Eta::InStock);
    assert_eq!(shop.free_chairs(), 5);
    assert_eq!((shop.waits_for("CART"), shop.holds("CART")), (0, parts([])));
}

#[test]
fn units_that_a_held_order_waited_for_expire_with_its_hold() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("CART").of(5, "CHAIR").or_backorder().held_for(60));
    shop.receive("B-2", "CHAIR", 2, Eta::InStock);
    assert_eq!(shop.status("CART"), OrderStatus::Held);
    shop.pass(60);
    let now = shop.now;
    assert_eq!(shop.chairs().release_expired(now), Ok(vec![id("CART")]));
    assert_eq!(shop.free_chairs(), 5);
}

#[test]
fn a_confirmed_order_keeps_waiting_for_its_backorder() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("CART").of(5, "CHAIR").or_backorder().held_for(60));
    shop.products.confirm(&id("CART"), shop.now).unwrap();
    shop.pass(1_000);
    shop.receive("B-2", "CHAIR", 2, Eta::InStock);
    assert_eq!(shop.status("CART"), OrderStatus::Allocated);
}

#[test]
fn a_batch_is_removed_once_all_its_holds_have_expired() {
    let mut shop = shop_with_a_cart();
    shop.pass(60);
    let now = shop.now;
    assert_eq!(shop.chairs().remove_batch(&batch("B-1"), now), Ok(()));
}

#[test]
fn expired_units_cannot_be_released_again() {
    let mut shop = shop_with_a_cart();
    shop.pass(60);
    let now = shop.now;
    let again = shop.chairs().deallocate(&id("CART"), &batch("B-1"), now);
    assert!(matches!(again, Err(Pending::Refused(DeallocateError::AllocationNotFound { .. }))));
}

#[test]
fn a_decision_leaves_nothing_for_the_sweeper() {
    let mut shop = shop_with_a_cart();
    shop.pass(60);
    let now = shop.now;
    assert_eq!(shop.chairs().release_expired(now), Ok(vec![id("CART")]));
    assert_eq!(shop.chairs().release_expired(now), Ok(Vec::new()));
}

#[test]
fn an_expiry_is_saved_with_the_decision_that_released_it() {
    let mut shop = shop_with_a_cart();
    shop.pass(60);
    let now = shop.now;
    let chairs = shop.chairs();
    let mut stored = Product::restore(ProductState {
        open_batches: Vec::new(),
        named_batches: chairs.batches().to_vec(),
        lines: chairs.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect(),
        ..ProductState::new(chairs.sku().clone(), 1)
    });
    stored.allocate(&id("O-2"), units(10), now).unwrap();
    let changes = stored.changes();
    let cart = changes.lines.iter().find(|line| *line.order_id == id("CART")).unwrap();
    assert_eq!(cart.after.unwrap().commitment, ReservationState::Expired);
    assert!(changes.batch_deltas.is_empty(), "the batch holds as much as before, for another");
    assert_eq!((changes.totals.held, changes.totals.allocated), (-10, 0));
}
