use super::*;
use crate::testing::{
    committed, conflict, locks, now, order, order_in, product_with_line, rolled_back, saves, sku, units, use_cases,
    with_orders,
};
use allocation_domain::{DataRequest, Event, LineState, OnShortage, Product, ProductState, ReservationState, Sku};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockUnitOfWork;
use chrono::TimeDelta;

fn cancel_with(
    unit: Result<MockUnitOfWork, StoreError>,
    skus: &'static [&'static str],
) -> Result<(), UseCaseError<CancelError>> {
    use_cases(vec![order_in(unit, skus)]).cancel_order(&order("O-1"))
}

#[test]
fn a_cancelled_order_releases_all_its_units() {
    let unit = committed(|products| {
        let lamp = product_with_line("LAMP", 9, 3, ReservationState::Firm);
        let sofa =
            product_with_line("SOFA", 2, 2, ReservationState::Held { expires_at: now() + TimeDelta::seconds(1) });
        locks(products, vec![lamp, sofa]);
        saves(products, &["deallocated", "line_cancelled", "deallocated", "line_cancelled"]);
    });
    cancel_with(unit, &["LAMP", "SOFA"]).unwrap();
}

#[test]
fn waiting_lines_are_served_in_the_same_unit_of_work() {
    let unit = committed(|products| {
        let before = product_with_line("LAMP", 3, 3, ReservationState::Firm);
        let state = ProductState {
            named_batches: before.batches().to_vec(),
            lines: before.lines().map(|(id, line)| (id.clone(), line.clone())).collect(),
            more_waiting: true,
            ..crate::testing::locked_state(before.sku().as_str(), 7)
        };
        locks(products, vec![Product::restore(state)]);
        products.expect_load().times(1).returning(|product, needed| {
            let DataRequest::WaitingLines { after: None, free, .. } = needed else { panic!("{needed}") };
            let mut line = LineState::standalone(units(2), now());
            line.terms.on_shortage = OnShortage::Backorder;
            line.waiting = 2;
            product.load_waiting(None, *free, [(order("O-2"), line)], false);
            Ok(())
        });
        let served = |event: &Event| matches!(event, Event::Allocated { order_id, .. } if *order_id == order("O-2"));
        products
            .expect_save()
            .times(1)
            .withf(move |products, _| products[0].events().iter().any(served))
            .returning(|_, _| Ok(()));
    });
    cancel_with(unit, &["LAMP"]).unwrap();
}

#[test]
fn a_line_added_while_waiting_for_the_locks_is_cancelled_too() {
    let firm = |name| product_with_line(name, 9, 3, ReservationState::Firm);
    let with_skus = |unit, skus: &'static [&'static str], answer: fn() -> Result<(), StoreError>| {
        with_orders(unit, |orders| {
            orders.expect_skus_of().times(1).returning(|_| Ok(skus.iter().map(|name| sku(name)).collect()));
            orders
                .expect_lock_lines()
                .times(1)
                .withf(|_, locked| locked.iter().map(Sku::as_str).eq(skus.iter().copied()))
                .returning(move |_, _| answer());
        })
    };
    let before = with_skus(rolled_back(|products| locks(products, vec![firm("LAMP")])), &["LAMP"], || Err(conflict()));
    let after = committed(|products| {
        locks(products, vec![firm("LAMP"), firm("SOFA")]);
        saves(products, &["deallocated", "line_cancelled", "deallocated", "line_cancelled"]);
    });
    let units = vec![before, with_skus(after, &["LAMP", "SOFA"], || Ok(()))];
    use_cases(units).cancel_order(&order("O-1")).unwrap();
}

#[test]
fn a_cancelled_order_stays_cancelled() {
    let unit =
        rolled_back(|products| locks(products, vec![product_with_line("LAMP", 9, 3, ReservationState::Cancelled)]));
    cancel_with(unit, &["LAMP"]).unwrap();
}

#[test]
fn an_unknown_order_is_an_error() {
    let refusal = cancel_with(rolled_back(|_| {}), &[]).unwrap_err();
    assert!(matches!(refusal, UseCaseError::Refused(CancelError::NotFound(id)) if id == order("O-1")));
}

#[test]
fn an_order_with_picked_units_is_not_cancelled() {
    let unit = rolled_back(|products| {
        let mut lamp = crate::testing::listed(&["LAMP"]).remove(0);
        let id = allocation_domain::PickLineId { list: crate::testing::list_id("P-1"), line: 1 };
        lamp.pick(&id, units(1).into(), now()).unwrap();
        locks(products, vec![crate::testing::restored(&lamp)]);
    });
    assert!(
        matches!(cancel_with(unit, &["LAMP"]), Err(UseCaseError::Refused(CancelError::Picked(id))) if id == order("O-1"))
    );
}
