use super::*;
use crate::RetryPolicy;
use crate::testing::{ManualTime, Recorder, batch, cause, line, new_order, new_orders, product, sku};
use allocation_domain::{OrderTerms, Product, Sku};
use allocation_ports::mocks::{MockOrderRepository, MockProductRepository, MockUnitOfWork, MockUnitOfWorkFactory};
use allocation_ports::{LockRequest, TraceParent, UnitOfWork};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, MutexGuard};
use std::time::Duration;

/// The maximum number of lines in a group.
const GROUP_SIZE: usize = 32;

/// The age limit of a command.
const MAX_AGE: Duration = Duration::from_secs(5);

/// The state that the units of a test share: a store of one unit at a time, and its faults.
#[derive(Default)]
struct Shared {
    products: Mutex<BTreeMap<Sku, Product>>,
    /// The decided groups, each with its lines.
    groups: Mutex<Vec<Vec<String>>>,
    closed: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
    away: AtomicBool,
    commit_panics: AtomicBool,
    /// The products that another transaction has locked.
    held: Mutex<BTreeSet<Sku>>,
    time: ManualTime,
    counters: Arc<EngineCounters>,
    spans: Arc<Recorder>,
}

impl Shared {
    fn with(batches: &[(&str, u32)]) -> Arc<Self> {
        let shared = Self::default();
        for (sku, purchased) in batches {
            let product = product(sku, vec![batch(&format!("B-{sku}"), sku, *purchased)]);
            locked(&shared.products).insert(product.sku().clone(), product);
        }
        Arc::new(shared)
    }

    /// Makes units wait at the gate from now on.
    fn close_gate(&self) {
        *locked(&self.closed) = true;
    }

    fn open_gate(&self) {
        *locked(&self.closed) = false;
        self.opened.notify_all();
    }

