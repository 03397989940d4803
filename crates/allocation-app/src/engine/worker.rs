//! Workers: each decides the groups of one queue.

use super::counters::{EngineCounters, GroupMeasure};
use super::group::decide_group;
use super::held_skus::HeldSkus;
use super::job::{Job, Progress};
use super::lane::Lane;
use super::queue::Receiver;
use crate::unit_of_work::{Attempt, FarBehind, UnitOutcome};
use crate::{AgeLimit, UnitRunner};
use allocation_domain::Sku;
use allocation_ports::{LockWait, StoreError, UnitOfWork};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time by which the parts of a failed group may delay the lines queued after them.
const PARTS_TIMEOUT: Duration = Duration::from_secs(1);

/// How long commands on products that are behind may delay the lines queued after them: a few units of
/// work. Then these commands fail as busy, and the sweeper continues alone.
const CATCH_UP_TIMEOUT: Duration = Duration::from_millis(250);

/// The deadlines for the rest of a group that was not decided at once.
#[derive(Debug, Clone, Copy)]
struct Until {
    parts: Instant,
    behind: Instant,
}

impl Until {
    /// Returns the deadlines for a group that started at `begun` and has just run.
    fn after(begun: Instant) -> Self {
        Self { parts: Instant::now() + PARTS_TIMEOUT, behind: begun + CATCH_UP_TIMEOUT }
    }
}

/// Takes groups from one queue and runs each in a unit of work.
pub(super) struct Worker {
    pub(super) units: UnitRunner,
    pub(super) counters: Arc<EngineCounters>,
    pub(super) age: AgeLimit,
    pub(super) held: Arc<HeldSkus>,
    pub(super) group_size: usize,
}

/// The outcome of a group, whose jobs carry the decisions.
type Decided = Result<(), StoreError>;

impl Worker {
    /// Decides the commands of a queue. Commands whose products are held go into the lane.
    pub(super) fn run(&self, mut queue: Receiver, lane: &Lane) {
        while let Some(jobs) = queue.take(self.group_size) {
            for group in self.groups(jobs) {
                let group = self.begin(group, lane);
                let waiting = queue.len();
                lane.put(Self::survive(|| self.decide(group, waiting)));
            }
        }
    }

    pub(super) const fn age(&self) -> &AgeLimit {
        &self.age
    }

    /// Splits jobs into groups within the size limit.
    fn groups(&self, jobs: Vec<Job>) -> Vec<Vec<Job>> {
        let mut groups: Vec<Vec<Job>> = Vec::new();
        let mut lines = 0;
        for job in jobs {
            lines += job.lines();
            match groups.last_mut() {
                Some(group) if lines <= self.group_size => group.push(job),
                _ => {
                    lines = job.lines();
                    groups.push(vec![job]);
                }
            }
        }
        groups
    }

    /// Returns the jobs of a group to decide now.
    ///
    /// Rejects the late ones, and puts those whose products are held into the lane.
    fn begin(&self, group: Vec<Job>, lane: &Lane) -> Vec<Job> {
        let now = self.age.now();
        let mut begun = Vec::with_capacity(group.len());
        for mut job in group {
            // The job occupies room in the queue only until its turn.
            job.room = None;
            if now >= job.deadline {
                self.counters.overload();
                job.refuse();
            } else if self.held.any(job.skus(), &self.age) {
                lane.put([job]);
            } else {
                begun.push(job);
            }
        }
        begun
    }

