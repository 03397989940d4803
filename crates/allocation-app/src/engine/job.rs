//! Commands that wait for a decision.

use super::error::EngineError;
use super::line::LineReply;
use super::orders::OrderReply;
use super::room::Room;
use crate::{Refusal, RefusalCode};
use allocation_domain::{AllocateError, LineAllocation, NewOrder, Order, OrderLine, Outcome, PlaceError, Sku};
use allocation_ports::{EventContext, StoreError};
use std::iter;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// A command with its context, its decision and the channel for its reply.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) request: Request,
    pub(super) context: EventContext,
    /// The time from which the command is rejected.
    pub(super) deadline: Instant,
    /// The room in the queue that the job occupies while it waits.
    pub(super) room: Option<Room>,
}

/// A command by its kind.
#[derive(Debug)]
pub(super) enum Request {
    Line(Command<OrderLine, Outcome<LineAllocation>, AllocateError>),
    Order(Command<NewOrder, Outcome<Order, ()>, PlaceError>),
}

/// A command whose reply is `Result<T, EngineError<R>>`.
#[derive(Debug)]
pub(super) struct Command<C, T, R> {
    pub(super) content: C,
    pub(super) decision: Decision<Result<T, EngineError<R>>>,
    reply: oneshot::Sender<Result<T, EngineError<R>>>,
}

/// The decision of the last unit of work on a command.
#[derive(Debug)]
pub(super) enum Decision<Reply> {
    /// Nothing: the unit left the command out.
    Open,
    /// Nothing: a product of the command is behind, and the unit was a step.
    Behind,
    /// The reply, to be sent after the commit.
    Made(Reply),
}

/// The kind of a [`Decision`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Open,
    Behind,
    Refused,
    Decided,
}

impl<C, T, R> Command<C, T, R> {
    fn new(content: C) -> (Self, oneshot::Receiver<Result<T, EngineError<R>>>) {
        let (reply, answer) = oneshot::channel();
        (Self { content, decision: Decision::Open, reply }, answer)
    }

    const fn progress(&self) -> Progress {
        match &self.decision {
            Decision::Open => Progress::Open,
            Decision::Behind => Progress::Behind,
            Decision::Made(Err(_)) => Progress::Refused,
            Decision::Made(Ok(_)) => Progress::Decided,
        }
    }

    /// Returns the code of the rule's refusal, if the command was refused by one.
    fn refusal(&self) -> Option<RefusalCode>
    where
        R: Refusal,
    {
        match &self.decision {
            Decision::Made(Err(EngineError::Refused(refusal))) => Some(refusal.code()),
            _ => None,
        }
    }

    /// Sends the decision, if one was made.
    ///
    /// A caller that has disconnected needs no reply: sending the command again returns its outcome.
    fn send(self) {
        if let Decision::Made(reply) = self.decision {
            drop(self.reply.send(reply));
        }
    }

    fn fail(self, error: EngineError<R>) {
        drop(self.reply.send(Err(error)));
    }
}

impl Job {
    /// Returns the job of a line, and the receiver of its reply.
    pub(super) fn line(
        line: OrderLine,
        context: EventContext,
        deadline: Instant,
    ) -> (Self, oneshot::Receiver<LineReply>) {
        let (command, answer) = Command::new(line);
        (Self { request: Request::Line(command), context, deadline, room: None }, answer)
    }

    /// Returns the job of an order, and the receiver of its reply.
    pub(super) fn order(
        order: NewOrder,
        context: EventContext,
        deadline: Instant,
    ) -> (Self, oneshot::Receiver<OrderReply>) {
        let (command, answer) = Command::new(order);
        (Self { request: Request::Order(command), context, deadline, room: None }, answer)
    }

    /// Returns how many lines the command has.
    pub(super) fn lines(&self) -> usize {
        match &self.request {
            Request::Line(_) => 1,
            Request::Order(order) => order.content.lines().len(),
        }
    }

    /// Returns the first SKU of the command. Every order has a line.
    pub(super) fn first_sku(&self) -> Option<&Sku> {
        self.skus().next()
    }

    /// Returns the SKUs of the command.
    pub(super) fn skus(&self) -> impl Iterator<Item = &Sku> {
        let (line, order) = match &self.request {
            Request::Line(line) => (Some(&line.content), None),
            Request::Order(order) => (None, Some(&order.content)),
        };
        let of_order = order.into_iter().flat_map(|order| order.lines().iter().map(|(sku, _)| sku));
        line.into_iter().flat_map(|line| iter::once(line.sku())).chain(of_order)
    }

    /// Returns the kind of decision that the last unit of work made on the command.
    pub(super) const fn progress(&self) -> Progress {
        match &self.request {
            Request::Line(line) => line.progress(),
            Request::Order(order) => order.progress(),
        }
    }

    /// Returns the code of the rule's refusal, if the command was refused by one.
    pub(super) fn refusal(&self) -> Option<RefusalCode> {
        match &self.request {
            Request::Line(line) => line.refusal(),
            Request::Order(order) => order.refusal(),
        }
    }

    /// Discards the decision of a unit of work that was not committed.
    pub(super) fn reopen(&mut self) {
        match &mut self.request {
            Request::Line(line) => line.decision = Decision::Open,
            Request::Order(order) => order.decision = Decision::Open,
        }
    }

    /// Records that a product of the command is behind.
    pub(super) fn wait_for_product(&mut self) {
        match &mut self.request {
            Request::Line(line) => line.decision = Decision::Behind,
            Request::Order(order) => order.decision = Decision::Behind,
        }
    }

    /// Sends the committed decision to the caller.
    pub(super) fn reply(self) {
        match self.request {
            Request::Line(line) => line.send(),
            Request::Order(order) => order.send(),
        }
    }

    /// Replies that nothing was decided.
    pub(super) fn fail(self, error: Arc<StoreError>) {
        match self.request {
            Request::Line(line) => line.fail(error.into()),
            Request::Order(order) => order.fail(error.into()),
        }
    }

    /// Replies that too many commands wait, or that this one has waited too long.
    pub(super) fn refuse(self) {
        match self.request {
            Request::Line(line) => line.fail(EngineError::Overloaded),
            Request::Order(order) => order.fail(EngineError::Overloaded),
        }
    }
}
