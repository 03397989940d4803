use super::held_skus::HeldSkus;
use super::job::Job;
use super::lane::Lane;
use super::queue::Receiver;
use crate::group::{Answer, decide_group};
use crate::unit_of_work::{Attempt, FarBehind, UnitOutcome};
use crate::{AgeLimit, UnitRunner};
use allocation_domain::Sku;
use allocation_ports::{EngineMetrics, GroupMeasure, LockWait, StoreError, UnitOfWork};
use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the parts of a group that failed may hold up the lines behind them.
const PATIENCE_WITH_PARTS: Duration = Duration::from_secs(1);

/// How long commands on products that are behind may hold up the lines behind them: some units of work,
/// after which the sweeper goes on alone, and these commands are answered that the database is busy.
const PATIENCE_WITH_BEHIND: Duration = Duration::from_millis(250);

/// Until when a group is still worked on that was not decided at once.
#[derive(Debug, Clone, Copy)]
struct Until {
    parts: Instant,
    behind: Instant,
}

impl Until {
    /// The end of the time for a group that was begun at an instant and has run just now.
    fn after(begun: Instant) -> Self {
        Self { parts: Instant::now() + PATIENCE_WITH_PARTS, behind: begun + PATIENCE_WITH_BEHIND }
    }
}

/// Takes groups from one queue and runs each in a unit of work.
pub(super) struct Worker {
    pub(super) units: UnitRunner,
    pub(super) metrics: Arc<dyn EngineMetrics>,
    pub(super) age: AgeLimit,
    pub(super) held: Arc<HeldSkus>,
    pub(super) group_size: usize,
}

/// What became of a group: an answer for each command that was decided.
type Decided = Result<Vec<Option<Answer>>, StoreError>;

impl Worker {
    /// Decides what comes through a queue. What others hold up goes into the lane.
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

    /// Parts jobs into groups that have no more lines than a group may have.
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

    /// Those of a group whose turn it is. What has waited for too long is refused, and what is about
    /// products that others hold waits in the lane.
    fn begin(&self, group: Vec<Job>, lane: &Lane) -> Vec<Job> {
        let now = self.age.now();
        let mut begun = Vec::with_capacity(group.len());
        for mut job in group {
            // It takes up room in the queue until it is its turn.
            job.room = None;
            if now >= job.deadline {
                self.metrics.overload();
                job.refuse();
            } else if self.held.any(job.skus(), &self.age) {
                lane.put([job]);
            } else {
                begun.push(job);
            }
        }
        begun
    }

