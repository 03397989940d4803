//! Commands that wait for a decision.

use crate::EngineError;
use crate::allocate_line::LineAnswer;
use crate::group::{Answer, Command};
use crate::place_order::OrderAnswer;
use allocation_domain::{NewOrder, OrderLine, Sku};
use allocation_ports::{EventContext, StoreError};
use std::iter;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// A command with its context and the channel for its reply.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) request: Request,
    pub(super) context: EventContext,
    /// The time from which the command is rejected.
    pub(super) deadline: Instant,
    /// The room in the queue that the job occupies while it waits.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

/// A command and the channel for its reply.
#[derive(Debug)]
pub(super) enum Request {
    Line { line: OrderLine, reply: oneshot::Sender<LineAnswer> },
    Order { order: NewOrder, reply: oneshot::Sender<OrderAnswer> },
}

impl Job {
    pub(super) const fn command(&self) -> (Command<'_>, &EventContext) {
        let command = match &self.request {
            Request::Line { line, .. } => Command::Allocate(line),
            Request::Order { order, .. } => Command::Place(order),
        };
        (command, &self.context)
    }

    /// Returns how many lines the command has.
    pub(super) fn lines(&self) -> usize {
        match &self.request {
            Request::Line { .. } => 1,
            Request::Order { order, .. } => order.lines().len(),
        }
    }

    /// Returns the first SKU of the command. Every order has a line.
    pub(super) fn first_sku(&self) -> Option<&Sku> {
        self.skus().next()
    }

    /// Returns the SKUs of the command.
    pub(super) fn skus(&self) -> impl Iterator<Item = &Sku> {
        let (line, order) = match &self.request {
            Request::Line { line, .. } => (Some(line), None),
            Request::Order { order, .. } => (None, Some(order)),
        };
        let of_order = order.into_iter().flat_map(|order| order.lines().iter().map(|(sku, _)| sku));
        line.into_iter().flat_map(|line| iter::once(line.sku())).chain(of_order)
    }

    /// Sends the decision to the caller.
    ///
    /// A caller that has disconnected needs no reply: sending the command again returns its outcome.
    pub(super) fn answer(self, answer: Answer) {
        match (self.request, answer) {
            (Request::Line { reply, .. }, Answer::Line(answer)) => drop(reply.send(answer)),
            (Request::Order { reply, .. }, Answer::Order(answer)) => drop(reply.send(answer)),
            // The dropped channel reports that the unit of work was abandoned.
            (Request::Line { .. }, Answer::Order(_) | Answer::Behind)
            | (Request::Order { .. }, Answer::Line(_) | Answer::Behind) => {
                tracing::error!("a command was answered as another");
            }
        }
    }

    /// Replies that nothing was decided.
    pub(super) fn fail(self, error: Arc<StoreError>) {
        match self.request {
            Request::Line { reply, .. } => drop(reply.send(Err(error.into()))),
            Request::Order { reply, .. } => drop(reply.send(Err(error.into()))),
        }
    }

    /// Replies that too many commands wait, or that this one has waited too long.
    pub(super) fn refuse(self) {
        match self.request {
            Request::Line { reply, .. } => drop(reply.send(Err(EngineError::Overloaded))),
            Request::Order { reply, .. } => drop(reply.send(Err(EngineError::Overloaded))),
        }
    }
}
