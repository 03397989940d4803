use super::*;
use crate::testing::{
    Shop, cause, committed, conflict, ending, now, product, rolled_back, saves, sku, use_cases, use_cases_with,
};
use allocation_domain::{Product, ProductState, Promises, Totals};
use allocation_ports::mocks::{MockProductRepository, MockQueries, MockUnitOfWork};

type Unit = Result<MockUnitOfWork, StoreError>;

/// Locks the product, created if necessary.
fn locks(found: fn() -> Product) -> impl FnOnce(&mut MockProductRepository) {
    move |products| {
        products
            .expect_lock()
            .withf(|wanted| wanted.len() == 1 && wanted[0].create && wanted[0].sku == sku("LAMP"))
            .returning(move |_| Ok(vec![found()]));
    }
}

/// Returns a product that the lock has created.
fn made() -> Product {
    Product::restore(ProductState::new(sku("LAMP"), 1))
}

/// Returns a product that another unit of work has created.
fn known() -> Product {
    product("LAMP", Vec::new())
}

fn saved(products: &mut MockProductRepository) {
    locks(made)(products);
    saves(products, &["product_registered"]);
}

fn register(units: Vec<Unit>) -> Result<Outcome<ProductTotals>, StoreError> {
    let mut queries = MockQueries::new();
    queries.expect_product().times(0..=1).returning(|sku, at| {
        assert_eq!(at, now());
        Ok(Some(ProductTotals { sku: sku.clone(), promises: Promises::Fair, totals: Totals::default() }))
    });
    use_cases_with(queries, units).register_product(&sku("LAMP"), None)
}

fn nothing() -> ProductTotals {
    ProductTotals { sku: sku("LAMP"), promises: Promises::Fair, totals: Totals::default() }
}

#[test]
fn a_product_is_stored_once_with_its_event() {
    let shop = Shop::with(&[]);
    let register = || shop.use_cases.register_product(&sku("LAMP"), None).unwrap();
    assert_eq!(register(), Outcome::Changed(nothing()));
    assert_eq!(register(), Outcome::Unchanged(nothing()));
    assert_eq!(shop.new_events(), ["product_registered"]);
}

#[test]
fn a_dry_run_returns_the_product_and_stores_nothing() {
    let shop = Shop::with(&[("SOFA", "B-1", 1)]);
    shop.new_events();
    let register = |name| shop.use_cases.clone().as_dry_run(true).register_product(&sku(name), None).unwrap();
    assert_eq!((register("LAMP"), register("LAMP")), (Outcome::Changed(nothing()), Outcome::Changed(nothing())));
    assert!(matches!(register("SOFA"), Outcome::Unchanged(_)));
    assert!(shop.new_events().is_empty());
}

#[test]
fn promises_are_set_with_the_registration_or_later() {
    let shop = Shop::with(&[("SOFA", "B-1", 1)]);
    shop.new_events();
    let set = |name, promises| shop.use_cases.register_product(&sku(name), Some(promises)).unwrap();
    let is = |outcome: &Outcome<ProductTotals>| match outcome {
        Outcome::Changed(product) | Outcome::Unchanged(product) => product.promises,
    };
    let sofa = set("SOFA", Promises::Stable);
    assert!(matches!(sofa, Outcome::Unchanged(_)), "it was registered before");
    assert_eq!((is(&sofa), shop.new_events()), (Promises::Stable, vec!["product_changed".to_owned()]));
    assert_eq!(is(&set("SOFA", Promises::Stable)), Promises::Stable);
    assert!(shop.new_events().is_empty());
    let lamp = set("LAMP", Promises::Stable);
    assert!(matches!(lamp, Outcome::Changed(_)));
    assert_eq!(
        (is(&lamp), shop.new_events()),
        (Promises::Stable, vec!["product_registered".to_owned(), "product_changed".to_owned()])
    );
    let dry = shop.use_cases.clone().as_dry_run(true).register_product(&sku("LAMP"), Some(Promises::Fair)).unwrap();
    assert_eq!((is(&dry), shop.new_events().len()), (Promises::Fair, 0));
}

#[test]
fn after_a_conflict_the_next_run_succeeds() {
    let outcome = register(vec![ending(Err(conflict()), saved), committed(saved)]).unwrap();
    assert_eq!(outcome, Outcome::Changed(nothing()));
}

#[test]
fn a_product_registered_by_a_commit_of_unknown_outcome_is_reported_as_registered() {
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), saved);
    let outcome = register(vec![lost, rolled_back(locks(known))]).unwrap();
    assert_eq!(outcome, Outcome::Changed(nothing()));
}

#[test]
fn a_store_that_stays_busy_or_fails_is_an_error() {
    let error = register((0..3).map(|_| ending(Err(conflict()), saved)).collect()).unwrap_err();
    assert!(matches!(error, StoreError::Busy(_) | StoreError::Conflict(_)), "{error}");
    let fails = ending(Err(StoreError::Failed(cause("check violated"))), saved);
    assert!(matches!(register(vec![fails]), Err(StoreError::Failed(_))));
}

#[test]
fn a_read_that_fails_after_the_commit_never_says_that_nothing_was_changed() {
    let busy = |units| {
        let mut queries = MockQueries::new();
        queries.expect_product().returning(|_, _| Err(StoreError::Busy(cause("all connections are in use"))));
        use_cases_with(queries, units).register_product(&sku("LAMP"), None).unwrap_err()
    };
    let registered = busy(vec![committed(saved)]);
    assert!(matches!(registered, StoreError::OutcomeUnknown(_)), "{registered:?}");
    let unchanged = busy(vec![rolled_back(locks(known))]);
    assert!(matches!(unchanged, StoreError::Busy(_)), "{unchanged:?}");
}

#[test]
fn a_store_that_does_not_create_the_product_fails() {
    let unit = rolled_back(|products| {
        products.expect_lock().returning(|_| Ok(Vec::new()));
    });
    let outcome = use_cases(vec![unit]).register_product(&sku("LAMP"), None);
    assert!(matches!(outcome, Err(StoreError::Failed(_))), "{outcome:?}");
}
