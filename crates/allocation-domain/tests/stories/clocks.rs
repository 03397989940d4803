//! Clocks that are set back, and products last decided on by a clock that was ahead.

use crate::shop::{Shop, id, order, parts, sku};
use allocation_domain::{Eta, HoldDuration, LockTime, OrderStatus, Product, ReservationState};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Locks a product as a store does: at `now`, but later than ever before.
fn lock(shop: &mut Shop, sku_text: &str) -> DateTime<Utc> {
    let now = shop.now;
    let last = shop.product(sku_text).lock_time().map(|lock| lock.decided_at);
    let decided_at = last.map_or(now, |last| now.max(last + TimeDelta::microseconds(1)));
    relock(shop, sku_text, decided_at);
    decided_at
}

fn relock(shop: &mut Shop, sku_text: &str, decided_at: DateTime<Utc>) {
    let locked = shop.product(sku_text).clone().locked_at(LockTime { now: shop.now, decided_at });
    shop.products.insert(locked);
}

#[test]
fn lines_keep_their_order_of_arrival_when_the_clock_is_set_back() {
    let mut shop = Shop::of_chairs(&[]);
    for name in ["Z-FIRST", "Y-SECOND", "X-THIRD"] {
        lock(&mut shop, "CHAIR");
        shop.products.place(&order(name).of(1, "CHAIR").or_backorder().made(), shop.now).unwrap();
        shop.pass(-3_600);
    }
    let queue: Vec<_> = shop.chairs().waiting().map(|position| position.order_id().to_string()).collect();
    assert_eq!(queue, ["Z-FIRST", "Y-SECOND", "X-THIRD"]);
}

#[test]
fn a_hold_is_measured_by_the_clock_and_not_by_the_recorded_instant() {
    let mut shop = Shop::of_chairs(&[("B-1", 9, Eta::InStock)]);
    let ahead = shop.now + TimeDelta::hours(1);
    relock(&mut shop, "CHAIR", ahead);
    let placed = shop.products.place(&order("CART").of(2, "CHAIR").held_for(10).made(), shop.now).unwrap();
    assert_eq!(placed.expires_at(), Some(shop.now + TimeDelta::seconds(10)));
    assert_eq!(placed.lines[0].1.terms.placed_at, ahead);
    shop.pass(9);
    assert!(lock(&mut shop, "CHAIR") > ahead);
    let now = shop.now;
    assert_eq!(shop.chairs().release_expired(now), Ok(Vec::new()));
    assert_eq!(shop.status("CART"), OrderStatus::Held);
    shop.pass(1);
    lock(&mut shop, "CHAIR");
    let now = shop.now;
    assert_eq!(shop.chairs().release_expired(now), Ok(vec![id("CART")]));
}

#[test]
fn an_order_over_several_products_expires_at_one_instant_and_is_extended_from_now() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("B-1", "CHAIR", 5, Eta::InStock);
    shop.receive("B-2", "LAMP", 5, Eta::InStock);
    let ahead = shop.now + TimeDelta::days(3_650);
    relock(&mut shop, "LAMP", ahead);
    lock(&mut shop, "CHAIR");
    let placed =
        shop.products.place(&order("CART").of(1, "CHAIR").of(1, "LAMP").held_for(10).made(), shop.now).unwrap();
    let until = shop.now + TimeDelta::seconds(10);
    assert!(placed.lines.iter().all(|(_, line)| line.commitment == ReservationState::Held { expires_at: until }));
    let placed_at: Vec<_> = placed.lines.iter().map(|(_, line)| line.terms.placed_at).collect();
    assert_eq!(placed_at, [shop.now, ahead], "each product keeps its own instant");
    shop.pass(5);
    let extended = shop.products.extend(&id("CART"), HoldDuration::from_seconds(20).unwrap(), shop.now).unwrap();
    assert_eq!(extended.expires_at(), Some(shop.now + TimeDelta::seconds(20)));
}

#[test]
fn no_event_records_an_expiry_before_its_time() {
    let mut shop = Shop::of_chairs(&[("B-1", 9, Eta::InStock)]);
    lock(&mut shop, "CHAIR");
    shop.products.place(&order("CART").of(2, "CHAIR").held_for(10).made(), shop.now).unwrap();
    shop.pass(10);
    // This product was locked just before the hold expired, the last one of the unit just after.
    let before = shop.now - TimeDelta::microseconds(1);
    relock(&mut shop, "CHAIR", before);
    let now = shop.now;
    assert_eq!(shop.chairs().release_expired(now), Ok(Vec::new()));
    assert_eq!(shop.holds("CART"), parts([("B-1", 2)]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the clock does, recorded instants increase, and a hold lasts as long as requested.
    #[test]
    fn instants_of_a_product_are_in_order_and_holds_last_by_the_clock(
        steps in prop::collection::vec((-100_000_i64..100_000, 10_u32..1_000), 1..20),
    ) {
        let mut shop = Shop::of_chairs(&[("B-1", 1_000, Eta::InStock)]);
        let (mut recorded, mut placed_at) = (BTreeSet::new(), Vec::new());
        for (number, (seconds, hold)) in steps.into_iter().enumerate() {
            shop.pass(seconds);
            let decided_at = lock(&mut shop, "CHAIR");
            prop_assert!(recorded.last().is_none_or(|last| *last < decided_at));
            recorded.insert(decided_at);
            let name = format!("CART-{}", 99 - number);
            let placed = shop.products.place(&order(&name).of(1, "CHAIR").held_for(hold).made(), shop.now).unwrap();
            placed_at.push(placed.lines[0].1.terms.placed_at);
            let expires_at = placed.expires_at().unwrap();
            prop_assert_eq!(expires_at, shop.now + TimeDelta::seconds(i64::from(hold)));
            // Until then no other line gets the unit; from then on, any line does.
            let at = |time: DateTime<Utc>| {
                let locked = LockTime { now: time, decided_at: decided_at.max(time) + TimeDelta::microseconds(1) };
                let mut product: Product = shop.products.get(&sku("CHAIR")).unwrap().clone().locked_at(locked);
                product.release_expired(time).unwrap();
                product.line(&id(&name)).unwrap().allocated()
            };
            prop_assert_eq!(at(expires_at - TimeDelta::microseconds(1)), 1);
            prop_assert_eq!(at(expires_at), 0);
        }
        prop_assert!(placed_at.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