    fn pass_gate(&self) {
        let mut closed = locked(&self.closed);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        while *closed {
            closed = self.opened.wait(closed).unwrap();
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Blocks until a unit waits at the gate.
    fn await_unit(&self) {
        while self.waiting.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
    }

    fn groups(&self) -> Vec<Vec<String>> {
        locked(&self.groups).clone()
    }

    /// Returns a repository that fails the lock on groups for which `fault` returns an error.
    fn unit(self: &Arc<Self>, fault: fn(&[LockRequest]) -> Option<StoreError>) -> MockProductRepository {
        let mut products = MockProductRepository::new();
        let shared = Arc::clone(self);
        products.expect_lock().returning(move |wanted| {
            let names = |wanted: &LockRequest| {
                wanted.order_ids.iter().chain(&wanted.standalone).map(|id| format!("{id}")).collect::<Vec<_>>()
            };
            locked(&shared.groups).push(wanted.iter().flat_map(names).collect());
            if let Some(error) = fault(wanted) {
                return Err(error);
            }
            let held = locked(&shared.held);
            if wanted.iter().any(|wanted| held.contains(&wanted.sku)) {
                return Err(StoreError::Busy(cause("lock timeout")));
            }
            assert!(!wanted.iter().any(|wanted| wanted.sku.as_str() == "PANIC"), "told to panic");
            let known = locked(&shared.products);
            Ok(wanted.iter().filter_map(|wanted| known.get(&wanted.sku).cloned()).collect())
        });
        let shared = Arc::clone(self);
        products.expect_locked_by_others().returning(move |skus| {
            let held = locked(&shared.held);
            Ok(skus.iter().filter(|sku| held.contains(*sku)).cloned().collect())
        });
        let shared = Arc::clone(self);
        products.expect_save().returning(move |changed, _| {
            let mut known = locked(&shared.products);
            known.extend(changed.iter().map(|product| (product.sku().clone(), product.clone())));
            Ok(())
        });
        products
    }
}

/// Returns orders of which none exists yet.
fn no_orders() -> MockOrderRepository {
    let mut orders = new_orders();
    orders.expect_find().returning(|_| Ok(Vec::new()));
    orders.expect_add().returning(|_, _| Ok(()));
    orders
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A unit that may commit or roll back.
struct AnyEnd(MockUnitOfWork, Arc<Shared>);

impl UnitOfWork for AnyEnd {
    fn products(&mut self) -> &mut dyn allocation_ports::ProductRepository {
        self.0.products()
    }

    fn orders(&mut self) -> &mut dyn allocation_ports::OrderRepository {
        self.0.orders()
    }

    fn pick_lists(&mut self) -> &mut dyn allocation_ports::PickListRepository {
        self.0.pick_lists()
    }

    fn counts(&mut self) -> &mut dyn allocation_ports::StockCounts {
        self.0.counts()
    }

    fn documents(&mut self) -> &mut dyn allocation_ports::StockDocuments {
        self.0.documents()
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        assert!(!self.1.commit_panics.load(Ordering::SeqCst), "told to panic");
        Ok(())
    }
}

fn engine(
    shared: &Arc<Shared>,
    queue_length: usize,
    fault: fn(&[LockRequest]) -> Option<StoreError>,
) -> AllocationEngine {
    let mut factory = MockUnitOfWorkFactory::new();
    let (counters, time, spans) = (Arc::clone(&shared.counters), shared.time.clone(), Arc::clone(&shared.spans));
    let shared = Arc::clone(shared);
    factory.expect_begin().returning(move |_| {
        shared.pass_gate();
        if shared.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable(cause("connection refused")));
        }
        let unit = MockUnitOfWork::never_committed(shared.unit(fault)).with_orders(no_orders());
        Ok(Box::new(AnyEnd(unit, Arc::clone(&shared))))
    });
    let retry = RetryPolicy {
        attempts: 3,
        first_wait: Duration::ZERO,
        longest_wait: Duration::ZERO,
        max_elapsed: Duration::MAX,
    };
    let settings = EngineSettings {
        workers: NonZeroUsize::MIN,
        queue_length: NonZeroUsize::new(queue_length).unwrap(),
        group_size: NonZeroUsize::new(GROUP_SIZE).unwrap(),
    };
    let age = AgeLimit::by(time.monotonic(), MAX_AGE);
    let units = UnitRunner::new(Arc::new(factory), retry).with_spans(spans);
    AllocationEngine::start(&units, &counters, &age, settings).unwrap()
}

fn no_fault(_: &[LockRequest]) -> Option<StoreError> {
    None
}

fn names(group: &[LockRequest]) -> impl Iterator<Item = &str> {
    group.iter().flat_map(|wanted| wanted.order_ids.iter().chain(&wanted.standalone).map(|id| id.as_str()))
}

fn describe(answer: LineReply) -> &'static str {
    match answer {
        Ok(Outcome::Changed(_)) => "allocated",
        Ok(Outcome::Unchanged(_)) => "unchanged",
        Err(EngineError::Refused(AllocateError::OutOfStock(_))) => "out of stock",
        Err(EngineError::Refused(AllocateError::LineAlreadyAllocated(_))) => "other quantity",
        Err(EngineError::Refused(AllocateError::HoldExpired(_))) => "expired",
        Err(EngineError::Refused(AllocateError::OrderCancelled(_))) => "cancelled",
        Err(EngineError::Refused(AllocateError::OrderClosed(_))) => "closed",
        Err(EngineError::Overloaded) => "overloaded",
        Err(EngineError::ShuttingDown) => "shutting down",
        Err(EngineError::Store(error)) => match &*error {
            StoreError::Conflict(_) | StoreError::Busy(_) => "busy",
            StoreError::ConnectionLost(_) | StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) => "unavailable",
            StoreError::Invariant { .. } => "broken",
            StoreError::Failed(_) => "failed",
        },
    }
}

/// Submits a line for which the queue has room.
fn submit(engine: &AllocationEngine, line: OrderLine) -> oneshot::Receiver<LineReply> {
    engine.submit_line(line, EventContext::default()).unwrap()
}

fn reply(receiver: oneshot::Receiver<LineReply>) -> &'static str {
    describe(receiver.blocking_recv().unwrap_or_else(|_| Err(abandoned().into())))
}

/// Submits a line whose unit waits at the gate, so that later commands form a group.
fn stall(shared: &Shared, engine: &AllocationEngine, line: OrderLine) -> oneshot::Receiver<LineReply> {
    shared.close_gate();
    let receiver = submit(engine, line);
    shared.await_unit();
    receiver
}

/// Starts an engine that is stalled with the line of `FIRST`.
fn stalled(shared: &Arc<Shared>, queue_length: usize) -> (AllocationEngine, oneshot::Receiver<LineReply>) {
    let engine = engine(shared, queue_length, no_fault);
    let first = stall(shared, &engine, line("FIRST", "LAMP", 1));
    (engine, first)
}

