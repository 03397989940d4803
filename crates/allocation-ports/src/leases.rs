use crate::StoreError;
use std::time::Duration;

/// Something that one process at a time may do, and who wants to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What it is for.
    pub name: &'static str,
    /// Who holds it: a name that no other process has, nor this one after a restart.
    pub holder: String,
}

/// Sees to it that one process at a time does something.
///
/// A lease is a row. Its time is told by the clock of the database, so that those of the processes
/// need not agree; when that is set back, a lease MUST NOT last for so much longer. The holder renews it; when it is not renewed in time, another may take it. Whoever
/// held it before may not have noticed: what the holder writes MUST be bound to the row of the lease
/// in the same transaction, so that nothing is written by one who has lost it.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Leases: Send + Sync {
    /// Takes the lease for so long from now, or renews it; answers whether the holder has it.
    ///
    /// It MUST be refused while another holds it, and MUST NOT wait long for that to be known.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; the lease may be taken or not.
    fn take(&self, lease: &Lease, time: Duration) -> Result<bool, StoreError>;

    /// Gives the lease back, so that another may take it at once. It does nothing when another holds
    /// it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; the lease ends by itself then.
    fn release(&self, lease: &Lease) -> Result<(), StoreError>;
}
