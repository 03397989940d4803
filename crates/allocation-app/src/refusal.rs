//! Refusals as every transport reports them: a code with a title, a detail and members.

use crate::{RefusalCode, RemoveBatchError};
use allocation_domain::{
    self as domain, AbandonCountError, AddBatchError, AdjustError, AllocateError, BatchReference, BatchVersion,
    CancelError, ChangeBatchError, ChangeOrderError, CloseCountError, CloseError, ConfirmError, CreateShipmentError,
    DeallocateError, EnterCountError, ExcessReturn, ExtendError, MakePickListError, OpenCountError, OutOfStock,
    PickError, PlaceError, PutBackError, ReceiveError, ReleasePickLineError, ReleasePickListError, ReturnError,
    ShipError, Shortages, Sku, UnknownSkus,
};
use std::fmt::Display;

/// A rule's rejection of a command, which has changed nothing.
pub trait Refusal: Display {
    /// Returns the code of the refusal.
    fn code(&self) -> RefusalCode;

    /// Returns the detail, for a person.
    fn detail(&self) -> String {
        self.to_string()
    }

    /// Returns the data of the refusal, for a program.
    fn members(&self) -> RefusalMembers<'_> {
        RefusalMembers::None
    }
}

/// The data of a refusal beside its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalMembers<'a> {
    /// No data.
    None,
    /// A standalone line that is short.
    Shortage(&'a OutOfStock),
    /// The lines of an order that are short.
    Shortages(&'a [OutOfStock]),
    /// The unknown SKUs of an order.
    UnknownSkus(&'a [Sku]),
    /// The numbers of the open lines of a pick list, or of the lines of a count that are not entered.
    OpenLines(&'a [u32]),
    /// The lines of an order of which too many units would come back.
    ExcessReturns(&'a [ExcessReturn]),
    /// A batch whose version is not the expected one.
    Stale(&'a BatchReference, BatchVersion),
}

/// Declares the code of each variant of a refusal. The match has no `_` arm: a new variant needs a code.
macro_rules! refusals {
    ($($refusal:ty { $($pattern:pat => $code:ident),+ $(,)? })+) => {$(
        impl Refusal for $refusal {
            fn code(&self) -> RefusalCode {
                match self { $($pattern => RefusalCode::$code),+ }
            }
        }
    )+};
}

refusals! {
    AdjustError {
        Self::AlreadyExists(_) => AdjustmentAlreadyExists,
        Self::NotFound(_) => BatchNotFound,
        Self::QuantityChanged { .. } => QuantityChanged,
        Self::BelowConsumed { .. } => UnitsConsumed,
        Self::TooManyUnits { .. } => TooManyUnits,
    }
    AddBatchError {
        Self::AlreadyExists(_) => BatchAlreadyExists,
    }
    OpenCountError {
        Self::AlreadyExists(_) => CountAlreadyExists,
        Self::AdjustmentExists(_) => AdjustmentAlreadyExists,
        Self::NotFound(_) => BatchNotFound,
        Self::BatchInOpenCount { .. } => BatchInOpenCount,
        Self::NothingToCount => NothingToCount,
        Self::TooManyBatches => CountTooLarge,
    }
    EnterCountError {
        Self::NotFound(_) => CountNotFound,
        Self::NoLine(..) => CountLineNotFound,
        Self::Closed(_) => CountClosed,
        Self::BatchNotFound(_) => BatchNotFound,
        Self::PickedUnits { .. } => PickedUnits,
    }
    AbandonCountError {
        Self::NotFound(_) => CountNotFound,
        Self::Closed(_) => CountClosed,
    }
    ReceiveError {
        Self::AlreadyExists(_) => ReceiptAlreadyExists,
        Self::NotFound(_) => BatchNotFound,
        Self::NotInTransit(_) => NotInTransit,
        Self::MoreThanExpected { .. } => MoreThanExpected,
        Self::TooManyUnits(_) => TooManyUnits,
        Self::RestExists(_) => BatchAlreadyExists,
        Self::RestWithoutName(_) => RestWithoutName,
    }
    ExtendError {
        Self::NotFound(_) => OrderNotFound,
        Self::Stale { .. } => OrderChanged,
        Self::HoldExpired(_) => HoldExpired,
        Self::Cancelled(_) => OrderCancelled,
        Self::Closed(_) => OrderClosed,
        Self::NotHeld(_) => OrderNotHeld,
        Self::TooLong(_) => HoldTooLong,
    }
    CloseError {
        Self::NotFound(_) => OrderNotFound,
        Self::HoldExpired(_) => HoldExpired,
        Self::Cancelled(_) => OrderCancelled,
        Self::Stale { .. } => OrderChanged,
    }
    CancelError {
        Self::NotFound(_) => OrderNotFound,
        Self::Picked(_) => AlreadyPicked,
        Self::Stale { .. } => OrderChanged,
    }
    DeallocateError {
        Self::BatchNotFound(_) => BatchNotFound,
        Self::AllocationNotFound { .. } => AllocationNotFound,
        Self::Picked { .. } => AlreadyPicked,
    }
    PickError {
        Self::NotFound(_) => PickLineNotFound,
        Self::Withdrawn(_) => PickLineWithdrawn,
        Self::TooMany { .. } => MoreThanToPick,
        Self::AlreadyShipped { .. } => AlreadyShipped,
        Self::AlreadyPutBack { .. } => AlreadyPutBack,
        Self::NotMissing { .. } => NotMissing,
    }
    PutBackError {
        Self::NotFound(_) => PickLineNotFound,
        Self::AlreadyShipped { .. } => AlreadyShipped,
        Self::AlreadyPutBack { .. } => AlreadyPutBack,
        Self::MoreThanPicked { .. } => MoreThanPicked,
    }
    CreateShipmentError {
        Self::AlreadyExists(_) => ShipmentAlreadyExists,
        Self::NotFound(_) => PickLineNotFound,
        Self::NotPicked { .. } => NotPicked,
        Self::AlreadyShipped { .. } => AlreadyShipped,
        Self::MoreThanPicked { .. } => MoreThanPicked,
    }
    ReleasePickLineError {
        Self::NotFound(_) => PickLineNotFound,
        Self::Picked(_) => AlreadyPicked,
    }
    ReleasePickListError {
        Self::NotFound(_) => PickListNotFound,
        Self::Picked(_) => AlreadyPicked,
    }
    domain::RemoveBatchError {
        Self::NotFound(_) => BatchNotFound,
        Self::HasAllocations { .. } => BatchHasAllocations,
        Self::Picked { .. } => AlreadyPicked,
    }
}

impl Refusal for CloseCountError {
    fn code(&self) -> RefusalCode {
        match self {
            Self::NotFound(_) => RefusalCode::CountNotFound,
            Self::NotCounted { .. } => RefusalCode::NotCounted,
            Self::Adjust(reason) | Self::Hidden { reason, .. } => reason.code(),
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::NotCounted { count_id, lines } if lines.len() == 1 => {
                format!("1 line of count {count_id} is not entered, or its batch is gone")
            }
            _ => self.to_string(),
        }
    }

    fn members(&self) -> RefusalMembers<'_> {
        match self {
            Self::NotCounted { lines, .. } => RefusalMembers::OpenLines(lines),
            _ => RefusalMembers::None,
        }
    }
}

impl Refusal for std::convert::Infallible {
    fn code(&self) -> RefusalCode {
        match *self {}
    }
}

impl Refusal for AllocateError {
    fn code(&self) -> RefusalCode {
        match self {
            Self::OutOfStock(_) => RefusalCode::OutOfStock,
            Self::LineAlreadyAllocated(_) => RefusalCode::LineAlreadyAllocated,
            Self::HoldExpired(_) => RefusalCode::HoldExpired,
            Self::OrderCancelled(_) => RefusalCode::OrderCancelled,
            Self::OrderClosed(_) => RefusalCode::OrderClosed,
        }
    }

    fn members(&self) -> RefusalMembers<'_> {
        match self {
            Self::OutOfStock(shortage) => RefusalMembers::Shortage(shortage),
            _ => RefusalMembers::None,
        }
    }
}

impl Refusal for PlaceError {
    fn code(&self) -> RefusalCode {
        match self {
            Self::OutOfStock(_) => RefusalCode::OutOfStock,
            Self::UnknownSkus(_) => RefusalCode::UnknownSku,
            Self::AlreadyExists(_) => RefusalCode::OrderAlreadyExists,
            Self::HoldExpired(_) => RefusalCode::HoldExpired,
            Self::Cancelled(_) => RefusalCode::OrderCancelled,
            Self::Closed(_) => RefusalCode::OrderClosed,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::OutOfStock(shortages) => short_lines(shortages),
            Self::UnknownSkus(unknown) => unknown_skus(unknown),
            _ => self.to_string(),
        }
    }

    fn members(&self) -> RefusalMembers<'_> {
        match self {
            Self::OutOfStock(shortages) => RefusalMembers::Shortages(&shortages.0),
            Self::UnknownSkus(unknown) => RefusalMembers::UnknownSkus(&unknown.0),
            _ => RefusalMembers::None,
        }
    }
}

impl Refusal for ConfirmError {
    fn code(&self) -> RefusalCode {
        match self {
            Self::NotFound(_) => RefusalCode::OrderNotFound,
            Self::Stale { .. } => RefusalCode::OrderChanged,
            Self::OutOfStock(_) => RefusalCode::OutOfStock,
            Self::HoldExpired(_) => RefusalCode::HoldExpired,
            Self::Cancelled(_) => RefusalCode::OrderCancelled,
            Self::Closed(_) => RefusalCode::OrderClosed,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::OutOfStock(shortages) => short_lines(shortages),
            _ => self.to_string(),
        }
    }

    fn members(&self) -> RefusalMembers<'_> {
        match self {
            Self::OutOfStock(shortages) => RefusalMembers::Shortages(&shortages.0),
            _ => RefusalMembers::None,
        }
    }
}

impl Refusal for ChangeOrderError {
    fn code(&self) -> RefusalCode {
        match self {
            Self::NotFound(_) => RefusalCode::OrderNotFound,
            Self::Stale { .. } => RefusalCode::OrderChanged,
            Self::HoldExpired(_) => RefusalCode::HoldExpired,
            Self::Cancelled(_) => RefusalCode::OrderCancelled,
            Self::Closed(_) => RefusalCode::OrderClosed,
            Self::NotHeld(_) => RefusalCode::OrderNotHeld,
            Self::TooLong(_) => RefusalCode::HoldTooLong,
            Self::Picked { .. } => RefusalCode::AlreadyPicked,
            Self::OutOfStock(_) => RefusalCode::OutOfStock,
            Self::UnknownSkus(_) => RefusalCode::UnknownSku,
            Self::TooManyLines(_) => RefusalCode::TooManyLines,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::OutOfStock(shortages) => short_lines(shortages),
            Self::UnknownSkus(unknown) => unknown_skus(unknown),
            _ => self.to_string(),
        }
    }

    fn members(&self) -> RefusalMembers<'_> {
        match self {
            Self::OutOfStock(shortages) => RefusalMembers::Shortages(&shortages.0),
            Self::UnknownSkus(unknown) => RefusalMembers::UnknownSkus(&unknown.0),
            _ => RefusalMembers::None,
        }
    }
}

