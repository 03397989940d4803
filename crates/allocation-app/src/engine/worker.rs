use crate::UnitRunner;
use crate::allocate_line::{Answer, allocate_lines};
use allocation_domain::OrderLine;
use allocation_ports::{Clock, EngineMetrics, GroupMeasure, StoreError};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// How long the parts of a group that failed may hold up the lines behind them.
const PATIENCE_WITH_PARTS: Duration = Duration::from_secs(3);

/// A line and the one who waits for its answer.
pub(super) struct Job {
    pub(super) line: OrderLine,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// What goes through a queue.
pub(super) enum Message {
    Line(Job),
    /// Take no more, finish what waits, end.
    Stop,
}

/// Takes groups from one queue and runs each in a unit of work.
pub(super) struct Worker {
    units: UnitRunner,
    clock: Arc<dyn Clock>,
    metrics: Arc<dyn EngineMetrics>,
    group_size: usize,
}

impl Worker {
    pub(super) fn new(
        units: UnitRunner,
        clock: Arc<dyn Clock>,
        metrics: Arc<dyn EngineMetrics>,
        group_size: usize,
    ) -> Self {
        Self { units, clock, metrics, group_size }
    }

    pub(super) fn run(&self, mut queue: mpsc::Receiver<Message>) {
        let mut taken = Vec::with_capacity(self.group_size);
        while queue.blocking_recv_many(&mut taken, self.group_size) > 0 {
            let mut group = Vec::with_capacity(taken.len());
            for message in taken.drain(..) {
                match message {
                    Message::Line(job) => group.push(job),
                    Message::Stop => queue.close(),
                }
            }
            Self::survive(|| self.allocate(group, queue.len()));
        }
    }

    /// A panic costs the group at hand its answers, not the lines behind it their worker.
    fn survive(work: impl FnOnce()) {
        if panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
            tracing::error!("a group of lines was abandoned by a panic");
        }
    }

    /// Allocates a group; one that fails as a whole is split until what is at fault is alone.
    fn allocate(&self, group: Vec<Job>, waiting: usize) {
        if group.is_empty() {
            return;
        }
        let (now, begun) = (self.clock.now(), Instant::now());
        let decided = self.units.run("allocate", |unit, attempt| {
            if attempt.number > 1 {
                self.metrics.retry();
            }
            allocate_lines(unit, attempt, group.iter().map(|job| &job.line), now)
        });
        self.measure(&group, &decided, waiting, begun);
        self.finish(group, decided, Instant::now() + PATIENCE_WITH_PARTS);
    }

    /// Allocates a part of a group that failed, unless the time for that is over.
    fn allocate_part(&self, part: Vec<Job>, until: Instant) {
        let (now, begun) = (self.clock.now(), Instant::now());
        if begun >= until {
            return answer_all(part, StoreError::Busy("the time for this group is over".into()));
        }
        self.metrics.retry();
        let decided = self
            .units
            .run_impatiently(|unit, attempt| allocate_lines(unit, attempt, part.iter().map(|job| &job.line), now));
        self.measure(&part, &decided, 0, begun);
        self.finish(part, decided, until);
    }

    fn measure(&self, group: &[Job], decided: &Result<Vec<Answer>, StoreError>, waiting: usize, begun: Instant) {
        self.metrics.group(GroupMeasure {
            lines: group.len(),
            refused: decided.as_ref().map_or(0, |answers| answers.iter().filter(|answer| answer.is_err()).count()),
            waiting,
            took: begun.elapsed(),
            failed: decided.is_err(),
        });
    }

    /// Answers what was decided, or splits what was not.
    fn finish(&self, mut group: Vec<Job>, decided: Result<Vec<Answer>, StoreError>, until: Instant) {
        match decided {
            Ok(answers) => {
                for (job, answer) in group.into_iter().zip(answers) {
                    answer_to(job, answer);
                }
            }
            Err(error) if splitting_helps(&group, &error) => {
                // By SKU, so that a product that is at fault is soon alone.
                group.sort_by(|a, b| a.line.sku().cmp(b.line.sku()));
                let other_half = group.split_off(group.len() / 2);
                self.allocate_part(group, until);
                self.allocate_part(other_half, until);
            }
            Err(error) => answer_all(group, error),
        }
    }
}

/// Tells all of a group that it was not allocated.
fn answer_all(group: Vec<Job>, error: StoreError) {
    tracing::debug!(lines = group.len(), %error, "a group was not allocated");
    let error = Arc::new(error);
    for job in group {
        answer_to(job, Err(Arc::clone(&error).into()));
    }
}

/// Whether a part of the group could do what the whole could not.
fn splitting_helps(group: &[Job], error: &StoreError) -> bool {
    let one_sku = || group.iter().all(|job| job.line.sku() == group[0].line.sku());
    match error {
        // One product that others hold stays so for each of its lines.
        StoreError::Conflict(_) | StoreError::Busy(_) => !one_sku(),
        StoreError::Failed(_) => group.len() > 1,
        StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) => false,
    }
}

/// A caller who is gone needs no answer: sending the line again tells what became of it.
fn answer_to(job: Job, answer: Answer) {
    let _gone = job.reply.send(answer);
}
