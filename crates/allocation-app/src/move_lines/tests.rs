use super::*;
use crate::testing::{
    Shop, batch, cause, ending, locked_state, now, order, product, reference, rolled_back, saves, sku, units,
    use_cases_with,
};
use allocation_domain::{
    Allocation, BatchChange, Eta, LineState, MAX_MOVED_LINES, Moving, Product, ProductState, QueuePosition, Units,
};
use allocation_ports::mocks::{MockProductRepository, MockQueries, MockUnitOfWork};
use chrono::NaiveDate;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// Returns a batch of nine lamps that is being lowered to two.
fn lowered() -> Batch {
    let moving = Moving { lower_to: Some(Units::new(2).unwrap()), ..Moving::default() };
    batch("B-LAMP", "LAMP", 9).with_allocated(9).unwrap().with_moving(Some(moving))
}

/// Returns the product of that batch, of which `O-1` holds six units and `O-2` three.
fn lamps() -> Product {
    let line = |units_held: u32, age| {
        let mut line = LineState::standalone(units(units_held), now() - chrono::TimeDelta::seconds(age));
        line.allocations = vec![Allocation::of(&lowered(), units(units_held))];
        line
    };
    Product::restore(ProductState {
        named_batches: vec![lowered()],
        lines: vec![(order("O-1"), line(6, 2)), (order("O-2"), line(3, 1))],
        ..locked_state("LAMP", 7)
    })
}

fn first() -> FirstToLeave {
    let position = QueuePosition::new(order("O-1"), 0, now() - chrono::TimeDelta::seconds(2));
    FirstToLeave { position, part: units(4), units: 7 }
}

/// Lists the batch `times` times, and then no batch.
fn listed(times: usize) -> MockQueries {
    let (mut queries, mut asked) = (MockQueries::new(), 0);
    queries.expect_moving_batches().times(times + 1).returning(move |after, _| {
        asked += 1;
        assert_eq!(after, None);
        Ok(if asked <= times { vec![(sku("LAMP"), reference("B-LAMP"))] } else { Vec::new() })
    });
    queries.expect_batch().returning(|_, _| Ok(Some(lowered())));
    queries
        .expect_first_to_leave()
        .withf(|batch, units| (batch, *units) == (&reference("B-LAMP"), 7))
        .returning(|_, _| Ok(Some(first())));
    queries
}

/// Expects a lock on the product with the line that leaves first.
fn locks(products: &mut MockProductRepository, locked: Product) {
    let mut locked = Some(locked);
    products
        .expect_lock()
        .times(1)
        .withf(|wanted| wanted[0].batches == [reference("B-LAMP")] && wanted[0].order_ids == [order("O-1")])
        .returning(move |_| Ok(locked.take().into_iter().collect()));
}

fn moves(outcome: Result<(), StoreError>) -> Result<MockUnitOfWork, StoreError> {
    ending(outcome, |products| {
        locks(products, lamps());
        saves(products, &["deallocated", "deallocated", "batch_changed", "line_short", "line_short"]);
    })
}

/// More lines of a batch than two steps move.
const LINES: usize = 2 * MAX_MOVED_LINES + 1;

/// Creates a shop with a changed batch, of which every line has one unit.
fn shop(change: &BatchChange) -> Shop {
    let lines = u32::try_from(LINES).unwrap();
    let shop = Shop::with(&[("LAMP", "B-LAMP", lines)]);
    let order_ids: Vec<_> = (1..=lines).map(|number| order(&format!("O-{number}"))).collect();
    shop.allocate_to_each(&order_ids, "LAMP");
    shop.use_cases.change_batch(&reference("B-LAMP"), change).unwrap();
    shop.new_events();
    shop
}

fn emptied() -> BatchChange {
    BatchChange { purchased: Some(Units::ZERO), ..BatchChange::default() }
}

#[test]
fn lines_leave_in_steps_until_no_batch_is_being_lowered() {
    let shop = shop(&emptied());
    assert_eq!(shop.use_cases.move_lines(|| true).unwrap(), 2);
    let batch = shop.batch("B-LAMP").unwrap();
    assert_eq!((batch.purchased(), batch.allocated(), batch.moving()), (Units::ZERO, 0, None));
    let left = shop.new_events().iter().filter(|name| *name == "deallocated").count();
    assert_eq!(left, LINES);
    assert_eq!(shop.use_cases.move_lines(|| true).unwrap(), 0);
}