/// Submits a first line, and the others so that they gather while its unit runs.
fn in_two_groups(shared: &Shared, engine: &AllocationEngine, lines: &[OrderLine]) -> Vec<&'static str> {
    let mut receivers = vec![stall(shared, engine, lines[0].clone())];
    receivers.extend(lines[1..].iter().map(|line| submit(engine, line.clone())));
    shared.open_gate();
    receivers.into_iter().map(reply).collect()
}

#[test]
fn commands_that_arrive_during_a_commit_form_the_next_group() {
    let shared = Shared::with(&[("LAMP", 10), ("RUG", 3)]);
    let engine = engine(&shared, 100, no_fault);
    let lines = [
        line("O-1", "LAMP", 4),
        line("O-2", "LAMP", 7),
        line("O-3", "LAMP", 6),
        line("O-3", "LAMP", 6),
        line("O-3", "LAMP", 5),
        line("O-4", "RUG", 3),
        line("O-5", "SOFA", 1),
    ];
    let answers = in_two_groups(&shared, &engine, &lines);
    assert_eq!(
        answers,
        ["allocated", "out of stock", "allocated", "unchanged", "other quantity", "allocated", "out of stock"]
    );
    assert_eq!(shared.groups().iter().map(Vec::len).collect::<Vec<_>>(), [1, 6]);
    let counted = shared.counters.snapshot();
    assert_eq!((counted.lines, counted.refused, counted.group_size.count), (7, 3, 2));
    engine.shut_down();
}

#[test]
fn only_the_faulty_line_is_rejected() {
    fn fault(group: &[LockRequest]) -> Option<StoreError> {
        names(group).any(|name| name == "BAD").then(|| StoreError::Failed(cause("cannot be stored")))
    }
    let shared = Shared::with(&[("LAMP", 100), ("RUG", 100)]);
    let engine = engine(&shared, 100, fault);
    let mut lines: Vec<_> = (0..20).map(|n| line(&format!("O-{n}"), ["LAMP", "RUG"][n % 2], 1)).collect();
    lines[13] = line("BAD", "RUG", 1);
    let answers = in_two_groups(&shared, &engine, &lines);
    let failed: Vec<_> = (0..20).filter(|&n| answers[n] != "allocated").collect();
    assert_eq!((failed, answers[13]), (vec![13], "failed"));
    engine.shut_down();
}

#[test]
fn a_broken_invariant_of_one_product_affects_no_other() {
    fn fault(group: &[LockRequest]) -> Option<StoreError> {
        let broken = group.iter().any(|wanted| wanted.sku.as_str() == "BROKEN");
        broken.then(|| StoreError::invariant("batches_not_oversold", "more than there is"))
    }
    let shared = Shared::with(&[("LAMP", 100), ("BROKEN", 100)]);
    let engine = engine(&shared, 100, fault);
    let sku_of = |n: usize| if n % 5 == 4 { "BROKEN" } else { "LAMP" };
    let lines: Vec<_> = (0..16).map(|n| line(&format!("O-{n}"), sku_of(n), 1)).collect();
    let answers = in_two_groups(&shared, &engine, &lines);
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, if n % 5 == 4 { "broken" } else { "allocated" });
    }
    let whole = shared.groups().iter().filter(|group| group.len() == 15).count();
    assert_eq!(whole, 1, "the group is split at once, and not run again as a whole");
    engine.shut_down();
}

#[test]
fn a_held_product_delays_no_other_product() {
    fn fault(group: &[LockRequest]) -> Option<StoreError> {
        group.iter().any(|w| w.sku.as_str() == "HELD").then(|| StoreError::Busy(cause("lock timeout")))
    }
    let shared = Shared::with(&[("LAMP", 100), ("HELD", 100)]);
    let engine = engine(&shared, 100, fault);
    let lines: Vec<_> = (0..16).map(|n| line(&format!("O-{n}"), if n % 5 == 4 { "HELD" } else { "LAMP" }, 1)).collect();
    let answers = in_two_groups(&shared, &engine, &lines);
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, if n % 5 == 4 { "busy" } else { "allocated" });
    }
    let alone = |group: &Vec<String>| group.iter().all(|name| ["O-4", "O-9", "O-14"].contains(&name.as_str()));
    let tries = shared.groups().iter().filter(|group| alone(group)).count();
    assert_eq!(tries, 1, "its lines are refused together, not one by one");
    engine.shut_down();
}

