use super::*;
use crate::testing::{batch, cause, committed, conflict, ending, line, now, product, rolled_back, runner};
use allocation_domain::{Batch, Event, Needed, ProductState};
use allocation_ports::mocks::MockProductRepository;

fn decide(
    units: Vec<Result<allocation_ports::mocks::MockUnitOfWork, StoreError>>,
    lines: &[OrderLine],
) -> Result<Vec<Answer>, StoreError> {
    runner(units).run("allocate", |unit, attempt| allocate_lines(unit, attempt, lines.iter(), now()))
}

/// The products that `batches` make, locked whatever is wanted of them.
fn locked(skus: &'static [(&'static str, u32)]) -> impl FnOnce(&mut MockProductRepository) {
    move |products| {
        products.expect_lock().returning(move |wanted, _| {
            let known = |sku: &str| wanted.iter().any(|wanted| wanted.sku.as_str() == sku && wanted.open_batches);
            let of = |(sku, purchased): &(&str, u32)| product(sku, vec![batch(&format!("B-{sku}"), sku, *purchased)]);
            Ok(skus.iter().filter(|(sku, _)| known(sku)).map(of).collect())
        });
    }
}

fn saved(skus: &'static [(&'static str, u32)], events: usize) -> impl FnOnce(&mut MockProductRepository) {
    move |products| {
        locked(skus)(products);
        products
            .expect_save()
            .times(1)
            .withf(move |products, _| {
                let allocated = |event: &&Event| matches!(event, Event::Allocated { .. });
                products.iter().flat_map(Product::events).filter(allocated).count() == events
                    && products.iter().all(|product| !product.changes().is_empty())
            })
            .returning(|_, _| Ok(()));
    }
}

fn told(answer: &Answer) -> &'static str {
    match answer {
        Ok(AllocationOutcome::Allocated(_)) => "allocated",
        Ok(AllocationOutcome::Unchanged(_)) => "unchanged",
        Err(AllocateLineError::OutOfStock(_)) => "out of stock",
        Err(AllocateLineError::LineAlreadyAllocated(_)) => "other quantity",
        Err(_) => "failed",
    }
}

#[test]
fn each_line_gets_its_own_answer_and_only_what_changed_is_saved() {
    let lines = [
        line("O-1", "LAMP", 3),
        line("O-2", "SOFA", 1),
        line("O-3", "LAMP", 9),
        line("O-1", "LAMP", 3),
        line("O-1", "LAMP", 4),
        line("O-4", "RUG", 5),
        line("O-5", "RUG", 1),
    ];
    let unit = committed(saved(&[("LAMP", 10), ("RUG", 5)], 2));
    let answers = decide(vec![unit], &lines).unwrap();
    let told: Vec<_> = answers.iter().map(told).collect();
    assert_eq!(
        told,
        ["allocated", "out of stock", "out of stock", "unchanged", "other quantity", "allocated", "out of stock"]
    );
    assert!(matches!(&answers[2], Err(AllocateLineError::OutOfStock(short)) if short.available == 7));
    assert!(matches!(&answers[1], Err(AllocateLineError::OutOfStock(short)) if short.available == 0));
}

#[test]
fn a_group_of_refusals_writes_nothing() {
    let unit = rolled_back(locked(&[("LAMP", 1)]));
    let answers = decide(vec![unit], &[line("O-1", "LAMP", 2), line("O-2", "SOFA", 1)]).unwrap();
    assert_eq!(answers.iter().map(told).collect::<Vec<_>>(), ["out of stock", "out of stock"]);
}

#[test]
fn each_sku_is_locked_once_in_order_with_its_lines() {
    let unit = rolled_back(|products| {
        products
            .expect_lock()
            .withf(|wanted, _| {
                let named: Vec<_> = wanted.iter().map(|w| (w.sku.as_str(), w.order_ids.len(), w.create)).collect();
                named == [("LAMP", 2, false), ("SOFA", 1, false)]
            })
            .returning(|_, _| Ok(Vec::new()));
    });
    let lines = [line("O-1", "SOFA", 2), line("O-2", "LAMP", 1), line("O-3", "LAMP", 1)];
    assert!(decide(vec![unit], &lines).unwrap().iter().all(Result::is_err));
}

#[test]
fn when_the_batches_at_hand_do_not_decide_all_are_loaded() {
    fn batches() -> Vec<Batch> {
        vec![batch("B-1", "LAMP", 1), batch("B-2", "LAMP", 1), batch("B-3", "LAMP", 5)]
    }
    let unit = committed(|products| {
        products.expect_lock().returning(|_, _| {
            Ok(vec![Product::restore(ProductState {
                open_batches: batches()[..1].to_vec(),
                more_open_batches: true,
                ..ProductState::new(crate::testing::sku("LAMP"), 1)
            })])
        });
        products.expect_load().times(1).returning(|product, needed| {
            assert_eq!(*needed, Needed::Batches);
            product.complete(batches());
            Ok(())
        });
        products.expect_save().times(1).returning(|_, _| Ok(()));
    });
    let answers = decide(vec![unit], &[line("O-1", "LAMP", 4), line("O-2", "LAMP", 2)]).unwrap();
    let taken: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            Ok(AllocationOutcome::Allocated(line)) => line.allocations.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(taken, [1, 2]);
}

#[test]
fn after_two_conflicts_the_third_run_answers() {
    let collides = || ending(Err(conflict()), saved(&[("LAMP", 9)], 1));
    let units = vec![collides(), collides(), committed(saved(&[("LAMP", 9)], 1))];
    let answers = decide(units, &[line("O-1", "LAMP", 4)]).unwrap();
    assert_eq!(told(&answers[0]), "allocated");
}

#[test]
fn what_a_lost_commit_had_allocated_is_told_as_allocated() {
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), saved(&[("LAMP", 9)], 1));
    let found = rolled_back(|products| {
        products.expect_lock().returning(|_, _| {
            let mut before = product("LAMP", vec![batch("B-1", "LAMP", 9)]);
            before.allocate(line("O-1", "LAMP", 4).order_id(), crate::testing::units(4), now()).unwrap();
            Ok(vec![Product::restore(ProductState {
                open_batches: before.batches().to_vec(),
                lines: before.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect(),
                ..ProductState::new(before.sku().clone(), 2)
            })])
        });
    });
    let answers = decide(vec![lost, found], &[line("O-1", "LAMP", 4)]).unwrap();
    assert_eq!(told(&answers[0]), "allocated");
}

#[test]
fn a_failed_commit_fails_the_group() {
    let fails = ending(Err(StoreError::Failed(cause("check violated"))), saved(&[("LAMP", 9)], 1));
    assert!(matches!(decide(vec![fails], &[line("O-1", "LAMP", 4)]), Err(StoreError::Failed(_))));
}
