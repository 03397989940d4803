#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod adjustment;
mod allocation;
mod availability;
mod backorder;
mod batch;
mod batch_change;
mod batch_counts;
mod changes;
mod eta;
mod event;
mod fulfilment;
mod goods_return;
mod hold;
mod horizon;
mod identifier;
mod indexed_lines;
mod known_queue;
mod line;
mod listed_units;
mod lock_time;
mod movement;
mod moving;
mod named;
mod on_shortage;
mod order;
mod order_change;
mod order_confirmation;
mod order_line;
mod order_version;
mod ordered_batches;
mod originals;
mod outcome;
mod pending;
mod pick;
mod pick_line;
mod pick_list;
pub mod policy;
mod product;
mod product_flags;
mod products;
mod projection;
mod promises;
mod quantity;
mod receipt;
mod shipment;
mod standing;
mod stock;
mod stock_count;
mod unit_change;

pub use adjustment::{AdjustError, Adjusted, AdjustedLine, Adjustment, AdjustmentError, AdjustmentLine};
pub use allocation::{AllocateError, Allocation, DeallocateError, LineAllocation, LineAlreadyAllocated, OutOfStock};
pub use availability::{Availability, AvailableFrom, Totals};
pub use backorder::QueuePosition;
pub use batch::{
    AddBatchError, Batch, BatchOrigin, BatchPreference, BatchVersion, NewBatch, Oversold, RemoveBatchError,
};
pub use batch_change::{Affected, BatchChange, BatchChanged, ChangeBatchError, Displaced};
pub use batch_counts::BatchCounts;
pub use changes::{Changes, LineChange, PickLineChange, TotalsChange};
pub use eta::{Eta, EtaError};
pub use event::{AllocationReason, DeallocationReason, Event, WithdrawalReason};
pub use fulfilment::Fulfilment;
pub use goods_return::{
    Disposition, ExcessReturn, GoodsReturn, GoodsReturnError, ReturnError, ReturnLine, Returned, ReturnedLine,
};
pub use hold::{
    HoldDuration, HoldDurationError, HoldExpired, HoldTooLong, OrderCancelled, OrderClosed, OrderEnd, ReservationState,
};
pub use identifier::{
    AdjustmentId, AdjustmentReason, BatchReference, Carrier, CharacterAt, CountId, IdentifierError, OrderId,
    PickListId, PutBackReason, ReceiptId, ReturnId, ShipmentId, Sku, Tracking, check_identifier,
};
pub use line::{LineRow, LineState, LineTerms};
pub use listed_units::ListedUnits;
pub use lock_time::LockTime;
pub use moving::{Awaited, FirstToLeave, MAX_MOVED_LINES, Moving, Review, Unreviewed};
pub use named::UnknownName;
pub use on_shortage::OnShortage;
pub use order::{
    CancelError, CloseError, ConfirmError, ExtendError, NewOrder, NewOrderError, Order, OrderStatus, OrderTerms,
    PlaceError, Shortages, UnknownSkus,
};
pub use order_change::{ChangeOrderError, OrderChange, TermsChange};
pub use order_confirmation::OrderConfirmation;
pub use order_line::{LineTooLong, OrderLine};
pub use order_version::OrderVersion;
pub use outcome::Outcome;
pub use pending::{DataRequest, LoadRequest, MAX_PASSED_OVER, Pending};
pub use pick::{PickError, Picked, PutBackError};
pub use pick_line::{PickLine, PickLineId, PickStatus};
pub use pick_list::{
    MakePickListError, MaxLinesError, NewPickList, OpenLines, PickCriteria, PickList, PickListStatus,
    ReleasePickLineError, ReleasePickListError, ShipError,
};
pub(crate) use product::{LineTarget, NewLine, Plan};
pub use product::{Product, ProductState};
pub use product_flags::ProductFlags;
pub use products::{Adjusting, Amendment, Cancellation, Closing, Products, Reinstatement, Returning};
pub use projection::{ProductProjection, Projection, ProjectionConflict, ProjectionError};
pub use promises::Promises;
pub use quantity::{Quantity, QuantityError, Units, UnitsError};
pub use receipt::{OverReceipt, Receipt, ReceiptError, ReceiveError, Received, Rest, RestTerms};
pub use shipment::{CreateShipmentError, NewShipment, NewShipmentError, ShipmentLine, ShippedLines};
pub(crate) use standing::Standing;
pub use stock::Stock;
pub use stock_count::{
    AbandonCountError, CloseCountError, ClosedCount, CountEntry, CountLine, CountScope, CountedUnits, EnterCountError,
    NewStockCount, OpenCountError, StockCount, UncountedLines,
};
pub use unit_change::{UnitChange, UnitChangeError};
