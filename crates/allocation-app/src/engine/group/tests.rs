use super::super::job::{self, Progress};
use super::super::line::LineReply;
use super::super::orders::OrderReply;
use super::*;
use crate::EngineError;
use crate::testing::{
    batch, cause, committed, conflict, ending, line, new_order, now, order, product, rolled_back, runner, sku,
    with_orders,
};
use allocation_domain::{
    AllocateError, Batch, DataRequest, Event, HoldDuration, NewOrder, OnShortage, OrderChange, OrderLine, OrderStatus,
    OrderTerms, Outcome, PlaceError, Product, ProductState, Products, TermsChange, Units, UnknownSkus,
};
use allocation_ports::mocks::{MockOrderRepository, MockProductRepository, MockUnitOfWork};
use allocation_ports::{CausationId, EventContext, EventContexts};
use chrono::TimeDelta;
use std::time::Instant;

type Unit = Result<MockUnitOfWork, StoreError>;

/// A command as the tests write it.
#[derive(Clone, Copy)]
enum Command<'a> {
    Allocate(&'a OrderLine),
    Place(&'a NewOrder),
}

/// The decision of a group on a command.
#[derive(Debug)]
enum Answer {
    Line(LineReply),
    Order(OrderReply),
    Behind,
}

impl Answer {
    fn of(job: Job) -> Self {
        match job.request {
            Request::Line(job::Command { decision: Decision::Made(reply), .. }) => Self::Line(reply),
            Request::Order(job::Command { decision: Decision::Made(reply), .. }) => Self::Order(reply),
            other => {
                assert_eq!(Job { request: other, ..job }.progress(), Progress::Behind);
                Self::Behind
            }
        }
    }

    fn is_refusal(&self) -> bool {
        matches!(self, Self::Line(Err(_)) | Self::Order(Err(_)))
    }
}

/// Decides commands with their contexts in one group; `is_late` is asked by the number of a command.
fn decide_jobs(
    units: Vec<Unit>,
    commands: &[(Command<'_>, &EventContext)],
    is_late: impl Fn(Attempt, usize) -> bool,
) -> Result<Vec<Answer>, StoreError> {
    let job = |(command, context): &(Command<'_>, &EventContext)| match command {
        Command::Allocate(line) => Job::line((*line).clone(), (*context).clone(), Instant::now()).0,
        Command::Place(order) => Job::order((*order).clone(), (*context).clone(), Instant::now()).0,
    };
    let mut jobs: Vec<Job> = commands.iter().map(job).collect();
    runner(units).run("decide_group", |unit, attempt| {
        let mut numbers = 0..;
        let mut is_late = |_: &Job| numbers.next().is_some_and(|number| is_late(attempt, number));
        decide_group(unit, attempt, &mut jobs.iter_mut().collect::<Vec<_>>(), &mut is_late)
    })?;
    Ok(jobs.into_iter().map(Answer::of).collect())
}

fn decide_all(units: Vec<Unit>, commands: &[Command<'_>]) -> Result<Vec<Answer>, StoreError> {
    decide_late(units, commands, |_, _| false)
}

fn decide_late(
    units: Vec<Unit>,
    commands: &[Command<'_>],
    is_late: impl Fn(Attempt, usize) -> bool,
) -> Result<Vec<Answer>, StoreError> {
    let unknown = EventContext::default();
    let commands: Vec<_> = commands.iter().map(|command| (*command, &unknown)).collect();
    decide_jobs(units, &commands, is_late)
}

fn decide(units: Vec<Unit>, lines: &[OrderLine]) -> Result<Vec<LineReply>, StoreError> {
    let commands: Vec<_> = lines.iter().map(Command::Allocate).collect();
    let of_line = |answer| match answer {
        Answer::Line(answer) => answer,
        other => panic!("{other:?}"),
    };
    Ok(decide_all(units, &commands)?.into_iter().map(of_line).collect())
}

/// Locks the products made from `batches`, whatever is requested of them.
fn locked(skus: &'static [(&'static str, u32)]) -> impl FnOnce(&mut MockProductRepository) {
    move |products| {
        products.expect_lock().returning(move |wanted| {
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

fn told(answer: &LineReply) -> &'static str {
    match answer {
        Ok(Outcome::Changed(_)) => "allocated",
        Ok(Outcome::Unchanged(_)) => "unchanged",
        Err(EngineError::Refused(AllocateError::OutOfStock(_))) => "out of stock",
        Err(EngineError::Refused(AllocateError::LineAlreadyAllocated(_))) => "other quantity",
        Err(_) => "failed",
    }
}

#[test]
fn each_line_gets_its_own_result_and_only_changes_are_saved() {
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
    assert!(matches!(&answers[2], Err(EngineError::Refused(AllocateError::OutOfStock(short))) if short.available == 7));
    assert!(matches!(&answers[1], Err(EngineError::Refused(AllocateError::OutOfStock(short))) if short.available == 0));
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
            .withf(|wanted| {
                let named: Vec<_> = wanted.iter().map(|w| (w.sku.as_str(), w.standalone.len(), w.create)).collect();
                named == [("LAMP", 2, false), ("SOFA", 1, false)]
            })
            .returning(|_| Ok(Vec::new()));
    });
    let lines = [line("O-1", "SOFA", 2), line("O-2", "LAMP", 1), line("O-3", "LAMP", 1)];
    assert!(decide(vec![unit], &lines).unwrap().iter().all(Result::is_err));
}

#[test]
fn all_batches_are_loaded_if_the_first_ones_do_not_suffice() {
    fn batches() -> Vec<Batch> {
        vec![batch("B-1", "LAMP", 1), batch("B-2", "LAMP", 1), batch("B-3", "LAMP", 5)]
    }
    let unit = committed(|products| {
        products.expect_lock().returning(|_| {
            Ok(vec![Product::restore(ProductState {
                open_batches: batches()[..1].to_vec(),
                more_open_batches: true,
                ..crate::testing::locked_state("LAMP", 1)
            })])
        });
        products.expect_load().times(1).returning(|product, needed| {
            assert_eq!(*needed, DataRequest::Batches);
            product.complete(batches());
            Ok(())
        });
        products.expect_save().times(1).returning(|_, _| Ok(()));
    });
    let answers = decide(vec![unit], &[line("O-1", "LAMP", 4), line("O-2", "LAMP", 2)]).unwrap();
    let taken: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            Ok(Outcome::Changed(line)) => line.allocations.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(taken, [1, 2]);
}

#[test]
fn after_two_conflicts_the_third_run_succeeds() {
    let collides = || ending(Err(conflict()), saved(&[("LAMP", 9)], 1));
    let units = vec![collides(), collides(), committed(saved(&[("LAMP", 9)], 1))];
    let answers = decide(units, &[line("O-1", "LAMP", 4)]).unwrap();
    assert_eq!(told(&answers[0]), "allocated");
}

#[test]
fn a_line_allocated_by_a_commit_of_unknown_outcome_is_reported_as_allocated() {
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), saved(&[("LAMP", 9)], 1));
    let found = rolled_back(|products| {
        products.expect_lock().returning(|_| {
            let mut before = product("LAMP", vec![batch("B-1", "LAMP", 9)]);
            before.allocate(line("O-1", "LAMP", 4).order_id(), crate::testing::units(4), now()).unwrap();
            Ok(vec![Product::restore(ProductState {
                open_batches: before.batches().to_vec(),
                lines: before.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect(),
                ..crate::testing::locked_state(before.sku().as_str(), 2)
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

/// Expects a lookup of the order, and returns these orders.
fn known(found: Vec<NewOrder>) -> impl FnOnce(&mut MockOrderRepository) {
    move |orders| {
        orders.expect_find().times(1).withf(|ids| *ids == [order("O-1")]).return_once(|_| Ok(found));
    }
}

/// Expects a lookup that finds no order, and one order that is added.
fn added(orders: &mut MockOrderRepository) {
    known(Vec::new())(orders);
    orders
        .expect_add()
        .times(1)
        .withf(|orders, at| orders.len() == 1 && *orders[0].order_id() == order("O-1") && *at == now())
        .returning(|_, _| Ok(()));
}

fn place(units: Vec<Unit>, new: &NewOrder) -> Result<OrderReply, StoreError> {
    match decide_all(units, &[Command::Place(new)])?.pop() {
        Some(Answer::Order(answer)) => Ok(answer),
        other => panic!("{other:?}"),
    }
}

fn two_lines() -> NewOrder {
    new_order("O-1", &[("LAMP", 3), ("SOFA", 2)], OrderTerms::default())
}

fn backorder() -> OrderTerms {
    OrderTerms { on_shortage: OnShortage::Backorder, ..OrderTerms::default() }
}

#[test]
fn an_order_is_stored_with_the_lines_of_all_its_skus() {
    let unit = with_orders(committed(saved(&[("LAMP", 9), ("SOFA", 2)], 2)), added);
    let answer = place(vec![unit], &two_lines()).unwrap().unwrap();
    let Outcome::Changed(placed) = answer else { panic!("{answer:?}") };
    assert_eq!((placed.status(now()), placed.lines.len()), (OrderStatus::Allocated, 2));
}

#[test]
fn a_rejected_order_lists_every_short_line_and_writes_nothing() {
    let unit = with_orders(rolled_back(locked(&[("LAMP", 2)])), known(Vec::new()));
    let refusal = place(vec![unit], &two_lines()).unwrap().unwrap_err();
    let EngineError::Refused(PlaceError::OutOfStock(shortages)) = refusal else { panic!("{refusal}") };
    let told: Vec<_> = shortages.0.iter().map(|short| (short.sku.as_str(), short.available)).collect();
    assert_eq!(told, [("LAMP", 2), ("SOFA", 0)]);
}

#[test]
fn an_order_that_would_wait_creates_no_product() {
    let unit = rolled_back(|products| {
        products
            .expect_lock()
            .withf(|wanted| wanted.iter().all(|wanted| !wanted.create))
            .returning(|_| Ok(vec![product("LAMP", Vec::new())]));
    });
    let new = new_order("O-1", &[("LAMP", 3), ("SOFA", 2), ("lamp", 1)], backorder());
    let refusal = place(vec![with_orders(unit, known(Vec::new()))], &new).unwrap().unwrap_err();
    let EngineError::Refused(PlaceError::UnknownSkus(UnknownSkus(unknown))) = refusal else { panic!("{refusal}") };
    assert_eq!(unknown, [sku("SOFA"), sku("lamp")]);
}

#[test]
fn an_order_waits_only_for_registered_products() {
    let waits = committed(|products| {
        products
            .expect_lock()
            .returning(|wanted| Ok(wanted.iter().map(|wanted| product(wanted.sku.as_str(), Vec::new())).collect()));
        products.expect_save().times(1).withf(|products, _| products.len() == 2).returning(|_, _| Ok(()));
    });
    let new = new_order("O-1", &[("LAMP", 3), ("SOFA", 2)], backorder());
    let answer = place(vec![with_orders(waits, added)], &new).unwrap().unwrap();
    let Outcome::Changed(placed) = answer else { panic!("{answer:?}") };
    assert_eq!(placed.status(now()), OrderStatus::Backordered);
}

#[test]
fn a_repeated_order_changes_nothing_and_another_with_its_id_is_rejected() {
    let repeat = |found| {
        let unit = with_orders(rolled_back(locked(&[("LAMP", 9), ("SOFA", 2)])), known(vec![found]));
        place(vec![unit], &two_lines()).unwrap()
    };
    assert_eq!(repeat(two_lines()).unwrap(), Outcome::Unchanged(()));
    for other in [
        new_order("O-1", &[("LAMP", 3)], OrderTerms::default()),
        new_order("O-1", &[("LAMP", 3), ("SOFA", 2)], backorder()),
    ] {
        assert!(
            matches!(repeat(other), Err(EngineError::Refused(PlaceError::AlreadyExists(id))) if id == order("O-1"))
        );
    }
}

#[test]
fn a_repeat_of_an_order_that_has_ended_says_how() {
    use allocation_domain::ReservationState::{Cancelled, Closed, Expired};
    let line = |state| crate::testing::product_with_line("BED", 9, 3, state);
    for state in [Cancelled, Closed, Expired] {
        // The lines that were sent are there, or were replaced by another one, which only the stored order has.
        let stored = Products::from_iter([line(state)]).order(&order("O-1"));
        let replaced = with_orders(rolled_back(locked(&[("LAMP", 9), ("SOFA", 2)])), |orders| {
            known(vec![two_lines()])(orders);
            orders.expect_load().times(1).returning(move |_| Ok(stored.clone()));
        });
        let refused = place(vec![replaced], &two_lines()).unwrap();
        let Err(EngineError::Refused(refusal)) = refused else { panic!("{refused:?}") };
        let end = match state {
            Cancelled => "Order O-1 was cancelled",
            Closed => "Order O-1 was closed",
            _ => "The hold of order O-1 has expired",
        };
        assert_eq!(refusal.to_string(), end);
    }
    let shop = crate::testing::Shop::with(&[("LAMP", "B-1", 9)]);
    shop.place("O-1", &[("LAMP", 3)], OrderTerms::default());
    shop.use_cases.close_order(&order("O-1"), None).unwrap();
    let repeat = shop.use_cases.preview_order(&new_order("O-1", &[("LAMP", 3)], OrderTerms::default()));
    assert!(matches!(repeat, Err(crate::UseCaseError::Refused(PlaceError::Closed(_)))), "{repeat:?}");
}

/// The line that was sent left the order with a change, and came back by itself; another line shows the end.
#[test]
fn a_repeat_of_an_order_says_how_it_ended_whatever_the_lines_that_were_sent_show() {
    let shop = crate::testing::Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 9)]);
    shop.place_held("O-1", &[("LAMP", 3)], 10);
    let change = [("LAMP", 0), ("SOFA", 1)].map(|(name, quantity)| (sku(name), Units::new(quantity).unwrap()));
    let change = OrderChange::new(order("O-1"), change, TermsChange::default()).unwrap();
    shop.use_cases.change_order(&change).unwrap();
    shop.allocate("O-1", "LAMP", 3);
    let terms = OrderTerms { hold: Some(HoldDuration::from_seconds(10).unwrap()), ..OrderTerms::default() };
    let repeat = || shop.use_cases.preview_order(&new_order("O-1", &[("LAMP", 3)], terms));
    assert_eq!(repeat().unwrap(), Outcome::Unchanged(()));
    shop.advance(TimeDelta::seconds(10));
    assert!(matches!(repeat(), Err(crate::UseCaseError::Refused(PlaceError::HoldExpired(_)))), "{:?}", repeat());
}

#[test]
fn of_two_equal_orders_in_a_group_the_first_is_placed() {
    let unit = with_orders(committed(saved(&[("LAMP", 9), ("SOFA", 2)], 2)), |orders| {
        orders.expect_find().returning(|_| Ok(Vec::new()));
        orders.expect_add().times(1).withf(|orders, _| orders.len() == 1).returning(|_, _| Ok(()));
    });
    let (new, other) = (two_lines(), new_order("O-1", &[("LAMP", 1)], OrderTerms::default()));
    let answers =
        decide_all(vec![unit], &[Command::Place(&new), Command::Place(&new), Command::Place(&other)]).unwrap();
    let [Answer::Order(Ok(first)), Answer::Order(Ok(second)), Answer::Order(Err(third))] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    assert!(matches!(first, Outcome::Changed(_)), "{first:?}");
    assert_eq!(*second, Outcome::Unchanged(()));
    assert!(matches!(third, EngineError::Refused(PlaceError::AlreadyExists(_))), "{third}");
}

#[test]
fn an_order_and_a_standalone_line_share_the_stock_of_a_group() {
    let unit = with_orders(committed(saved(&[("LAMP", 4), ("SOFA", 2)], 2)), added);
    let (new, alone, late) = (two_lines(), line("O-2", "LAMP", 2), line("O-1", "SOFA", 2));
    let commands = [Command::Place(&new), Command::Allocate(&alone), Command::Allocate(&late)];
    let answers = decide_all(vec![unit], &commands).unwrap();
    let told: Vec<_> = answers.iter().map(Answer::is_refusal).collect();
    assert_eq!(told, [false, true, false]);
    let Answer::Line(Ok(Outcome::Unchanged(line))) = &answers[2] else { panic!("{answers:?}") };
    assert_eq!(line.allocations.len(), 1, "the line of the order is a line like any other");
}

#[test]
fn a_reference_taken_concurrently_is_found_by_the_next_run() {
    let collides = with_orders(rolled_back(saved(&[("LAMP", 9), ("SOFA", 2)], 2)), |orders| {
        known(Vec::new())(orders);
        orders.expect_add().returning(|_, _| Err(conflict()));
    });
    let taken = new_order("O-1", &[("RUG", 1)], OrderTerms::default());
    let finds = with_orders(rolled_back(locked(&[("LAMP", 9), ("SOFA", 2)])), known(vec![taken]));
    let answer = place(vec![collides, finds], &two_lines()).unwrap();
    assert!(matches!(answer, Err(EngineError::Refused(PlaceError::AlreadyExists(_)))), "{answer:?}");
}

#[test]
fn an_order_placed_by_a_commit_of_unknown_outcome_is_reported_as_placed() {
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), saved(&[("LAMP", 9), ("SOFA", 2)], 2));
    let found = rolled_back(|products| {
        products.expect_lock().returning(|_| {
            let lamp = crate::testing::product_with_line("LAMP", 9, 3, allocation_domain::ReservationState::Firm);
            let sofa = crate::testing::product_with_line("SOFA", 2, 2, allocation_domain::ReservationState::Firm);
            Ok(vec![lamp, sofa])
        });
    });
    let units = vec![with_orders(lost, added), with_orders(found, known(vec![two_lines()]))];
    let answer = place(units, &two_lines()).unwrap().unwrap();
    let Outcome::Changed(placed) = answer else { panic!("{answer:?}") };
    assert_eq!(placed.status(now()), OrderStatus::Allocated);
}

#[test]
fn each_event_of_a_group_carries_the_context_of_its_own_command() {
    fn from(id: &str) -> EventContext {
        EventContext { causation_id: CausationId::parse(id), ..EventContext::default() }
    }
    fn told(contexts: &EventContexts, name: &str) -> Vec<Option<String>> {
        let id = |context: &EventContext| context.causation_id.as_ref().unwrap().to_string();
        (0..4).map(|ordinal| contexts.of(&sku(name), ordinal).map(id)).collect()
    }
    let unit = with_orders(
        committed(|products| {
            locked(&[("LAMP", 9), ("SOFA", 2)])(products);
            products
                .expect_save()
                .times(1)
                .withf(|_, contexts| {
                    let (first, order) = (Some("first".to_owned()), Some("order".to_owned()));
                    // The line of an order is placed, and then allocated; no sofa is left.
                    told(contexts, "LAMP") == [first, None, order.clone(), order.clone()]
                        && told(contexts, "SOFA") == [order.clone(), order.clone(), order, None]
                })
                .returning(|_, _| Ok(()));
        }),
        added,
    );
    let (one, two, three) = (line("O-2", "LAMP", 1), line("O-3", "LAMP", 1), line("O-4", "LAMP", 99));
    let (new, nowhere) = (two_lines(), EventContext::default());
    let (first, refused, of_order) = (from("first"), from("refused"), from("order"));
    let commands = [
        (Command::Allocate(&one), &first),
        (Command::Allocate(&two), &nowhere),
        (Command::Allocate(&three), &refused),
        (Command::Place(&new), &of_order),
    ];
    let decided = decide_jobs(vec![unit], &commands, |_, _| false).unwrap();
    assert_eq!(decided.iter().map(Answer::is_refusal).collect::<Vec<_>>(), [false, false, true, false]);
}

#[test]
fn an_order_with_standalone_lines_cannot_be_placed() {
    let unit = with_orders(rolled_back(locked(&[("LAMP", 9), ("SOFA", 2)])), |orders| {
        known(Vec::new())(orders);
        orders.expect_with_lines().times(1).returning(|ids| Ok(ids.to_vec()));
    });
    let answer = place(vec![unit], &two_lines()).unwrap();
    assert!(matches!(answer, Err(EngineError::Refused(PlaceError::AlreadyExists(id))) if id == order("O-1")));
}

/// Returns a product with an expired hold that takes more than one unit of work to release.
fn behind(name: &str) -> Product {
    let commitment = allocation_domain::ReservationState::Held { expires_at: now() };
    let product = crate::testing::product_with_line(name, 9, 3, commitment);
    Product::restore(ProductState {
        open_batches: product.batches().to_vec(),
        lines: product.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect(),
        more_expired: true,
        ..crate::testing::locked_state(product.sku().as_str(), 7)
    })
}

#[test]
fn a_product_that_is_behind_delays_only_its_own_commands() {
    let unit = committed(|products| {
        products.expect_lock().returning(|_| Ok(vec![behind("LAMP"), product("RUG", vec![batch("B-RUG", "RUG", 5)])]));
        products
            .expect_save()
            .times(1)
            .withf(|products, _| {
                let names = products.iter().map(|product| product.events().iter().map(Event::name).collect::<Vec<_>>());
                names.eq([vec!["deallocated", "hold_expired"], vec!["allocated"]])
            })
            .returning(|_, _| Ok(()));
    });
    let unit = with_orders(unit, known(Vec::new()));
    let (lamp, rug) = (line("O-2", "LAMP", 1), line("O-2", "RUG", 1));
    let both = new_order("O-1", &[("LAMP", 1), ("RUG", 1)], OrderTerms::default());
    let commands = [Command::Allocate(&lamp), Command::Allocate(&rug), Command::Place(&both)];
    let answers = decide_all(vec![unit], &commands).unwrap();
    assert!(matches!(answers[..], [Answer::Behind, Answer::Line(Ok(_)), Answer::Behind]), "{answers:?}");
}

#[test]
fn an_unknown_outcome_stays_unknown_while_the_product_is_behind() {
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), saved(&[("LAMP", 9)], 1));
    let unit = || {
        rolled_back(|products| {
            products.expect_lock().returning(|_| Ok(vec![behind("LAMP")]));
        })
    };
    let error = decide(vec![lost, unit(), unit()], &[line("O-1", "LAMP", 4)]).unwrap_err();
    assert!(matches!(error, StoreError::OutcomeUnknown(_)), "{error:?}");
}

mod late {
    use super::*;

    fn reported_all(answers: &[Answer]) -> Vec<&'static str> {
        let told = |answer: &Answer| match answer {
            Answer::Line(Err(EngineError::Overloaded)) | Answer::Order(Err(EngineError::Overloaded)) => "late",
            Answer::Line(answer) => told(answer),
            Answer::Order(Ok(Outcome::Changed(_))) => "placed",
            Answer::Order(_) | Answer::Behind => "failed",
        };
        answers.iter().map(told).collect()
    }

    #[test]
    fn a_command_that_expires_under_the_locks_changes_nothing_for_others() {
        let lines = [line("O-1", "LAMP", 3), line("O-2", "LAMP", 3), line("O-3", "LAMP", 7)];
        let commands: Vec<_> = lines.iter().map(Command::Allocate).collect();
        let unit = committed(saved(&[("LAMP", 10)], 2));
        let answers = decide_late(vec![unit], &commands, |_, number| number == 1).unwrap();
        assert_eq!(reported_all(&answers), ["allocated", "late", "allocated"]);
    }

    #[test]
    fn a_group_of_late_commands_writes_nothing() {
        let order = new_order("O-2", &[("LAMP", 1)], OrderTerms::default());
        let line = line("O-1", "LAMP", 3);
        let unit = with_orders(rolled_back(locked(&[("LAMP", 10)])), |orders| {
            orders.expect_find().returning(|_| Ok(Vec::new()));
        });
        let commands = [Command::Allocate(&line), Command::Place(&order)];
        let answers = decide_late(vec![unit], &commands, |_, _| true).unwrap();
        assert_eq!(reported_all(&answers), ["late", "late"]);
    }

    #[test]
    fn a_late_repeat_carries_out_no_command_for_the_first_time() {
        let line = line("O-1", "LAMP", 3);
        let conflicting = ending(Err(conflict()), saved(&[("LAMP", 10)], 1));
        let again = rolled_back(locked(&[("LAMP", 10)]));
        let answers =
            decide_late(vec![conflicting, again], &[Command::Allocate(&line)], |attempt, _| attempt.number > 1);
        assert_eq!(reported_all(&answers.unwrap()), ["late"]);
    }

    /// After an unknown commit, every late command is resolved and nothing is decided anew.
    #[test]
    fn an_unknown_outcome_is_resolved_however_late() {
        let line = line("O-1", "LAMP", 3);
        let order = new_order("O-2", &[("LAMP", 1)], OrderTerms::default());
        let commands = [Command::Allocate(&line), Command::Place(&order)];
        let lost = || Err(StoreError::OutcomeUnknown(cause("connection lost")));
        for stored in [true, false] {
            let no_orders = |unit: Unit| {
                with_orders(unit, |orders| {
                    orders.expect_find().returning(|_| Ok(Vec::new()));
                    orders.expect_add().returning(|_, _| Ok(()));
                })
            };
            let first = no_orders(ending(lost(), saved(&[("LAMP", 10)], 2)));
            let (line, order) = (line.clone(), order.clone());
            let mut after = Products::from_iter([product("LAMP", vec![batch("B-LAMP", "LAMP", 10)])]);
            if stored {
                let lamp = after.get_mut(&sku("LAMP")).unwrap();
                lamp.allocate(line.order_id(), line.quantity(), now()).unwrap();
                after.place(&order, now()).unwrap();
            }
            let found = if stored { vec![order.clone()] } else { Vec::new() };
            let products: Vec<Product> = after.into_iter().map(|product| crate::testing::restored(&product)).collect();
            let second = with_orders(
                rolled_back(|repository| {
                    repository.expect_lock().returning(move |_| Ok(products.clone()));
                }),
                |orders| {
                    orders.expect_find().returning(move |_| Ok(found.clone()));
                },
            );
            let answers = decide_late(vec![first, second], &commands, |attempt, _| attempt.number > 1).unwrap();
            let expected = if stored { ["allocated", "placed"] } else { ["late", "late"] };
            assert_eq!(reported_all(&answers), expected);
        }
    }
}