fn short_lines(shortages: &Shortages) -> String {
    match shortages.0.len() {
        1 => "Stock is short of 1 line of the order".to_owned(),
        lines => format!("Stock is short of {lines} lines of the order"),
    }
}

fn unknown_skus(unknown: &UnknownSkus) -> String {
    match &*unknown.0 {
        [sku] => format!("SKU {sku} is not known"),
        skus => format!("{} SKUs of the order are not known", skus.len()),
    }
}

impl Refusal for ChangeBatchError {
    fn code(&self) -> RefusalCode {
        match self {
            Self::NotFound(_) => RefusalCode::BatchNotFound,
            Self::Stale { .. } => RefusalCode::BatchChanged,
            Self::BelowConsumed { .. } => RefusalCode::UnitsConsumed,
            Self::TooManyUnits { .. } => RefusalCode::TooManyUnits,
        }
    }

    fn members(&self) -> RefusalMembers<'_> {
        match self {
            Self::Stale { reference, actual, .. } => RefusalMembers::Stale(reference, *actual),
            _ => RefusalMembers::None,
        }
    }
}

impl Refusal for RemoveBatchError {
    fn code(&self) -> RefusalCode {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Stale { .. } => RefusalCode::BatchChanged,
        }
    }

    fn members(&self) -> RefusalMembers<'_> {
        match self {
            Self::Refused(refusal) => refusal.members(),
            Self::Stale { reference, actual } => RefusalMembers::Stale(reference, *actual),
        }
    }
}

