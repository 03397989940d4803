/// Faults of a store, none by default. Each breaks a promise of the ports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "faults"), expect(unreachable_pub, reason = "it is public with the feature"))]
pub struct Faults {
    /// Products are not locked.
    pub no_product_locks: bool,
    /// The rows of products are read before the products are locked.
    pub read_before_lock: bool,
    /// Orders are not locked, so that they get lines while they end.
    pub no_order_locks: bool,
    /// Keys may be stored twice: ids of orders and pick lists, references of batches, lines of orders.
    pub no_unique_keys: bool,
    /// A commit returns before other units and readers see it.
    pub late_commits: bool,
}
