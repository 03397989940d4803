use super::Kind;

/// The properties of an operation that affect its problem responses.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Operation {
    pub(super) has_body: bool,
    /// Short lines of an order are reported in one problem.
    pub(super) places_orders: bool,
    /// Picked units leave with a shipment, and are not put back or corrected.
    pub(super) creates_shipments: bool,
}

impl Operation {
    /// Returns the operation that can raise these problems.
    pub(super) fn raising(kinds: &[Kind]) -> Self {
        Self {
            has_body: kinds.contains(&Kind::MalformedJson),
            places_orders: [Kind::OrderAlreadyExists, Kind::OrderChanged].iter().any(|kind| kinds.contains(kind)),
            creates_shipments: kinds.contains(&Kind::ShipmentAlreadyExists),
        }
    }
}
