use crate::StoreError;
use std::time::Duration;

/// A right that one process has at a time, and the process that requests it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The name of the right.
    pub name: &'static str,
    /// A name unique to the process: no other process has it, nor this one after a restart.
    pub holder: String,
}

/// Ensures that at most one process performs a task.
///
/// A lease is a row. It expires by the clock of the database, so the clocks of the processes need not
/// agree. If that clock is set back, a lease MUST NOT last correspondingly longer. The holder renews it;
/// once it has expired, another process may take it.
///
/// The former holder may not have noticed. A holder's writes MUST therefore be bound to the lease's row in
/// the same transaction: a process without the lease writes nothing.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Leases: Send + Sync {
    /// Takes or renews the lease for `time` from now, and returns whether the holder has it.
    ///
    /// It MUST be refused while another process holds it, and MUST NOT wait long for the result.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; the lease may or may not be taken.
    fn take(&self, lease: &Lease, time: Duration) -> Result<bool, StoreError>;

    /// Releases the lease, so that another process can take it at once. Does nothing when another process
    /// holds it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; the lease then expires by itself.
    fn release(&self, lease: &Lease) -> Result<(), StoreError>;
}
