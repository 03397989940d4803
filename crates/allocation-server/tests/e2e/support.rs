//! Shared by the tests: servers, clients, databases.

mod certificates;
mod client;
mod holds;
pub(crate) mod projection;
mod proxy;
mod server;

pub(crate) use certificates::{Authority, Certified, TlsFolder};
pub(crate) use client::{Answer, Client, encoded, order, summary};
pub(crate) use holds::{expire, expire_at, expire_where, now, swept, unswept};
pub(crate) use proxy::Proxy;
pub(crate) use server::{Server, TODAY, binary, free_port, program};

pub(crate) use allocation_test_support::TestDatabase;

/// Makes a test of each function on each database: `sqlite::NAME` and `postgres::NAME`.
macro_rules! on_every_database {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                super::$name(&$crate::support::TestDatabase::sqlite());
            })+
        }

        mod postgres {
            $(#[test]
            fn $name() {
                super::$name(&$crate::support::TestDatabase::postgres());
            })+
        }
    };
}
pub(crate) use on_every_database;