    /// A panic costs the group at hand its answers, not those behind it their worker.
    pub(super) fn survive(work: impl FnOnce() -> Vec<Job>) -> Vec<Job> {
        panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            tracing::error!("a group was abandoned by a panic");
            Vec::new()
        })
    }

    /// Decides a group, and gives back the commands about products that others hold; one that fails as
    /// a whole is split until what is at fault is alone.
    ///
    /// The first run asks nothing about locks, as nearly always there are none; it waits for them but
    /// briefly. Only a further one asks which products are held, and goes on without them.
    fn decide(&self, group: Vec<Job>, waiting: usize) -> Vec<Job> {
        self.run_group(group, waiting, |attempt| attempt.number > 1)
    }

    /// Decides those of the commands none of whose products is held, and gives back the rest.
    pub(super) fn decide_unheld(&self, group: Vec<Job>) -> Vec<Job> {
        self.run_group(group, 0, |_| true)
    }

    fn run_group(&self, group: Vec<Job>, waiting: usize, asks: impl Fn(Attempt) -> bool) -> Vec<Job> {
        if group.is_empty() {
            return group;
        }
        let begun = Instant::now();
        let decided = self.units.run_waiting(LockWait::Brief, "decide_group", |unit, attempt| {
            if attempt.number > 1 {
                self.metrics.retry();
            }
            self.decide_some(unit, attempt, &group, asks(attempt))
        });
        self.measure(&group, &decided, waiting, begun);
        self.finish(group, decided, Until::after(begun))
    }

    /// Decides commands, and waits a moment for their products; gives them back if that was in vain.
    pub(super) fn decide_with_a_wait(&self, group: Vec<Job>) -> Vec<Job> {
        let begun = Instant::now();
        let work = |unit: &mut dyn UnitOfWork, attempt: Attempt| self.decide_some(unit, attempt, &group, false);
        match self.units.try_run(work) {
            Err(StoreError::Busy(_) | StoreError::Conflict(_)) => group,
            decided => {
                self.measure(&group, &decided, 0, begun);
                self.finish(group, decided, Until::after(begun))
            }
        }
    }

    /// Decides a part of a group that failed, unless the time for that is over.
    fn decide_part(&self, part: Vec<Job>, until: Until) -> Vec<Job> {
        let begun = Instant::now();
        if begun >= until.parts {
            fail_all(part, StoreError::Busy("the time for this group is over".into()));
            return Vec::new();
        }
        self.metrics.retry();
        let decided = self.units.try_run(|unit, attempt| self.decide_some(unit, attempt, &part, true));
        self.measure(&part, &decided, 0, begun);
        self.finish(part, decided, until)
    }

    /// Decides a group in a unit of work, without the commands about products that others hold if it is
    /// to ask for them. A unit that may have been committed leaves none of its commands out.
    fn decide_some(
        &self,
        unit: &mut dyn UnitOfWork,
        attempt: Attempt,
        group: &[Job],
        ask: bool,
    ) -> Result<UnitOutcome<Vec<Option<Answer>>>, StoreError> {
        let held = if ask && !attempt.resolving { self.find_held(unit, group)? } else { BTreeSet::new() };
        let chosen = self.choose(group, &held);
        let jobs = || group.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(job, _)| job);
        if jobs().next().is_none() {
            return Ok(UnitOutcome::Rollback(group.iter().map(|_| None).collect()));
        }
        let deadlines: Vec<Instant> = jobs().map(|job| job.deadline).collect();
        let mut at = None;
        let mut is_late = |number: usize| {
            let at = *at.get_or_insert_with(|| self.age.now());
            deadlines.get(number).is_some_and(|deadline| at >= *deadline)
        };
        let ending = decide_group(unit, attempt, jobs().map(Job::command), &mut is_late)?;
        Ok(ending.map(|answers| {
            let mut answers = answers.into_iter();
            chosen.iter().map(|chosen| if *chosen { answers.next() } else { None }).collect()
        }))
    }

    /// Which of the products of a group others hold.
    fn find_held(&self, unit: &mut dyn UnitOfWork, group: &[Job]) -> Result<BTreeSet<Sku>, StoreError> {
        let skus: BTreeSet<&Sku> = group.iter().flat_map(Job::skus).collect();
        let skus: Vec<Sku> = skus.into_iter().cloned().collect();
        let held = unit.products().locked_by_others(&skus)?;
        if !held.is_empty() {
            self.held.remember(&held, &self.age);
        }
        Ok(held.into_iter().collect())
    }

    /// Which of the jobs to decide: those of free products, as many as a group may have.
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
        let lines = match decided {
            Ok(answers) => decided_jobs(group, answers).map(|(job, _)| job.lines()).sum(),
            Err(_) => group.iter().map(Job::lines).sum(),
        };
        if lines == 0 {
            return;
        }
        let refused = decided.as_ref().map_or(0, |answers| {
            let refused = decided_jobs(group, answers).filter(|(_, answer)| answer.is_refusal());
            refused.map(|(job, _)| job.lines()).sum()
        });
        self.metrics.group(GroupMeasure { lines, refused, waiting, took: begun.elapsed(), failed: decided.is_err() });
    }

    /// Answers what was decided, splits what failed, and gives back what others hold.
    fn finish(&self, mut group: Vec<Job>, decided: Decided, until: Until) -> Vec<Job> {
        match decided {
            Ok(answers) => {
                let (behind, mut held) = self.answer(group, answers);
                held.extend(self.go_on(behind, until));
                held
            }
            Err(error) if splitting_helps(&group, &error) => {
                // By SKU, so that a product that is at fault is soon alone.
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

    /// Decides commands again whose products were behind, unless the time for that is over.
    fn go_on(&self, mut behind: Vec<Job>, until: Until) -> Vec<Job> {
        let mut held = Vec::new();
        while !behind.is_empty() {
            let begun = Instant::now();
            if begun >= until.behind {
                fail_all(behind, StoreError::Busy(FarBehind.into()));
                break;
            }
            self.metrics.retry();
            let decided = self.units.try_run(|unit, attempt| self.decide_some(unit, attempt, &behind, true));
            self.measure(&behind, &decided, 0, begun);
            match decided {
                Ok(answers) => {
                    let (still, more) = self.answer(behind, answers);
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

    /// Answers those whose commands were decided. Returns those whose products are behind, and those whose
    /// products others hold.
    fn answer(&self, group: Vec<Job>, answers: Vec<Option<Answer>>) -> (Vec<Job>, Vec<Job>) {
        let (mut behind, mut held) = (Vec::new(), Vec::new());
        for (job, answer) in group.into_iter().zip(answers) {
            match answer {
                Some(Answer::Behind) => behind.push(job),
                Some(answer) => {
                    self.held.forget(job.skus());
                    job.answer(answer);
                }
                None => held.push(job),
            }
        }
        (behind, held)
    }
}

/// The jobs of a group that were decided, with their answers.
fn decided_jobs<'a>(group: &'a [Job], answers: &'a [Option<Answer>]) -> impl Iterator<Item = (&'a Job, &'a Answer)> {
    group.iter().zip(answers).filter_map(|(job, answer)| Some((job, answer.as_ref()?)))
}

/// Tells all of a group that nothing of it was decided.
fn fail_all(group: Vec<Job>, error: StoreError) {
    tracing::debug!(commands = group.len(), %error, "a group was not decided");
    let error = Arc::new(error);
    for job in group {
        job.fail(Arc::clone(&error));
    }
}

/// Whether a part of the group could do what the whole could not.
fn splitting_helps(group: &[Job], error: &StoreError) -> bool {
    match error {
        // One product that others hold stays so for each of its lines.
        StoreError::Conflict(_) | StoreError::Busy(_) => !is_of_one_sku(group),
        // The lines of other products, and other lines of this one, may be sound.
        StoreError::Invariant { .. } | StoreError::Failed(_) => group.len() > 1,
        StoreError::ConnectionLost(_) | StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) => false,
    }
}

fn is_of_one_sku(group: &[Job]) -> bool {
    let first = group.first().and_then(Job::first_sku);
    group.len() == 1 || group.iter().all(|job| job.lines() == 1 && job.first_sku() == first)
}