#[test]
fn a_conflict_runs_the_whole_group_again() {
    static FAULTS: AtomicUsize = AtomicUsize::new(0);
    fn fault(group: &[LockRequest]) -> Option<StoreError> {
        let first_two = names(group).count() > 1 && FAULTS.fetch_add(1, Ordering::SeqCst) < 2;
        first_two.then(|| StoreError::Conflict(cause("deadlock detected")))
    }
    let shared = Shared::with(&[("LAMP", 100)]);
    let engine = engine(&shared, 100, fault);
    let lines: Vec<_> = (0..9).map(|n| line(&format!("O-{n}"), "LAMP", 1)).collect();
    assert!(in_two_groups(&shared, &engine, &lines).iter().all(|answer| *answer == "allocated"));
    assert_eq!(shared.groups().iter().map(Vec::len).collect::<Vec<_>>(), [1, 8, 8, 8]);
    assert_eq!(shared.counters.snapshot().retries, 2);
    engine.shut_down();
}

#[test]
fn a_line_is_rejected_at_once_if_the_queue_is_full() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let (engine, first) = stalled(&shared, 3);
    let queued: Vec<_> = (1..4).map(|n| submit(&engine, line(&format!("O-{n}"), "LAMP", 1))).collect();
    assert!(matches!(
        engine.submit_line(line("O-9", "LAMP", 1), EventContext::default()),
        Err(SubmitError::Overloaded)
    ));
    assert_eq!(shared.counters.snapshot().overloads, 1);
    shared.open_gate();
    for answer in std::iter::once(first).chain(queued) {
        assert_eq!(reply(answer), "allocated");
    }
    assert_eq!(reply(submit(&engine, line("O-9", "LAMP", 1))), "allocated");
    engine.shut_down();
}

#[test]
fn an_outage_fails_every_queued_line_and_later_lines_are_served() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let engine = engine(&shared, 100, no_fault);
    shared.away.store(true, Ordering::SeqCst);
    let lines: Vec<_> = (0..9).map(|n| line(&format!("O-{n}"), "LAMP", 1)).collect();
    assert!(in_two_groups(&shared, &engine, &lines).iter().all(|answer| *answer == "unavailable"));
    shared.away.store(false, Ordering::SeqCst);
    assert!(in_two_groups(&shared, &engine, &lines).iter().all(|answer| *answer == "allocated"));
    engine.shut_down();
}

#[test]
fn a_caller_that_hangs_up_changes_nothing_for_others() {
    let shared = Shared::with(&[("LAMP", 3)]);
    let (engine, first) = stalled(&shared, 100);
    drop(submit(&engine, line("O-1", "LAMP", 1)));
    let last = submit(&engine, line("O-2", "LAMP", 2));
    shared.open_gate();
    assert_eq!(reply(first), "allocated");
    assert_eq!(reply(last), "out of stock", "the line of the departed caller is decided");
    engine.shut_down();
}

#[test]
fn a_shutdown_completes_queued_commands_and_accepts_no_more() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let engine = engine(&shared, 100, no_fault);
    shared.close_gate();
    let answers: Vec<_> = (0..50).map(|n| submit(&engine, line(&format!("O-{n}"), "LAMP", 1))).collect();
    let stopping = {
        let engine = engine.clone();
        std::thread::spawn(move || engine.shut_down())
    };
    shared.await_unit();
    shared.open_gate();
    for answer in answers {
        assert_eq!(reply(answer), "allocated");
    }
    stopping.join().unwrap();
    assert!(matches!(
        engine.submit_line(line("LATE", "LAMP", 1), EventContext::default()),
        Err(SubmitError::ShuttingDown)
    ));
}

#[test]
fn a_panic_costs_no_command_of_the_group_but_its_own() {
    let shared = Shared::with(&[("LAMP", 100), ("RUG", 100)]);
    let engine = engine(&shared, 100, no_fault);
    let mut lines: Vec<_> = (0..20).map(|n| line(&format!("O-{n}"), ["LAMP", "RUG"][n % 2], 1)).collect();
    lines[13] = line("O-13", "PANIC", 1);
    let answers = in_two_groups(&shared, &engine, &lines);
    let failed: Vec<_> = (0..20).filter(|&n| answers[n] != "allocated").collect();
    assert_eq!((failed, answers[13]), (vec![13], "failed"));
    assert_eq!(in_two_groups(&shared, &engine, &lines[..1]), ["unchanged"]);
    engine.shut_down();
}