    /// Runs `work`, so that a panic outside of decisions does not end the thread. The callers then receive an
    /// error: whether their commands are committed is unknown.
    pub(super) fn survive(work: impl FnOnce() -> Vec<Job>) -> Vec<Job> {
        panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            tracing::error!("commands were abandoned by a panic");
            Vec::new()
        })
    }

    /// Decides a group; returns the commands whose products other transactions have locked.
    ///
    /// A group that fails as a whole is split until the faulty command is alone. The first run waits
    /// briefly for locks and does not check for held products, which are rare. Only a retry checks, and
    /// continues without them.
    fn decide(&self, group: Vec<Job>, waiting: usize) -> Vec<Job> {
        self.run_group(group, waiting, |attempt| attempt.number > 1)
    }

    /// Decides the commands without held products; returns the rest.
    pub(super) fn decide_unheld(&self, group: Vec<Job>) -> Vec<Job> {
        self.run_group(group, 0, |_| true)
    }

    fn run_group(&self, mut group: Vec<Job>, waiting: usize, asks: impl Fn(Attempt) -> bool) -> Vec<Job> {
        if group.is_empty() {
            return group;
        }
        let begun = Instant::now();
        let decided = self.units_for(&group).run_waiting(LockWait::Brief, "decide_group", |unit, attempt| {
            if attempt.number > 1 {
                self.counters.retry();
            }
            self.decide_some(unit, attempt, &mut group, asks(attempt))
        });
        self.measure(&group, &decided, waiting, begun);
        self.finish(group, decided, Until::after(begun))
    }

    /// Decides commands, waiting briefly for their products; returns them if the products stay locked.
    pub(super) fn decide_with_a_wait(&self, mut group: Vec<Job>) -> Vec<Job> {
        let begun = Instant::now();
        let units = self.units_for(&group);
        let work = |unit: &mut dyn UnitOfWork, attempt: Attempt| self.decide_some(unit, attempt, &mut group, false);
        match units.try_run("decide_held", work) {
            Err(StoreError::Busy(_) | StoreError::Conflict(_)) => group,
            decided => {
                self.measure(&group, &decided, 0, begun);
                self.finish(group, decided, Until::after(begun))
            }
        }
    }

    /// Decides a part of a failed group, unless the time for that is over.
    fn decide_part(&self, mut part: Vec<Job>, until: Until) -> Vec<Job> {
        let begun = Instant::now();
        if begun >= until.parts {
            fail_all(part, StoreError::Busy("the time for this group is over".into()));
            return Vec::new();
        }
        self.counters.retry();
        let units = self.units_for(&part);
        let decided = units.try_run("decide_part", |unit, attempt| self.decide_some(unit, attempt, &mut part, true));
        self.measure(&part, &decided, 0, begun);
        self.finish(part, decided, until)
    }

    /// Returns the runner of units that decide these commands.
    fn units_for(&self, group: &[Job]) -> Cow<'_, UnitRunner> {
        self.units.for_commands(group.iter().map(|job| &job.context))
    }

    /// Decides a group in a unit of work; with `ask`, without the commands whose products are held.
    ///
    /// A unit that resolves an unknown commit leaves none of its commands out.
    fn decide_some(
        &self,
        unit: &mut dyn UnitOfWork,
        attempt: Attempt,
        group: &mut [Job],
        ask: bool,
    ) -> Result<UnitOutcome<()>, StoreError> {
        let held = if ask && !attempt.resolving { self.find_held(unit, group)? } else { BTreeSet::new() };
        let chosen = self.choose(group, &held);
        group.iter_mut().for_each(Job::reopen);
        let jobs = group.iter_mut().zip(chosen).filter(|(_, chosen)| *chosen);
        let mut jobs: Vec<&mut Job> = jobs.map(|(job, _)| job).collect();
        if jobs.is_empty() {
            return Ok(UnitOutcome::Rollback(()));
        }
        let mut at = None;
        let mut is_late = |job: &Job| *at.get_or_insert_with(|| self.age.now()) >= job.deadline;
        // The panic of one command fails the unit, which is then split like any other that failed.
        let decide = AssertUnwindSafe(|| decide_group(unit, attempt, &mut jobs, &mut is_late));
        let panicked = |_| Err(StoreError::Failed("the decision panicked".into()));
        panic::catch_unwind(decide).unwrap_or_else(panicked)
    }

    /// Returns the products of a group that other transactions have locked.
    fn find_held(&self, unit: &mut dyn UnitOfWork, group: &[Job]) -> Result<BTreeSet<Sku>, StoreError> {
        let skus: BTreeSet<&Sku> = group.iter().flat_map(Job::skus).collect();
        let skus: Vec<Sku> = skus.into_iter().cloned().collect();
        let held = unit.products().locked_by_others(&skus)?;
        if !held.is_empty() {
            self.held.remember(&held, &self.age);
        }
        Ok(held.into_iter().collect())
    }

    /// Returns which jobs to decide: those without held products, up to the group size.
    fn choose(&self, group: &[Job], held: &BTreeSet<Sku>) -> Vec<bool> {
        let mut lines = 0;
        let mut choose = |job: &Job| {
            if !held.is_empty() && job.skus().any(|sku| held.contains(sku)) {
                return false;
            }
            let is_first = lines == 0;
            lines += job.lines();
            is_first || lines <= self.group_size
        };
        group.iter().map(&mut choose).collect()
    }

    fn measure(&self, group: &[Job], decided: &Decided, waiting: usize, begun: Instant) {
        let lines_of = |counts: fn(Progress) -> bool| -> usize {
            group.iter().filter(|job| counts(job.progress())).map(Job::lines).sum()
        };
        let (lines, refused) = match decided {
            Ok(()) => (lines_of(|it| it != Progress::Open), lines_of(|it| it == Progress::Refused)),
            Err(_) => (lines_of(|_| true), 0),
        };
        if lines > 0 {
            let (took, failed) = (begun.elapsed(), decided.is_err());
            self.counters.group(GroupMeasure { lines, refused, waiting, took, failed });
        }
    }

    /// Replies to the decided commands and splits a failed group; returns the commands whose products are
    /// held.
    fn finish(&self, mut group: Vec<Job>, decided: Decided, until: Until) -> Vec<Job> {
        match decided {
            Ok(()) => {
                let (behind, mut held) = self.reply(group);
                held.extend(self.catch_up(behind, until));
                held
            }
            Err(error) if splitting_helps(&group, &error) => {
                // Sorted by SKU, so that a faulty product is soon alone.
                group.sort_by(|one, other| one.first_sku().cmp(&other.first_sku()));
                let other_half = group.split_off(group.len() / 2);
                let mut held = self.decide_part(group, until);
                held.extend(self.decide_part(other_half, until));
                held
            }
            Err(error) => {
                fail_all(group, error);
                Vec::new()
            }
        }
    }

    /// Decides again the commands whose products were behind, until the time for that is over.
    fn catch_up(&self, mut behind: Vec<Job>, until: Until) -> Vec<Job> {
        let mut held = Vec::new();
        while !behind.is_empty() {
            let begun = Instant::now();
            if begun >= until.behind {
                fail_all(behind, StoreError::Busy(FarBehind.into()));
                break;
            }
            self.counters.retry();
            let units = self.units_for(&behind);
            let decided = units.try_run("catch_up", |unit, attempt| self.decide_some(unit, attempt, &mut behind, true));
            self.measure(&behind, &decided, 0, begun);
            match decided {
                Ok(()) => {
                    let (still, more) = self.reply(behind);
                    behind = still;
                    held.extend(more);
                }
                Err(error) => {
                    held.extend(self.finish(behind, Err(error), until));
                    break;
                }
            }
        }
        held
    }

    /// Replies to the decided commands.
    ///
    /// Returns the commands whose products are behind, and those whose products are held.
    fn reply(&self, group: Vec<Job>) -> (Vec<Job>, Vec<Job>) {
        let (mut behind, mut held) = (Vec::new(), Vec::new());
        for job in group {
            match job.progress() {
                Progress::Behind => behind.push(job),
                Progress::Open => held.push(job),
                Progress::Refused | Progress::Decided => {
                    if let Some(code) = job.refusal() {
                        self.units.counters().refusal(code);
                    }
                    self.held.remove(job.skus());
                    job.reply();
                }
            }
        }
        (behind, held)
    }
}

/// Replies to all jobs of a group that nothing was decided.
fn fail_all(group: Vec<Job>, error: StoreError) {
    tracing::debug!(commands = group.len(), %error, "a group was not decided");
    let error = Arc::new(error);
    for job in group {
        job.fail(Arc::clone(&error));
    }
}

/// Returns whether a part of a failed group may succeed.
fn splitting_helps(group: &[Job], error: &StoreError) -> bool {
    match error {
        // A held product stays held for each of its lines.
        StoreError::Conflict(_) | StoreError::Busy(_) => !is_of_one_sku(group),
        // Lines of other products, and other lines of this one, may be sound.
        StoreError::Invariant { .. } | StoreError::Failed(_) => group.len() > 1,
        StoreError::ConnectionLost(_) | StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) => false,
    }
}

fn is_of_one_sku(group: &[Job]) -> bool {
    let first = group.first().and_then(Job::first_sku);
    group.len() == 1 || group.iter().all(|job| job.lines() == 1 && job.first_sku() == first)
}