impl Refusal for ReturnError {
    fn code(&self) -> RefusalCode {
        match self {
            Self::AlreadyExists(_) => RefusalCode::ReturnAlreadyExists,
            Self::OrderNotFound(_) => RefusalCode::OrderNotFound,
            Self::MoreThanShipped { .. } => RefusalCode::MoreThanShipped,
            Self::BatchExists(_) => RefusalCode::BatchAlreadyExists,
        }
    }

    fn members(&self) -> RefusalMembers<'_> {
        match self {
            Self::MoreThanShipped { lines, .. } => RefusalMembers::ExcessReturns(lines),
            _ => RefusalMembers::None,
        }
    }
}

impl Refusal for MakePickListError {
    fn code(&self) -> RefusalCode {
        match self {
            Self::NothingToPick => RefusalCode::NothingToPick,
            Self::AlreadyExists(_) => RefusalCode::PickListAlreadyExists,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::NothingToPick => {
                "No line that matches the criteria has firm units in stock that are on no other list".to_owned()
            }
            Self::AlreadyExists(_) => self.to_string(),
        }
    }
}

impl Refusal for ShipError {
    fn code(&self) -> RefusalCode {
        match self {
            Self::NotFound(_) => RefusalCode::PickListNotFound,
            Self::NotPicked { .. } => RefusalCode::NotPicked,
            Self::NothingPicked(_) => RefusalCode::NothingPicked,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::NotPicked { list, lines } if lines.len() == 1 => {
                format!("1 line of pick list {list} is not picked yet")
            }
            _ => self.to_string(),
        }
    }

    fn members(&self) -> RefusalMembers<'_> {
        match self {
            Self::NotPicked { lines, .. } => RefusalMembers::OpenLines(lines),
            _ => RefusalMembers::None,
        }
    }
}
