//! Query plans of statements, for tests.

use crate::any_connection::{AnyConnection, Connector};
use crate::{DatabaseUrl, Store};
use allocation_test_support::TestDatabase;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Text;
use r2d2::ManageConnection;

/// A request for the plan of a statement.
struct Explain<S>(S);

impl<S: QueryFragment<Pg>> QueryFragment<Pg> for Explain<S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("EXPLAIN ");
        self.0.walk_ast(out)
    }
}

impl<S> QueryId for Explain<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S> Query for Explain<S> {
    type SqlType = Text;
}

impl<S> RunQueryDsl<PgConnection> for Explain<S> {}

/// Returns the plan of a statement.
pub(super) fn plan(connection: &mut PgConnection, statement: impl QueryFragment<Pg>) -> String {
    let lines: Vec<String> = Explain(statement).load(connection).unwrap();
    lines.join("\n")
}

/// Creates a migrated database.
pub(super) fn migrated() -> TestDatabase {
    let database = TestDatabase::postgres();
    Store::connect(&DatabaseUrl::parse(database.url()).unwrap(), 1).unwrap().migrations().up().unwrap();
    database
}

/// Opens a connection that is set up like the store's.
pub(super) fn connect(database: &TestDatabase) -> PgConnection {
    match Connector::new(DatabaseUrl::parse(database.url()).unwrap()).connect().map(|session| session.connection) {
        Ok(AnyConnection::Postgres(connection)) => connection,
        _ => panic!("not connected to PostgreSQL"),
    }
}
