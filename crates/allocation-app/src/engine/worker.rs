use super::job::Job;
use super::queue::{Receiver, Waiting};
use crate::UnitRunner;
use crate::group::{Answer, decide_group};
use crate::unit_of_work::FarBehind;
use allocation_ports::{EngineMetrics, GroupMeasure, StoreError};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the parts of a group that failed may hold up the lines behind them.
const PATIENCE_WITH_PARTS: Duration = Duration::from_secs(3);

/// How long commands on products that are behind may hold up the lines behind them: some units of work,
/// after which the sweeper goes on alone, and these commands are answered that the database is busy.
const PATIENCE_WITH_BEHIND: Duration = Duration::from_millis(250);

/// Until when a group is still worked on that was not decided at once.
#[derive(Debug, Clone, Copy)]
struct Until {
    parts: Instant,
    behind: Instant,
}

/// Takes groups from one queue and runs each in a unit of work.
pub(super) struct Worker {
    units: UnitRunner,
    metrics: Arc<dyn EngineMetrics>,
    group_size: usize,
}

impl Worker {
    pub(super) const fn new(units: UnitRunner, metrics: Arc<dyn EngineMetrics>, group_size: usize) -> Self {
        Self { units, metrics, group_size }
    }

    pub(super) fn run(&self, mut queue: Receiver) {
        while let Some(jobs) = queue.take(self.group_size) {
            for group in self.groups(jobs) {
                // They take up room in the queue until it is their turn.
                let group = group.into_iter().map(|waiting| waiting.job).collect();
                Self::survive(|| self.decide(group, queue.len()));
            }
        }
    }

    /// Parts jobs into groups that have no more lines than a group may have.
    fn groups(&self, jobs: Vec<Waiting>) -> Vec<Vec<Waiting>> {
        let mut groups: Vec<Vec<Waiting>> = Vec::new();
        let mut lines = 0;
        for waiting in jobs {
            lines += waiting.job.lines();
            match groups.last_mut() {
                Some(group) if lines <= self.group_size => group.push(waiting),
                _ => {
                    lines = waiting.job.lines();
                    groups.push(vec![waiting]);
                }
            }
        }
        groups
    }

    /// A panic costs the group at hand its answers, not those behind it their worker.
    fn survive(work: impl FnOnce()) {
        if panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
            tracing::error!("a group was abandoned by a panic");
        }
    }

    /// Decides a group; one that fails as a whole is split until what is at fault is alone.
    fn decide(&self, group: Vec<Job>, waiting: usize) {
        let begun = Instant::now();
        let decided = self.units.run("decide_group", |unit, attempt| {
            if attempt.number > 1 {
                self.metrics.retry();
            }
            decide_group(unit, attempt, group.iter().map(Job::command))
        });
        self.measure(&group, &decided, waiting, begun);
        let now = Instant::now();
        self.finish(group, decided, Until { parts: now + PATIENCE_WITH_PARTS, behind: begun + PATIENCE_WITH_BEHIND });
    }

    /// Decides a part of a group that failed, unless the time for that is over.
    fn decide_part(&self, part: Vec<Job>, until: Until) {
        let begun = Instant::now();
        if begun >= until.parts {
            return fail_all(part, StoreError::Busy("the time for this group is over".into()));
        }
        self.metrics.retry();
        let decided =
            self.units.run_impatiently(|unit, attempt| decide_group(unit, attempt, part.iter().map(Job::command)));
        self.measure(&part, &decided, 0, begun);
        self.finish(part, decided, until);
    }

    /// Decides commands again whose products were behind, unless the time for that is over.
    fn go_on(&self, mut behind: Vec<Job>, until: Until) {
        while !behind.is_empty() {
            let begun = Instant::now();
            if begun >= until.behind {
                return fail_all(behind, StoreError::Busy(FarBehind.into()));
            }
            self.metrics.retry();
            let decided = self
                .units
                .run_impatiently(|unit, attempt| decide_group(unit, attempt, behind.iter().map(Job::command)));
            self.measure(&behind, &decided, 0, begun);
            match decided {
                Ok(answers) => behind = answer_all(behind, answers),
                Err(error) => return self.finish(behind, Err(error), until),
            }
        }
    }

    fn measure(&self, group: &[Job], decided: &Result<Vec<Answer>, StoreError>, waiting: usize, begun: Instant) {
        self.metrics.group(GroupMeasure {
            lines: group.iter().map(Job::lines).sum(),
            refused: decided.as_ref().map_or(0, |answers| refused_lines(group, answers)),
            waiting,
            took: begun.elapsed(),
            failed: decided.is_err(),
        });
    }

    /// Answers what was decided, or splits what was not.
    fn finish(&self, mut group: Vec<Job>, decided: Result<Vec<Answer>, StoreError>, until: Until) {
        match decided {
            Ok(answers) => {
                let behind = answer_all(group, answers);
                self.go_on(behind, until);
            }
            Err(error) if splitting_helps(&group, &error) => {
                // By SKU, so that a product that is at fault is soon alone.
                group.sort_by(|one, other| one.first_sku().cmp(&other.first_sku()));
                let other_half = group.split_off(group.len() / 2);
                self.decide_part(group, until);
                self.decide_part(other_half, until);
            }
            Err(error) => fail_all(group, error),
        }
    }
}

/// Answers what was decided, and returns the commands whose products are behind.
fn answer_all(group: Vec<Job>, answers: Vec<Answer>) -> Vec<Job> {
    let mut behind = Vec::new();
    for (job, answer) in group.into_iter().zip(answers) {
        match answer {
            Answer::Behind => behind.push(job),
            answer => job.answer(answer),
        }
    }
    behind
}

/// How many lines the refused commands of a group have.
fn refused_lines(group: &[Job], answers: &[Answer]) -> usize {
    let refused = group.iter().zip(answers).filter(|(_, answer)| answer.is_refusal());
    refused.map(|(job, _)| job.lines()).sum()
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
