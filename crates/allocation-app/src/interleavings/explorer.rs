//! Sequential and concurrent runs of commands.

use super::command::{Command, Shop};
use allocation_adapters_memory::{Faults, Scheduler, Threads};
use shuttle::scheduler::RandomScheduler;
use shuttle::sync::{Condvar, Mutex};
use shuttle::{Config, Runner, thread};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The number of interleavings of a scenario.
const INTERLEAVINGS: usize = 300;

/// The stack of each program: a use case in a debug build needs more than the default.
const STACK_BYTES: usize = 1 << 20;

/// The seed of the interleavings, which are the same in every run.
const SEED: u64 = 11;

/// Programs that run concurrently, after some commands.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    before: Vec<Command>,
    programs: Vec<Vec<Command>>,
}

/// The replies to each program, and the state stored afterwards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    answers: Vec<Vec<String>>,
    stored: Vec<String>,
}

impl Scenario {
    pub(super) fn after(before: impl IntoIterator<Item = Command>) -> Self {
        Self { before: before.into_iter().collect(), programs: Vec::new() }
    }

    /// Adds commands that run before the programs.
    pub(super) fn and_before(mut self, before: impl IntoIterator<Item = Command>) -> Self {
        self.before.extend(before);
        self
    }

    pub(super) fn with(mut self, program: impl IntoIterator<Item = Command>) -> Self {
        self.programs.push(program.into_iter().collect());
        self
    }

    /// Asserts that every interleaving has the outcome of some sequential order.
    pub(super) fn assert_sequential(&self) {
        let violation = self.explore(Faults::default());
        assert!(violation.is_none(), "{} of {self:#?}", violation.unwrap_or_default());
    }

    /// Asserts that some interleaving on a store with faults has the outcome of no sequential order.
    pub(super) fn assert_broken_by(&self, faults: Faults) {
        let violation = self.explore(faults);
        assert!(violation.is_some(), "{INTERLEAVINGS} interleavings do not show {faults:?}");
    }

    /// Returns the first outcome that no sequential order has.
    fn explore(&self, faults: Faults) -> Option<String> {
        let expected = self.sequential_outcomes();
        let violation = Arc::new(std::sync::Mutex::new(None));
        let (scenario, found) = (self.clone(), Arc::clone(&violation));
        let once = move || {
            if found.lock().unwrap().is_none() {
                let outcome = scenario.side_by_side(faults);
                if !expected.contains(&outcome) {
                    *found.lock().unwrap() = Some(format!("{outcome:#?} instead of one of {expected:#?}"));
                }
            }
        };
        let mut config = Config::new();
        config.stack_size = STACK_BYTES;
        let runner = Runner::new(RandomScheduler::new_from_seed(SEED, INTERLEAVINGS), config);
        runner.run(once);
        violation.lock().unwrap().take()
    }

    /// Runs the programs once, as the scheduler lets them.
    fn side_by_side(&self, faults: Faults) -> Outcome {
        let shop = Arc::new(Shop::new(Arc::new(Explored::default()), faults));
        self.before.iter().for_each(|command| drop(shop.run(command)));
        let program = |program: &Vec<Command>| {
            let (shop, program) = (Arc::clone(&shop), program.clone());
            thread::spawn(move || program.iter().map(|command| shop.run(command)).collect())
        };
        let running: Vec<_> = self.programs.iter().map(program).collect();
        let answers = running.into_iter().map(|program| program.join().unwrap()).collect();
        Outcome { answers, stored: shop.stored() }
    }

    /// Returns the outcomes of all orders that keep the order of each program.
    fn sequential_outcomes(&self) -> BTreeSet<Outcome> {
        let mut outcomes = BTreeSet::new();
        let lengths: Vec<_> = self.programs.iter().map(Vec::len).collect();
        for order in orders(&lengths) {
            let shop = Shop::new(Arc::new(Threads::default()), Faults::default());
            self.before.iter().for_each(|command| drop(shop.run(command)));
            let mut answers: Vec<Vec<String>> = vec![Vec::new(); self.programs.len()];
            for program in order {
                let next = &self.programs[program][answers[program].len()];
                answers[program].push(shop.run(next));
            }
            outcomes.insert(Outcome { answers, stored: shop.stored() });
        }
        outcomes
    }
}

/// Returns all orders in which programs of these lengths can take turns.
fn orders(left: &[usize]) -> Vec<Vec<usize>> {
    if left.iter().all(|left| *left == 0) {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for program in (0..left.len()).filter(|program| left[*program] > 0) {
        let mut left = left.to_vec();
        left[program] -= 1;
        all.extend(orders(&left).into_iter().map(|rest| [vec![program], rest].concat()));
    }
    all
}

/// Lets the explorer choose the program that continues at every call of a port.
#[derive(Default)]
struct Explored {
    releases: Mutex<u64>,
    released: Condvar,
}

impl Scheduler for Explored {
    fn port_call(&self) {
        thread::yield_now();
    }

    fn releases(&self) -> u64 {
        *self.releases.lock().unwrap()
    }

    fn release(&self) {
        if !std::thread::panicking() {
            *self.releases.lock().unwrap() += 1;
            self.released.notify_all();
        }
    }

    /// Waits without a timeout: units that wait for each other are a conflict, and all others end.
    fn wait(&self, seen: u64, _: Duration) -> bool {
        let mut releases = self.releases.lock().unwrap();
        while *releases <= seen {
            releases = self.released.wait(releases).unwrap();
        }
        true
    }
}

#[test]
fn programs_are_interleaved_in_every_order() {
    assert_eq!(orders(&[2, 1]), [[0, 0, 1], [0, 1, 0], [1, 0, 0]]);
    assert_eq!(orders(&[1, 1, 1]).len(), 6);
}
