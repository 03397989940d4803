use crate::any_connection::{AnyConnection, Connector, Session};
use std::ops::{Deref, DerefMut};

/// A connection lent by the pool.
pub(crate) struct Lent(r2d2::PooledConnection<Connector>);

impl Lent {
    pub(crate) const fn new(connection: r2d2::PooledConnection<Connector>) -> Self {
        Self(connection)
    }

    pub(crate) fn session(&self) -> &Session {
        &self.0
    }

    /// Marks the connection so that the pool closes it on its return.
    pub(crate) fn discard(&self) {
        self.0.flags.set_silent();
    }
}

impl Deref for Lent {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.0.connection
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.0.connection
    }
}