#[test]
fn a_panic_in_the_commit_leaves_the_outcome_unknown() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let engine = engine(&shared, 100, no_fault);
    let line = [line("O-1", "LAMP", 1)];
    shared.commit_panics.store(true, Ordering::SeqCst);
    assert_eq!(in_two_groups(&shared, &engine, &line), ["unavailable"]);
    shared.commit_panics.store(false, Ordering::SeqCst);
    assert_eq!(in_two_groups(&shared, &engine, &line), ["unchanged"]);
    engine.shut_down();
}

#[test]
fn a_sku_always_has_the_same_queue_and_all_queues_have_skus() {
    let queues = (0..4).map(|_| Queue::new(1).0).collect::<Vec<_>>();
    let counters = Arc::new(EngineCounters::default());
    let four = AllocationEngine {
        queues: queues.into(),
        orders: Queue::new(1).0,
        lane: Lane::new(Arc::clone(&counters)).0,
        tasks: Arc::default(),
        age: AgeLimit::by(ManualTime::default().monotonic(), MAX_AGE),
        counters,
        vitals: Arc::default(),
    };
    let place = |n: usize| {
        let (job, _reply) = Job::line(line("O-1", &format!("SKU-{n}"), 1), EventContext::default(), Instant::now());
        let queue = four.queue(&job);
        four.queues.iter().position(|other| std::ptr::eq(other, queue)).unwrap()
    };
    let mut sizes = [0; 4];
    for n in 0..400 {
        assert_eq!(place(n), place(n));
        sizes[place(n)] += 1;
    }
    assert!(sizes.iter().all(|&size| size > 50), "{sizes:?}");
    let of_order = |lines: &[(&str, u32)]| {
        let order = new_order("O-1", lines, OrderTerms::default());
        std::ptr::eq(four.queue(&Job::order(order, EventContext::default(), Instant::now()).0), &four.orders)
    };
    assert!(of_order(&[("LAMP", 1), ("RUG", 1)]), "orders over several SKUs have a queue of their own");
    assert!(!of_order(&[("LAMP", 1)]));
}

#[test]
fn the_length_of_a_queue_counts_the_lines_of_orders() {
    let shared = Shared::with(&[("LAMP", 100), ("RUG", 100)]);
    let engine = engine(&shared, 5, no_fault);
    let place = |order_id: &str, skus: &[(&str, u32)]| {
        engine.submit_order(new_order(order_id, skus, OrderTerms::default()), EventContext::default())
    };
    let two = [("LAMP", 1), ("RUG", 1)];
    shared.close_gate();
    let first = place("O-0", &two).unwrap();
    shared.await_unit();
    let waiting = [place("O-1", &two).unwrap(), place("O-2", &two).unwrap()];
    assert!(matches!(place("O-3", &two), Err(SubmitError::Overloaded)), "there is room for one line, not for two");
    let alone = submit(&engine, line("O-4", "LAMP", 1));
    shared.open_gate();
    for answer in waiting.into_iter().chain([first]) {
        assert!(matches!(answer.blocking_recv().unwrap(), Ok(Outcome::Changed(_))));
    }
    assert_eq!(reply(alone), "allocated", "orders do not stand in the way of lines");
    let many: Vec<(String, u32)> = (0..9).map(|n| (format!("SKU-{n}"), 1)).collect();
    let many: Vec<(&str, u32)> = many.iter().map(|(sku, units)| (sku.as_str(), *units)).collect();
    let large = place("O-5", &many).unwrap();
    assert!(large.blocking_recv().unwrap().is_err(), "an empty queue accepts an order longer than itself");
    engine.shut_down();
}

#[test]
fn orders_and_lines_share_a_group_and_each_gets_its_own_result() {
    let shared = Shared::with(&[("LAMP", 10)]);
    let engine = engine(&shared, 100, no_fault);
    let placed = |order_id: &str, lamps: u32| {
        engine
            .submit_order(new_order(order_id, &[("LAMP", lamps)], OrderTerms::default()), EventContext::default())
            .unwrap()
    };
    let first = stall(&shared, &engine, line("O-1", "LAMP", 1));
    let (fits, short) = (placed("O-2", 4), placed("O-3", 6));
    let alone = submit(&engine, line("O-4", "LAMP", 5));
    shared.open_gate();
    assert_eq!(reply(first), "allocated");
    assert!(matches!(fits.blocking_recv().unwrap(), Ok(Outcome::Changed(_))));
    assert!(matches!(short.blocking_recv().unwrap(), Err(EngineError::Refused(PlaceError::OutOfStock(_)))));
    assert_eq!(reply(alone), "allocated", "a rejected line takes no units");
    assert_eq!(shared.groups().iter().map(Vec::len).collect::<Vec<_>>(), [1, 3]);
    let counted = shared.counters.snapshot();
    assert_eq!((counted.lines, counted.refused), (4, 1));
    engine.shut_down();
}

