#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod allocation;
mod availability;
mod backorder;
mod batch;
mod batch_change;
mod changes;
mod eta;
mod event;
mod hold;
mod horizon;
mod identifier;
mod line;
mod more_needed;
mod order;
mod order_line;
mod policy;
mod product;
mod products;
mod quantity;

pub use allocation::{
    AllocateError, Allocation, AllocationOutcome, DeallocateError, LineAllocation, LineAlreadyAllocated, OutOfStock,
};
pub use availability::{Availability, AvailableFrom, Totals};
pub use backorder::QueuePosition;
pub use batch::{AddBatchError, Batch, BatchPreference, BatchVersion, Oversold, RemoveBatchError};
pub use batch_change::{Affected, BatchChange, BatchChanged, ChangeBatchError, Displaced};
pub use changes::{AllocationChange, BatchRowChange, Changes, LineChange, TotalsChange};
pub use eta::Eta;
pub use event::{AllocationReason, DeallocationReason, Event};
pub use hold::{Commitment, HoldDuration, HoldDurationError, HoldExpired, OrderCancelled, OrderEnd};
pub use identifier::{BatchReference, IdentifierError, OrderId, Sku};
pub use line::{LineRow, LineState, LineTerms};
pub use more_needed::{MoreNeeded, Needed, Undecided};
pub use order::{
    CancelError, ConfirmError, ExtendError, NewOrder, NewOrderError, OnShortage, Order, OrderStatus, OrderTerms,
    PlaceError, Shortages,
};
pub use order_line::{LineTooLong, OrderLine};
pub(crate) use product::Plan;
pub use product::{Product, ProductState};
pub use products::Products;
pub use quantity::{Quantity, QuantityError, Units, UnitsError};