#[test]
fn a_step_done_by_another_process_is_not_repeated() {
    let done = rolled_back(|products| locks(products, product("LAMP", vec![batch("B-LAMP", "LAMP", 9)])));
    let mut queries = MockQueries::new();
    queries.expect_moving_batches().times(1).returning(|_, _| Ok(vec![(sku("LAMP"), reference("B-LAMP"))]));
    queries.expect_batch().returning(|_, _| Ok(Some(lowered())));
    queries.expect_first_to_leave().returning(|_, _| Ok(Some(first())));
    assert_eq!(use_cases_with(queries, vec![done]).move_lines(|| true).unwrap(), 0);
}

#[test]
fn a_removed_batch_or_product_is_no_failure() {
    let mut queries = MockQueries::new();
    queries.expect_moving_batches().times(1).returning(|_, _| Ok(vec![(sku("LAMP"), reference("B-LAMP"))]));
    queries.expect_batch().returning(|_, _| Ok(None));
    let gone = rolled_back(|products| {
        products.expect_lock().times(1).returning(|_| Ok(Vec::new()));
    });
    assert_eq!(use_cases_with(queries, vec![gone]).move_lines(|| true).unwrap(), 0);
}

#[test]
fn a_step_with_a_conflict_runs_again() {
    let conflict = moves(Err(StoreError::Conflict(cause("deadlock detected"))));
    assert_eq!(use_cases_with(listed(1), vec![conflict, moves(Ok(()))]).move_lines(|| true).unwrap(), 1);
}

#[test]
fn a_failing_batch_does_not_stop_the_next() {
    let mut queries = MockQueries::new();
    queries
        .expect_moving_batches()
        .times(1)
        .returning(|_, _| Ok(vec![(sku("BROKEN"), reference("B-BROKEN")), (sku("LAMP"), reference("B-LAMP"))]));
    queries.expect_batch().returning(|batch, _| {
        if *batch == reference("B-BROKEN") { Err(StoreError::Failed(cause("corrupt"))) } else { Ok(Some(lowered())) }
    });
    queries.expect_first_to_leave().returning(|_, _| Ok(Some(first())));
    let error = use_cases_with(queries, vec![moves(Ok(()))]).move_lines(|| true).unwrap_err();
    assert!(matches!(error, StoreError::Failed(_)), "{error}");
}

#[test]
fn a_stop_ends_the_task_before_its_next_step() {
    let shop = shop(&emptied());
    assert_eq!(shop.use_cases.move_lines(|| false).unwrap(), 0);
    assert!(shop.batch("B-LAMP").unwrap().moving().is_some() && shop.new_events().is_empty());
}

#[test]
fn all_batches_advance_even_over_several_pages() {
    let batches: Vec<_> = (0..250).map(|number| (sku("LAMP"), reference(&format!("B-{number:03}")))).collect();
    let mut queries = MockQueries::new();
    queries.expect_moving_batches().times(3).returning(move |after, limit| {
        let rest = batches.iter().filter(|batch| after.as_ref().is_none_or(|after| *batch > after));
        Ok(rest.take(usize::from(limit)).cloned().collect())
    });
    queries.expect_batch().returning(|_, _| Ok(None));
    let gone = || {
        rolled_back(|products| {
            products.expect_lock().times(1).returning(|_| Ok(Vec::new()));
        })
    };
    let all = (0..250).map(|_| gone()).collect();
    assert_eq!(use_cases_with(queries, all).move_lines(|| true).unwrap(), 0);
}

#[test]
fn the_thread_survives_a_failure_until_it_is_stopped() {
    let (looked, looks) = mpsc::sync_channel(0);
    let (mut queries, number) = (MockQueries::new(), AtomicUsize::new(0));
    queries.expect_moving_batches().returning(move |_, _| {
        let number = number.fetch_add(1, Ordering::SeqCst) + 1;
        // The receiver is gone once the test is over.
        let _over = looked.send(number);
        if number == 1 { Err(StoreError::Unavailable(cause("connection refused"))) } else { Ok(Vec::new()) }
    });
    let mover = use_cases_with(queries, Vec::new()).start_mover(Duration::from_millis(1)).unwrap();
    for number in 1..=3 {
        assert_eq!(looks.recv(), Ok(number));
    }
    drop(looks);
    mover.stop();
    use_cases_with(MockQueries::new(), Vec::new()).start_mover(Duration::from_secs(3_600)).unwrap().stop();
}

#[test]
fn the_lines_of_a_late_batch_are_reviewed_in_steps() {
    let late = Eta::Due(NaiveDate::from_ymd_opt(2027, 3, 1).unwrap());
    let shop = shop(&BatchChange { eta: Some(late), ..BatchChange::default() });
    assert_eq!(shop.use_cases.move_lines(|| true).unwrap(), 2);
    assert_eq!(shop.batch("B-LAMP").unwrap().moving(), None);
    assert_eq!(shop.new_events(), vec!["promise_worsened"; LINES - MAX_MOVED_LINES], "one step is made at once");
}