#[test]
fn only_a_larger_order_exceeds_the_size_of_a_group() {
    let shared = Shared::with(&[]);
    let engine = engine(&shared, 100, no_fault);
    let lines: Vec<(String, u32)> = (0..40).map(|n| (format!("SKU-{n}"), 1)).collect();
    let lines: Vec<(&str, u32)> = lines.iter().map(|(sku, units)| (sku.as_str(), *units)).collect();
    shared.close_gate();
    let mut answers = vec![
        engine.submit_order(new_order("O-0", &lines[..2], OrderTerms::default()), EventContext::default()).unwrap(),
    ];
    shared.await_unit();
    for (n, count) in [GROUP_SIZE - 2, 2, 3, 40, 2].into_iter().enumerate() {
        let order = new_order(&format!("O-{}", n + 1), &lines[..count], OrderTerms::default());
        answers.push(engine.submit_order(order, EventContext::default()).unwrap());
    }
    shared.open_gate();
    for answer in answers {
        assert!(matches!(answer.blocking_recv().unwrap(), Err(EngineError::Refused(PlaceError::OutOfStock(_)))));
    }
    assert_eq!(shared.groups().iter().map(Vec::len).collect::<Vec<_>>(), [2, GROUP_SIZE, 3, 40, 2]);
    engine.shut_down();
}

#[test]
fn a_product_that_stays_behind_is_rejected_in_time_and_delays_no_other() {
    let shared = Shared::with(&[("RUG", 5)]);
    let held = allocation_domain::ReservationState::Held { expires_at: chrono::DateTime::UNIX_EPOCH };
    let lamp = crate::testing::product_with_line("LAMP", 9, 3, held);
    let lamp = Product::restore(allocation_domain::ProductState {
        open_batches: lamp.batches().to_vec(),
        lines: lamp.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect(),
        more_expired: true,
        ..crate::testing::locked_state(lamp.sku().as_str(), 7)
    });
    locked(&shared.products).insert(lamp.sku().clone(), lamp);
    let engine = engine(&shared, 100, no_fault);
    let lines = [line("O-1", "RUG", 1), line("O-2", "LAMP", 1), line("O-3", "RUG", 1)];
    assert_eq!(in_two_groups(&shared, &engine, &lines), ["allocated", "busy", "allocated"]);
    let groups = shared.groups();
    assert_eq!(groups[..2], [vec!["O-1"], vec!["O-2", "O-3"]]);
    assert!(groups[2..].iter().all(|group| *group == ["O-2"]), "the others are answered first: {groups:?}");
    engine.shut_down();
}

mod age;
mod bulk;
mod held;

#[test]
fn a_group_is_a_child_of_its_first_traced_command_and_has_links_to_the_others() {
    let shared = Shared::with(&[("LAMP", 10)]);
    let (engine, first) = stalled(&shared, 100);
    let submit = |order_id: &str, traceparent| {
        let context = EventContext { traceparent, ..EventContext::default() };
        engine.submit_line(line(order_id, "LAMP", 1), context).unwrap()
    };
    let traces = [None, TraceParent::of_span(1, 2), TraceParent::of_span(3, 4)];
    let replies: Vec<_> = ["O-1", "O-2", "O-3"].into_iter().zip(traces).map(|(id, trace)| submit(id, trace)).collect();
    shared.open_gate();
    assert_eq!(reply(first), "allocated");
    assert!(replies.into_iter().map(reply).all(|it| it == "allocated"));
    let spans = shared.spans.taken();
    let [commit, group] = &spans[..] else { panic!("the first group has no span: {spans:?}") };
    assert_eq!((&*commit.name, &*group.name), ("commit", "decide_group"));
    assert_eq!((group.ids.trace, group.ids.parent), (1, Some(2)));
    assert_eq!(group.links.iter().map(|link| (link.trace, link.span)).collect::<Vec<_>>(), [(3, 4)]);
}
