//! What waits to be decided.

use crate::allocate_line::LineAnswer;
use crate::group::{Answer, Command};
use crate::place_order::OrderAnswer;
use allocation_domain::{NewOrder, OrderLine, Sku};
use allocation_ports::{Origin, StoreError};
use std::sync::Arc;
use tokio::sync::oneshot;

/// A command, where it comes from, and the one who waits for its answer.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) request: Request,
    pub(super) origin: Origin,
}

/// A command and the one who waits for its answer.
#[derive(Debug)]
pub(super) enum Request {
    Line { line: OrderLine, reply: oneshot::Sender<LineAnswer> },
    Order { order: NewOrder, reply: oneshot::Sender<OrderAnswer> },
}

impl Job {
    pub(super) const fn command(&self) -> (Command<'_>, &Origin) {
        let command = match &self.request {
            Request::Line { line, .. } => Command::Allocate(line),
            Request::Order { order, .. } => Command::Place(order),
        };
        (command, &self.origin)
    }

    /// How many lines the command has.
    pub(super) fn lines(&self) -> usize {
        match &self.request {
            Request::Line { .. } => 1,
            Request::Order { order, .. } => order.lines().len(),
        }
    }

    /// The SKU that the command begins with. No order is without lines.
    pub(super) fn first_sku(&self) -> Option<&Sku> {
        match &self.request {
            Request::Line { line, .. } => Some(line.sku()),
            Request::Order { order, .. } => order.lines().first().map(|(sku, _)| sku),
        }
    }

    /// Answers what was decided. A caller who is gone needs no answer: sending the command again
    /// tells what became of it.
    pub(super) fn answer(self, answer: Answer) {
        match (self.request, answer) {
            (Request::Line { reply, .. }, Answer::Line(answer)) => drop(reply.send(answer)),
            (Request::Order { reply, .. }, Answer::Order(answer)) => drop(reply.send(answer)),
            // Who gets no answer is told that the unit of work was abandoned.
            (Request::Line { .. }, Answer::Order(_) | Answer::Behind)
            | (Request::Order { .. }, Answer::Line(_) | Answer::Behind) => {
                tracing::error!("a command was answered as another");
            }
        }
    }

    /// Answers that nothing was decided.
    pub(super) fn fail(self, error: Arc<StoreError>) {
        match self.request {
            Request::Line { reply, .. } => drop(reply.send(Err(error.into()))),
            Request::Order { reply, .. } => drop(reply.send(Err(error.into()))),
        }
    }
}
