//! Converts refusals and the errors of use cases to problems. No match has a `_` arm: a new refusal must not
//! compile before its status is chosen.

use super::{Kind, Problem};
use crate::etag;
use allocation_app::{EngineError, RemoveBatchError, UseCaseError, is_overload};
use allocation_domain::{
    self as domain, AddBatchError, AllocateError, CancelError, ChangeBatchError, ConfirmError, DeallocateError,
    ExtendError, MakePickListError, PickError, PlaceError, ReleasePickListError, ShipError,
};
use allocation_ports::{OtherGeneration, ReadLogError, StoreError};
use std::sync::Arc;

impl<R: Into<Self>> From<UseCaseError<R>> for Problem {
    fn from(error: UseCaseError<R>) -> Self {
        match error {
            UseCaseError::Refused(refusal) => refusal.into(),
            UseCaseError::Store(error) => error.into(),
        }
    }
}

impl<R: Into<Self>> From<EngineError<R>> for Problem {
    fn from(error: EngineError<R>) -> Self {
        match error {
            EngineError::Refused(refusal) => refusal.into(),
            EngineError::Overloaded => Self::of(Kind::Overloaded),
            EngineError::ShuttingDown => Self::of(Kind::ShuttingDown),
            EngineError::Store(error) => error.into(),
        }
    }
}

impl From<AddBatchError> for Problem {
    fn from(refusal: AddBatchError) -> Self {
        match refusal {
            AddBatchError::AlreadyExists(_) => Self::new(Kind::BatchAlreadyExists, refusal.to_string()),
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
            },
            RemoveBatchError::Stale { reference, actual } => stale(&reference, actual),
        }
    }
}

impl From<ChangeBatchError> for Problem {
    fn from(refusal: ChangeBatchError) -> Self {
        match refusal {
            ChangeBatchError::NotFound(_) => Self::new(Kind::BatchNotFound, refusal.to_string()),
            ChangeBatchError::Stale { reference, actual, .. } => stale(&reference, actual),
            ChangeBatchError::BelowConsumed { .. } => Self::new(Kind::UnitsConsumed, refusal.to_string()),
        }
    }
}

impl From<PlaceError> for Problem {
    fn from(refusal: PlaceError) -> Self {
        match refusal {
            PlaceError::OutOfStock(shortages) => Self::shortages(&shortages),
            PlaceError::UnknownSkus(unknown) => Self::unknown_skus(&unknown),
            PlaceError::AlreadyExists(_) => Self::new(Kind::OrderAlreadyExists, refusal.to_string()),
        }
    }
}

impl From<ConfirmError> for Problem {
    fn from(refusal: ConfirmError) -> Self {
        match refusal {
            ConfirmError::NotFound(order_id) => Self::order_not_found(&order_id),
            ConfirmError::HoldExpired(_) => Self::new(Kind::HoldExpired, refusal.to_string()),
            ConfirmError::Cancelled(_) => Self::new(Kind::OrderCancelled, refusal.to_string()),
        }
    }
}

impl From<ExtendError> for Problem {
    fn from(refusal: ExtendError) -> Self {
        match refusal {
            ExtendError::NotFound(order_id) => Self::order_not_found(&order_id),
            ExtendError::HoldExpired(_) => Self::new(Kind::HoldExpired, refusal.to_string()),
            ExtendError::Cancelled(_) => Self::new(Kind::OrderCancelled, refusal.to_string()),
            ExtendError::NotHeld(_) => Self::new(Kind::OrderNotHeld, refusal.to_string()),
        }
    }
}

impl From<CancelError> for Problem {
    fn from(refusal: CancelError) -> Self {
        match refusal {
            CancelError::NotFound(order_id) => Self::order_not_found(&order_id),
            CancelError::Picked(_) => Self::new(Kind::AlreadyPicked, refusal.to_string()),
        }
    }
}

impl From<AllocateError> for Problem {
    fn from(refusal: AllocateError) -> Self {
        match refusal {
            AllocateError::OutOfStock(refusal) => Self::out_of_stock(&refusal),
            AllocateError::LineAlreadyAllocated(_) => Self::new(Kind::LineAlreadyAllocated, refusal.to_string()),
            AllocateError::HoldExpired(_) => Self::new(Kind::HoldExpired, refusal.to_string()),
            AllocateError::OrderCancelled(_) => Self::new(Kind::OrderCancelled, refusal.to_string()),
        }
    }
}

impl From<DeallocateError> for Problem {
    fn from(refusal: DeallocateError) -> Self {
        match refusal {
            DeallocateError::BatchNotFound(_) => Self::new(Kind::BatchNotFound, refusal.to_string()),
            DeallocateError::AllocationNotFound { .. } => Self::new(Kind::AllocationNotFound, refusal.to_string()),
            DeallocateError::Picked { .. } => Self::new(Kind::AlreadyPicked, refusal.to_string()),
        }
    }
}

impl From<MakePickListError> for Problem {
    fn from(refusal: MakePickListError) -> Self {
        match refusal {
            MakePickListError::NothingToPick => Self::nothing_to_pick(),
            MakePickListError::AlreadyExists(_) => Self::new(Kind::PickListAlreadyExists, refusal.to_string()),
        }
    }
}

impl From<PickError> for Problem {
    fn from(refusal: PickError) -> Self {
        match refusal {
            PickError::NotFound(_) => Self::new(Kind::PickLineNotFound, refusal.to_string()),
            PickError::Withdrawn(_) => Self::new(Kind::PickLineWithdrawn, refusal.to_string()),
            PickError::TooMany { .. } => Self::new(Kind::MoreThanToPick, refusal.to_string()),
            PickError::AlreadyPicked { .. } => Self::new(Kind::PickedOtherwise, refusal.to_string()),
        }
    }
}

impl From<ShipError> for Problem {
    fn from(refusal: ShipError) -> Self {
        match refusal {
            ShipError::NotFound(list_id) => Self::pick_list_not_found(&list_id),
            ShipError::NotPicked { list, lines } => Self::not_picked(&list, lines),
            ShipError::NothingPicked(_) => Self::new(Kind::NothingPicked, refusal.to_string()),
        }
    }
}

impl From<ReleasePickListError> for Problem {
    fn from(refusal: ReleasePickListError) -> Self {
        match refusal {
            ReleasePickListError::NotFound(list_id) => Self::pick_list_not_found(&list_id),
            ReleasePickListError::Picked(_) => Self::new(Kind::AlreadyPicked, refusal.to_string()),
        }
    }
}

fn stale(reference: &domain::BatchReference, actual: domain::BatchVersion) -> Problem {
    let tag = etag::version_tag(actual);
    let detail = format!("Batch {reference} has the version {tag} now, which If-Match does not name");
    Problem::new(Kind::BatchChanged, detail)
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
