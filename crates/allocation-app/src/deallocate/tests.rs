use super::*;
use crate::testing::{
    Shop, batch, cause, committed, conflict, ending, now, order, product, reference, rolled_back, saves, sku, units,
    use_cases,
};
use allocation_domain::{Event, LineState, Product, ProductState};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockProductRepository;

/// Returns a locked product in which order O-1 holds 4 units of batch B-1.
fn with_allocation() -> Product {
    let mut before = product("LAMP", vec![batch("B-1", "LAMP", 20)]);
    before.allocate(&order("O-1"), units(4), now()).unwrap();
    Product::restore(ProductState {
        more_open_batches: true,
        named_batches: before.batches().to_vec(),
        lines: before.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect(),
        ..crate::testing::locked_state("LAMP", 8)
    })
}

fn locked(product: Product) -> impl FnOnce(&mut MockProductRepository) {
    |products| {
        products.expect_sku_of().returning(|_| Ok(Some(sku("LAMP"))));
        products
            .expect_lock()
            .withf(|wanted| wanted[0].batches == [reference("B-1")] && wanted[0].order_ids == [order("O-1")])
            .return_once(|_| Ok(vec![product]));
    }
}

fn freed(products: &mut MockProductRepository) {
    locked(with_allocation())(products);
    products
        .expect_save()
        .times(1)
        .withf(|products, _| {
            let changes = products[0].changes();
            matches!(changes.events, [Event::Deallocated { .. }])
                && changes.batch_deltas == [(&reference("B-1"), -4)]
                && changes.lines.len() == 1
        })
        .returning(|_, _| Ok(()));
}

fn nothing_held(products: &mut MockProductRepository) {
    locked(product("LAMP", vec![batch("B-1", "LAMP", 20)]))(products);
}

#[test]
fn the_units_are_released_with_an_event() {
    let shop = Shop::with(&[("LAMP", "B-1", 20)]);
    shop.allocate("O-1", "LAMP", 4);
    shop.use_cases.deallocate(&order("O-1"), &reference("B-1")).unwrap();
    assert_eq!((shop.batch("B-1").unwrap().allocated(), shop.lines("O-1")), (0, Vec::new()));
    assert_eq!(shop.new_events(), ["batch_added", "allocated", "deallocated"]);
}

#[test]
fn an_unknown_batch_is_an_error() {
    let error = Shop::with(&[]).use_cases.deallocate(&order("O-1"), &reference("B-1")).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(DeallocateError::BatchNotFound(_))));
}

#[test]
fn an_order_without_units_in_the_batch_is_an_error() {
    let shop = Shop::with(&[("LAMP", "B-1", 20)]);
    let error = shop.use_cases.deallocate(&order("O-1"), &reference("B-1")).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(DeallocateError::AllocationNotFound { .. })));
}

#[test]
fn after_two_conflicts_the_third_run_releases_the_units() {
    let collides = || ending(Err(conflict()), freed);
    use_cases(vec![collides(), collides(), committed(freed)]).deallocate(&order("O-1"), &reference("B-1")).unwrap();
}

#[test]
fn units_released_by_a_commit_of_unknown_outcome_are_reported_as_released() {
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), freed);
    use_cases(vec![lost, rolled_back(nothing_held)]).deallocate(&order("O-1"), &reference("B-1")).unwrap();
}

#[test]
fn a_store_that_stays_busy_is_an_error() {
    let busy = || Err(StoreError::Busy(cause("database is locked")));
    let error = use_cases(vec![busy(), busy(), busy()]).deallocate(&order("O-1"), &reference("B-1")).unwrap_err();
    assert!(matches!(error, UseCaseError::Store(StoreError::Busy(_))));
}

#[test]
fn waiting_lines_are_served_in_the_same_unit_of_work() {
    let shop = Shop::with(&[("LAMP", "B-1", 4)]);
    shop.allocate("O-1", "LAMP", 4);
    shop.place_waiting("O-2", &[("LAMP", 3)]);
    shop.new_events();
    shop.use_cases.deallocate(&order("O-1"), &reference("B-1")).unwrap();
    assert_eq!(shop.batch("B-1").unwrap().allocated(), 3);
    assert_eq!(shop.new_events(), ["deallocated", "allocated", "back_in_stock"]);
}

/// Expired holds take more than one unit of work to release: each unit commits before the decision.
#[test]
fn expired_holds_are_released_in_units_of_work_before_the_decision() {
    let behind = |more_expired| {
        let product = crate::testing::product_with_line("LAMP", 9, 3, allocation_domain::ReservationState::Firm);
        let mut lines: Vec<_> = product.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect();
        let mut cart = LineState::standalone(units(1), now());
        cart.commitment = allocation_domain::ReservationState::Held { expires_at: now() };
        lines.push((order(if more_expired { "C-1" } else { "C-2" }), cart));
        Product::restore(ProductState {
            named_batches: product.batches().to_vec(),
            lines,
            more_expired,
            ..crate::testing::locked_state(product.sku().as_str(), 7)
        })
    };
    let unit = |more_expired, events: &'static [&'static str]| {
        committed(move |products| {
            products.expect_sku_of().returning(|_| Ok(Some(sku("LAMP"))));
            products.expect_lock().returning(move |_| Ok(vec![behind(more_expired)]));
            saves(products, events);
        })
    };
    let units = vec![unit(true, &["hold_expired"]), unit(false, &["hold_expired", "deallocated"])];
    use_cases(units).deallocate(&order("O-1"), &reference("B-LAMP")).unwrap();
}
