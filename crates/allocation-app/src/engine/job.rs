//! What waits to be decided.

use crate::allocate_line::LineAnswer;
use crate::group::{Answer, Command};
use crate::place_order::OrderAnswer;
use allocation_domain::{NewOrder, OrderLine, Sku};
use allocation_ports::StoreError;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A command and the one who waits for its answer.
#[derive(Debug)]
pub(super) enum Job {
    Line { line: OrderLine, reply: oneshot::Sender<LineAnswer> },
    Order { order: NewOrder, reply: oneshot::Sender<OrderAnswer> },
}

impl Job {
    pub(super) const fn command(&self) -> Command<'_> {
        match self {
            Self::Line { line, .. } => Command::Allocate(line),
            Self::Order { order, .. } => Command::Place(order),
        }
    }

    /// How many lines the command has.
    pub(super) fn lines(&self) -> usize {
        match self {
            Self::Line { .. } => 1,
            Self::Order { order, .. } => order.lines().len(),
        }
    }

    /// The SKU that the command begins with. No order is without lines.
    pub(super) fn first_sku(&self) -> Option<&Sku> {
        match self {
            Self::Line { line, .. } => Some(line.sku()),
            Self::Order { order, .. } => order.lines().first().map(|(sku, _)| sku),
        }
    }

    /// Answers what was decided. A caller who is gone needs no answer: sending the command again
    /// tells what became of it.
    pub(super) fn answer(self, answer: Answer) {
        match (self, answer) {
            (Self::Line { reply, .. }, Answer::Line(answer)) => drop(reply.send(answer)),
            (Self::Order { reply, .. }, Answer::Order(answer)) => drop(reply.send(answer)),
            // Who gets no answer is told that the unit of work was abandoned.
            (Self::Line { .. }, Answer::Order(_)) | (Self::Order { .. }, Answer::Line(_)) => {
                tracing::error!("a command was answered as another");
            }
        }
    }

    /// Answers that nothing was decided.
    pub(super) fn fail(self, error: Arc<StoreError>) {
        match self {
            Self::Line { reply, .. } => drop(reply.send(Err(error.into()))),
            Self::Order { reply, .. } => drop(reply.send(Err(error.into()))),
        }
    }
}
