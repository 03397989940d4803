#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod allocation;
mod batch;
mod changes;
mod eta;
mod event;
mod identifier;
mod order_line;
mod policy;
mod product;
mod quantity;

pub use allocation::{
    AllocateError, Allocation, AllocationOutcome, DeallocateError, LineAllocation, LineAlreadyAllocated, OutOfStock,
};
pub use batch::{AddBatchError, Batch, BatchPreference, Oversold, RemoveBatchError};
pub use changes::{AllocationChange, Changes, LineChange};
pub use eta::Eta;
pub use event::Event;
pub use identifier::{BatchReference, IdentifierError, OrderId, Sku};
pub use order_line::{LineTooLong, OrderLine};
pub use product::{LineState, Product, ProductState};
pub use quantity::{Quantity, QuantityError};
