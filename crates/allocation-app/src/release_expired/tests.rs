use super::*;
use crate::testing::{Shop, conflict, ending, product, product_with_line, reference, rolled_back, sku, use_cases};
use allocation_domain::{BatchChange, ReservationState, Units};
use allocation_ports::mocks::MockProductRepository;
use allocation_ports::{Actor, BrokerUser, LockWait, UnitOfWorkFactory};
use chrono::TimeDelta;

/// Creates a shop in which every SKU has a hold of its own, which expire one after the other.
fn shop(skus: &[&str]) -> Shop {
    let shop = Shop::with(&[]);
    for (name, seconds) in skus.iter().zip(60..) {
        shop.add(name, name, 9);
        shop.place_held(name, &[(name, 3)], seconds);
    }
    shop.advance(TimeDelta::hours(1));
    shop.new_events();
    shop
}

#[test]
fn expired_holds_are_released_in_the_order_of_the_locks() {
    let shop = shop(&["SOFA", "LAMP"]);
    assert_eq!(shop.use_cases.release_expired_holds(|| true).unwrap(), 2);
    assert_eq!(
        shop.new_events_with_subjects(),
        ["deallocated orders/LAMP", "hold_expired orders/LAMP", "deallocated orders/SOFA", "hold_expired orders/SOFA"]
    );
    assert_eq!(shop.use_cases.release_expired_holds(|| true).unwrap(), 0);
}

#[test]
fn what_expires_by_itself_is_the_work_of_the_service_although_a_command_finds_it() {
    let shop = shop(&["LAMP", "SOFA"]);
    let customer =
        EventContext { actor: Actor::BrokerUser(BrokerUser::parse("erp").unwrap()), ..EventContext::default() };
    let use_cases = shop.use_cases.clone().with_context(customer);
    use_cases
        .change_batch(
            &reference("LAMP"),
            &BatchChange { purchased: Some(Units::new(5).unwrap()), ..BatchChange::default() },
        )
        .unwrap();
    assert_eq!(shop.use_cases.release_expired_holds(|| true).unwrap(), 1);
    assert_eq!(
        shop.new_events_with_actors(),
        [
            "deallocated by system",
            "hold_expired by system",
            "batch_changed by broker:erp",
            "deallocated by system",
            "hold_expired by system"
        ]
    );
}

/// Finds an expired hold of a lamp, whose product no other unit has locked.
fn expired(products: &mut MockProductRepository) {
    products.expect_locked_by_others().returning(|_| Ok(Vec::new()));
    products.expect_with_expired_holds().times(1).return_once(|_, _| Ok(vec![sku("LAMP")]));
}

#[test]
fn holds_released_concurrently_are_skipped() {
    let unit = rolled_back(|products| {
        expired(products);
        products.expect_lock().returning(|_| Ok(vec![product("LAMP", Vec::new())]));
    });
    assert_eq!(use_cases(vec![unit]).release_expired_holds(|| true).unwrap(), 0);
}

/// The names of one more product than a unit of work locks.
const MANY: [&str; MAX_PRODUCTS + 1] = ["A", "B", "C", "D", "E", "F", "G", "H", "I"];

#[test]
fn the_release_continues_while_more_may_have_expired() {
    let shop = shop(&MANY);
    assert_eq!(shop.use_cases.release_expired_holds(|| true).unwrap(), MANY.len());
}

#[test]
fn a_stop_ends_the_release() {
    let (shop, mut units) = (shop(&MANY), 0);
    let released = shop.use_cases.release_expired_holds(|| {
        units += 1;
        units == 1
    });
    assert_eq!(released.unwrap(), MAX_PRODUCTS);
}

#[test]
fn a_locked_product_is_left_for_the_next_sweep() {
    let collides = ending(Err(conflict()), |products| {
        expired(products);
        let held = ReservationState::Held { expires_at: crate::testing::now() };
        products.expect_lock().returning(move |_| Ok(vec![product_with_line("LAMP", 9, 3, held)]));
        products.expect_save().returning(|_, _| Ok(()));
    });
    assert!(matches!(use_cases(vec![collides]).release_expired_holds(|| true), Err(StoreError::Busy(_))));
}

#[test]
fn products_locked_by_others_do_not_hide_the_rest() {
    let shop = shop(&MANY);
    let mut other = shop.store.begin(LockWait::Usual).unwrap();
    let locked = MANY[..MAX_PRODUCTS].iter().map(|name| LockRequest::product(sku(name)));
    lock(&mut *other, &locked.collect::<Vec<_>>()).unwrap();
    assert_eq!(shop.use_cases.release_expired_holds(|| true).unwrap(), 1);
    drop(other);
    assert_eq!(shop.use_cases.release_expired_holds(|| true).unwrap(), MAX_PRODUCTS);
}
