//! Standalone lines, and units that are released on request.

use super::Product;
use crate::{
    AllocateError, AllocationReason, BatchReference, DeallocateError, DeallocationReason, HoldExpired, LineAllocation,
    LineAlreadyAllocated, LineState, OrderCancelled, OrderClosed, OrderEnd, OrderId, Outcome, Pending, Quantity,
    ReservationState,
};
use chrono::{DateTime, Utc};

impl Product {
    /// Allocates the units of a line's quantity that it does not have yet. Picked and shipped units count
    /// as units that it has.
    ///
    /// The first batch, in order of preference, that has enough free units serves the whole line. The line is
    /// split over the batches in that order only if no single batch has enough. It gets nothing if all batches
    /// together have too few.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing of the line has changed.
    pub fn allocate(
        &mut self,
        order_id: &OrderId,
        quantity: Quantity,
        now: DateTime<Utc>,
    ) -> Result<Outcome<LineAllocation>, Pending<AllocateError>> {
        self.catch_up(now)?;
        let Some(missing) = self.missing(order_id, quantity).map_err(Pending::Refused)? else {
            return Ok(Outcome::Unchanged(self.line_allocation(order_id, quantity)));
        };
        let plan = self.plan_newcomer(missing, false)?;
        if let Some(shortage) = plan.shortage(self, quantity) {
            return Err(Pending::refused(shortage));
        }
        if self.lines.get(order_id).is_some() {
            self.atomically(|product| {
                product.stop_waiting(order_id);
                product.apply_plan(order_id, &plan, AllocationReason::Refill);
                // Its other units may move again, now that it lacks none.
                product.serve_waiting()
            })?;
        } else {
            self.insert_line(order_id.clone(), LineState::standalone(quantity, self.decided_at(now)));
            self.apply_plan(order_id, &plan, AllocationReason::NewLine);
        }
        Ok(Outcome::Changed(self.line_allocation(order_id, quantity)))
    }

    /// Releases an order's units of a batch, and serves the waiting lines from them. Units on pick lists
    /// leave their lists; picked units stay picked.
    ///
    /// The line then no longer waits, since it would get the same units again. A standalone line without
    /// any units left is removed, so that it can return with any quantity.
    ///
    /// # Errors
    ///
    /// [`Pending`]; refused when the batch does not exist, or when the order has no units of it, or only
    /// picked ones.
    pub fn deallocate(
        &mut self,
        order_id: &OrderId,
        reference: &BatchReference,
        now: DateTime<Utc>,
    ) -> Result<Quantity, Pending<DeallocateError>> {
        self.catch_up(now)?;
        if self.batch_index(reference).is_none() {
            return Err(Pending::Refused(DeallocateError::BatchNotFound(reference.clone())));
        }
        let Some(freed) = self.line(order_id).and_then(|line| line.holds(reference)) else {
            let picked = self.was_picked_in(order_id, reference)?;
            let (order_id, reference) = (order_id.clone(), reference.clone());
            return Err(Pending::Refused(if picked {
                DeallocateError::Picked { order_id, reference }
            } else {
                DeallocateError::AllocationNotFound { order_id, reference }
            }));
        };
        self.atomically(|product| {
            product.free(order_id, reference, freed, DeallocationReason::Request)?;
            product.stop_waiting(order_id);
            if product.line(order_id).is_some_and(|line| line.is_idle() && !line.terms.of_order) {
                product.remove_line(order_id);
            }
            product.serve_waiting()?;
            Ok(freed)
        })
    }

    /// Records that an order has ended according to its lines of other products.
    pub(crate) fn note_end(&mut self, order_id: &OrderId, end: OrderEnd) {
        self.ended_orders.insert(order_id.clone(), end);
    }

    /// Returns the units that a line lacks of its quantity, `None` if it lacks none.
    fn missing(&self, order_id: &OrderId, quantity: Quantity) -> Result<Option<Quantity>, AllocateError> {
        let Some(line) = self.lines.get(order_id) else {
            return match self.ended_orders.get(order_id) {
                None => Ok(Some(quantity)),
                Some(OrderEnd::Expired) => Err(HoldExpired { order_id: order_id.clone() }.into()),
                Some(OrderEnd::Cancelled) => Err(OrderCancelled { order_id: order_id.clone() }.into()),
                Some(OrderEnd::Closed) => Err(OrderClosed { order_id: order_id.clone() }.into()),
            };
        };
        match line.commitment {
            ReservationState::Firm | ReservationState::Held { .. } => {}
            ReservationState::Expired => return Err(HoldExpired { order_id: order_id.clone() }.into()),
            ReservationState::Cancelled => return Err(OrderCancelled { order_id: order_id.clone() }.into()),
            ReservationState::Closed => return Err(OrderClosed { order_id: order_id.clone() }.into()),
        }
        if line.quantity != quantity {
            return Err(LineAlreadyAllocated {
                order_id: order_id.clone(),
                sku: self.sku.clone(),
                allocated: line.quantity,
                requested: quantity,
            }
            .into());
        }
        Ok(quantity.minus(line.served()))
    }

    #[expect(clippy::expect_used, reason = "the line was found or added before")]
    fn line_allocation(&self, order_id: &OrderId, quantity: Quantity) -> LineAllocation {
        let line = self.lines.get(order_id).expect("an allocated line is loaded");
        LineAllocation {
            order_id: order_id.clone(),
            sku: self.sku.clone(),
            quantity,
            fulfilment: line.fulfilment,
            allocations: line.allocations.clone(),
        }
    }
}
