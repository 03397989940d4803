use super::*;
use crate::testing::{
    committed, conflict, ending, now, product, product_with_line, rolled_back, saves, sku, use_cases,
};
use allocation_domain::{Product, ReservationState, Sku};
use allocation_ports::mocks::MockProductRepository;

/// Finds expired holds of these SKUs, whose products no other unit has locked.
fn expired(products: &mut MockProductRepository, skus: Vec<Sku>) {
    products.expect_locked_by_others().returning(|_| Ok(Vec::new()));
    found(products, skus);
}

fn found(products: &mut MockProductRepository, skus: Vec<Sku>) {
    products
        .expect_with_expired_holds()
        .times(1)
        .withf(|at, most| *at == now() && *most == SEARCH_LIMIT)
        .return_once(|_, _| Ok(skus));
}

fn with_expired_hold(name: &str) -> Product {
    product_with_line(name, 9, 3, ReservationState::Held { expires_at: now() })
}

#[test]
fn expired_holds_are_released_in_the_order_of_the_locks() {
    let unit = committed(|products| {
        expired(products, vec![sku("SOFA"), sku("LAMP")]);
        products
            .expect_lock()
            .times(1)
            .withf(|wanted| wanted.iter().map(|wanted| wanted.sku.as_str()).eq(["LAMP", "SOFA"]))
            .returning(|_| Ok(vec![with_expired_hold("LAMP"), with_expired_hold("SOFA")]));
        saves(products, &["deallocated", "hold_expired", "deallocated", "hold_expired"]);
    });
    let last = rolled_back(|products| expired(products, Vec::new()));
    assert_eq!(use_cases(vec![unit, last]).release_expired_holds(|| true).unwrap(), 2);
}

#[test]
fn nothing_is_locked_without_an_expired_hold() {
    let unit = rolled_back(|products| expired(products, Vec::new()));
    assert_eq!(use_cases(vec![unit]).release_expired_holds(|| true).unwrap(), 0);
}

#[test]
fn holds_released_concurrently_are_skipped() {
    let unit = rolled_back(|products| {
        expired(products, vec![sku("LAMP")]);
        products.expect_lock().returning(|_| Ok(vec![product("LAMP", Vec::new())]));
    });
    assert_eq!(use_cases(vec![unit]).release_expired_holds(|| true).unwrap(), 0);
}

#[test]
fn the_release_continues_while_more_may_have_expired() {
    let names: Vec<String> = (0..MAX_PRODUCTS).map(|number| format!("SKU-{number}")).collect();
    let full = committed(|products| {
        let skus = names.iter().map(|name| sku(name)).collect();
        expired(products, skus);
        products
            .expect_lock()
            .returning(|wanted| Ok(wanted.iter().map(|wanted| with_expired_hold(wanted.sku.as_str())).collect()));
        products.expect_save().times(1).returning(|_, _| Ok(()));
    });
    let last = rolled_back(|products| expired(products, Vec::new()));
    assert_eq!(use_cases(vec![full, last]).release_expired_holds(|| true).unwrap(), MAX_PRODUCTS);
}

#[test]
fn a_stop_ends_the_release() {
    assert_eq!(use_cases(Vec::new()).release_expired_holds(|| false).unwrap(), 0);
}

#[test]
fn a_locked_product_is_left_for_the_next_sweep() {
    let collides = ending(Err(conflict()), |products| {
        expired(products, vec![sku("LAMP")]);
        products.expect_lock().returning(|_| Ok(vec![with_expired_hold("LAMP")]));
        products.expect_save().returning(|_, _| Ok(()));
    });
    assert!(matches!(use_cases(vec![collides]).release_expired_holds(|| true), Err(StoreError::Busy(_))));
}

#[test]
fn products_locked_by_others_do_not_hide_the_rest() {
    let names: Vec<Sku> = (0..=MAX_PRODUCTS).map(|number| sku(&format!("SKU-{number}"))).collect();
    let locked = names[..MAX_PRODUCTS].to_vec();
    let unit = committed(|products| {
        products.expect_locked_by_others().times(2).returning(move |skus| {
            assert!(skus.len() <= MAX_PRODUCTS, "no more are locked than are released");
            Ok(skus.iter().filter(|sku| locked.contains(sku)).cloned().collect())
        });
        found(products, names);
        products
            .expect_lock()
            .times(1)
            .withf(|wanted| wanted.iter().map(|wanted| wanted.sku.as_str()).eq(["SKU-8"]))
            .returning(|_| Ok(vec![with_expired_hold("SKU-8")]));
        products.expect_save().times(1).returning(|_, _| Ok(()));
    });
    let all_locked = rolled_back(|products| {
        products.expect_locked_by_others().times(1).returning(|skus| Ok(skus.to_vec()));
        found(products, vec![sku("LAMP")]);
    });
    assert_eq!(use_cases(vec![unit, all_locked]).release_expired_holds(|| true).unwrap(), 1);
}
