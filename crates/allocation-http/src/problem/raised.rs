//! Converts the errors of use cases to problems. No match has a `_` arm: a new error must not compile
//! before its status is chosen.

use super::{Kind, Problem};
use crate::etag;
use allocation_app::{
    AddBatchError, AllocateLineError, CancelOrderError, ChangeBatchError, ConfirmOrderError, DeallocateError,
    ExtendHoldError, MakePickListError, PickError, PlaceOrderError, RegisterProductError, ReleasePickListError,
    RemoveBatchError, ShipPickListError, is_overload,
};
use allocation_domain as domain;
use allocation_ports::{OtherGeneration, ReadLogError, StoreError};
use std::sync::Arc;

impl From<AddBatchError> for Problem {
    fn from(error: AddBatchError) -> Self {
        match error {
            AddBatchError::AlreadyExists(_) => Self::new(Kind::BatchAlreadyExists, error.to_string()),
            AddBatchError::Store(error) => error.into(),
        }
    }
}

impl From<RemoveBatchError> for Problem {
    fn from(error: RemoveBatchError) -> Self {
        match error {
            RemoveBatchError::Refused(refusal) => match refusal {
                domain::RemoveBatchError::NotFound(_) => Self::new(Kind::BatchNotFound, refusal.to_string()),
                domain::RemoveBatchError::HasAllocations { .. } => {
                    Self::new(Kind::BatchHasAllocations, refusal.to_string())
                }
                domain::RemoveBatchError::Picked { .. } => Self::new(Kind::AlreadyPicked, refusal.to_string()),
                domain::RemoveBatchError::MoreNeeded(needed) => undecided(needed),
            },
            RemoveBatchError::Stale { reference, actual } => stale(&reference, actual),
            RemoveBatchError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeBatchError> for Problem {
    fn from(error: ChangeBatchError) -> Self {
        match error {
            ChangeBatchError::Refused(refusal) => match refusal {
                domain::ChangeBatchError::NotFound(_) => Self::new(Kind::BatchNotFound, refusal.to_string()),
                domain::ChangeBatchError::Stale { reference, actual, .. } => stale(&reference, actual),
                domain::ChangeBatchError::BelowConsumed { .. } => Self::new(Kind::UnitsConsumed, refusal.to_string()),
                domain::ChangeBatchError::MoreNeeded(needed) => undecided(needed),
            },
            ChangeBatchError::Store(error) => error.into(),
        }
    }
}

impl From<RegisterProductError> for Problem {
    fn from(error: RegisterProductError) -> Self {
        match error {
            RegisterProductError::Store(error) => error.into(),
        }
    }
}

impl From<PlaceOrderError> for Problem {
    fn from(error: PlaceOrderError) -> Self {
        match error {
            PlaceOrderError::OutOfStock(shortages) => Self::shortages(&shortages),
            PlaceOrderError::UnknownSkus(unknown) => Self::unknown_skus(&unknown),
            PlaceOrderError::AlreadyExists(_) => Self::new(Kind::OrderAlreadyExists, error.to_string()),
            PlaceOrderError::Overloaded => Self::of(Kind::Overloaded),
            PlaceOrderError::ShuttingDown => Self::of(Kind::ShuttingDown),
            PlaceOrderError::Store(error) => error.into(),
        }
    }
}

impl From<ConfirmOrderError> for Problem {
    fn from(error: ConfirmOrderError) -> Self {
        match error {
            ConfirmOrderError::Refused(refusal) => match refusal {
                domain::ConfirmError::NotFound(order_id) => Self::order_not_found(&order_id),
                domain::ConfirmError::HoldExpired(_) => Self::new(Kind::HoldExpired, refusal.to_string()),
                domain::ConfirmError::Cancelled(_) => Self::new(Kind::OrderCancelled, refusal.to_string()),
            },
            ConfirmOrderError::Store(error) => error.into(),
        }
    }
}

impl From<ExtendHoldError> for Problem {
    fn from(error: ExtendHoldError) -> Self {
        match error {
            ExtendHoldError::Refused(refusal) => match refusal {
                domain::ExtendError::NotFound(order_id) => Self::order_not_found(&order_id),
                domain::ExtendError::HoldExpired(_) => Self::new(Kind::HoldExpired, refusal.to_string()),
                domain::ExtendError::Cancelled(_) => Self::new(Kind::OrderCancelled, refusal.to_string()),
                domain::ExtendError::NotHeld(_) => Self::new(Kind::OrderNotHeld, refusal.to_string()),
            },
            ExtendHoldError::Store(error) => error.into(),
        }
    }
}

impl From<CancelOrderError> for Problem {
    fn from(error: CancelOrderError) -> Self {
        match error {
            CancelOrderError::NotFound(order_id) => Self::order_not_found(&order_id),
            CancelOrderError::Picked(_) => Self::new(Kind::AlreadyPicked, error.to_string()),
            CancelOrderError::Store(error) => error.into(),
        }
    }
}

impl From<AllocateLineError> for Problem {
    fn from(error: AllocateLineError) -> Self {
        match error {
            AllocateLineError::OutOfStock(refusal) => Self::out_of_stock(&refusal),
            AllocateLineError::LineAlreadyAllocated(refusal) => {
                Self::new(Kind::LineAlreadyAllocated, refusal.to_string())
            }
            AllocateLineError::HoldExpired(refusal) => Self::new(Kind::HoldExpired, refusal.to_string()),
            AllocateLineError::OrderCancelled(refusal) => Self::new(Kind::OrderCancelled, refusal.to_string()),
            AllocateLineError::Overloaded => Self::of(Kind::Overloaded),
            AllocateLineError::ShuttingDown => Self::of(Kind::ShuttingDown),
            AllocateLineError::Store(error) => error.into(),
        }
    }
}

impl From<DeallocateError> for Problem {
    fn from(error: DeallocateError) -> Self {
        match error {
            DeallocateError::Refused(refusal) => match refusal {
                domain::DeallocateError::BatchNotFound(_) => Self::new(Kind::BatchNotFound, refusal.to_string()),
                domain::DeallocateError::AllocationNotFound { .. } => {
                    Self::new(Kind::AllocationNotFound, refusal.to_string())
                }
                domain::DeallocateError::Picked { .. } => Self::new(Kind::AlreadyPicked, refusal.to_string()),
                domain::DeallocateError::MoreNeeded(needed) => undecided(needed),
            },
            DeallocateError::Store(error) => error.into(),
        }
    }
}

impl From<MakePickListError> for Problem {
    fn from(error: MakePickListError) -> Self {
        match error {
            MakePickListError::NothingToPick => Self::nothing_to_pick(),
            MakePickListError::AlreadyExists(_) => Self::new(Kind::PickListAlreadyExists, error.to_string()),
            MakePickListError::Store(error) => error.into(),
        }
    }
}

impl From<PickError> for Problem {
    fn from(error: PickError) -> Self {
        match error {
            PickError::Refused(refusal) => match refusal {
                domain::PickError::NotFound(_) => Self::new(Kind::PickLineNotFound, refusal.to_string()),
                domain::PickError::Withdrawn(_) => Self::new(Kind::PickLineWithdrawn, refusal.to_string()),
                domain::PickError::TooMany { .. } => Self::new(Kind::MoreThanToPick, refusal.to_string()),
                domain::PickError::AlreadyPicked { .. } => Self::new(Kind::PickedOtherwise, refusal.to_string()),
                domain::PickError::MoreNeeded(needed) => undecided(needed),
            },
            PickError::Store(error) => error.into(),
        }
    }
}

impl From<ShipPickListError> for Problem {
    fn from(error: ShipPickListError) -> Self {
        match error {
            ShipPickListError::Refused(refusal) => match refusal {
                domain::ShipError::NotFound(list_id) => Self::pick_list_not_found(&list_id),
                domain::ShipError::NotPicked { list, lines } => Self::not_picked(&list, lines),
                domain::ShipError::NothingPicked(_) => Self::new(Kind::NothingPicked, refusal.to_string()),
                domain::ShipError::MoreNeeded(needed) => undecided(needed),
            },
            ShipPickListError::Store(error) => error.into(),
        }
    }
}

impl From<ReleasePickListError> for Problem {
    fn from(error: ReleasePickListError) -> Self {
        match error {
            ReleasePickListError::Refused(refusal) => match refusal {
                domain::GiveBackError::NotFound(list_id) => Self::pick_list_not_found(&list_id),
                domain::GiveBackError::Picked(_) => Self::new(Kind::AlreadyPicked, refusal.to_string()),
                domain::GiveBackError::MoreNeeded(needed) => undecided(needed),
            },
            ReleasePickListError::Store(error) => error.into(),
        }
    }
}

fn stale(reference: &domain::BatchReference, actual: domain::BatchVersion) -> Problem {
    let tag = etag::version_tag(actual);
    let detail = format!("Batch {reference} has the version {tag} now, which If-Match does not name");
    Problem::new(Kind::BatchChanged, detail)
}

/// Converts an open decision, which breaks an invariant: use cases load data until they can decide.
fn undecided(needed: domain::MoreNeeded) -> Problem {
    Problem::of(Kind::InternalError).caused_by(Arc::new(needed))
}

impl From<ReadLogError> for Problem {
    fn from(error: ReadLogError) -> Self {
        match error {
            ReadLogError::Gone { oldest } => Self::events_gone(oldest),
            ReadLogError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Arc::new(error).into()
    }
}

impl From<Arc<StoreError>> for Problem {
    fn from(error: Arc<StoreError>) -> Self {
        let problem = match &*error {
            error if is_overload(error) => Self::of(Kind::Overloaded),
            StoreError::Conflict(_) | StoreError::Busy(_) => Self::of(Kind::DatabaseBusy),
            StoreError::Unavailable(cause) => match cause.downcast_ref::<OtherGeneration>() {
                Some(other) => Self::new(Kind::SchemaNotCurrent, format!("Nothing was changed: {other}")),
                None => Self::of(Kind::DatabaseUnavailable),
            },
            StoreError::ConnectionLost(_) | StoreError::OutcomeUnknown(_) => Self::of(Kind::DatabaseUnavailable),
            StoreError::Invariant { .. } | StoreError::Failed(_) => Self::of(Kind::InternalError),
        };
        problem.caused_by(error)
    }
}
