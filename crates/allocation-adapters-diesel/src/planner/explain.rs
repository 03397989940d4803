//! Plans of statements.

use crate::any_connection::{AnyConnection, Connector};
use crate::{DatabaseUrl, Store};
use allocation_test_support::TestDatabase;
use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Integer, Text};
use r2d2::ManageConnection;

/// A request for the plan of a statement instead of its rows.
#[derive(Debug)]
struct Explain<S>(S, &'static str);

impl<DB: Backend, S: QueryFragment<DB>> QueryFragment<DB> for Explain<S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql(self.1);
        self.0.walk_ast(out)
    }
}

impl<S> QueryId for Explain<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// A plan of PostgreSQL: lines of text.
impl<S> Query for Explain<S> {
    type SqlType = Text;
}

/// A plan of SQLite: numbered nodes.
#[derive(Debug)]
struct Nodes<S>(Explain<S>);

impl<DB: Backend, S: QueryFragment<DB>> QueryFragment<DB> for Nodes<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

impl<S> QueryId for Nodes<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S> Query for Nodes<S> {
    type SqlType = (Integer, Integer, Integer, Text);
}

impl<C, S> RunQueryDsl<C> for Explain<S> {}
impl<C, S> RunQueryDsl<C> for Nodes<S> {}

/// Returns the plan of a statement that runs on both databases.
pub(super) fn plan<S>(connection: &mut AnyConnection, statement: S) -> String
where
    S: QueryFragment<crate::any_connection::MultiBackend>,
{
    match connection {
        AnyConnection::Sqlite(_) => {
            let nodes = Nodes(Explain(statement, "EXPLAIN QUERY PLAN "));
            let nodes: Vec<(i32, i32, i32, String)> = nodes.load(connection).unwrap();
            nodes.into_iter().map(|(.., text)| text).collect::<Vec<_>>().join("\n")
        }
        AnyConnection::Postgres(_) => {
            Explain(statement, "EXPLAIN (COSTS OFF) ").load::<String>(connection).unwrap().join("\n")
        }
    }
}

/// Returns the plan of a statement for PostgreSQL, with costs.
pub(super) fn plan_on_postgres(connection: &mut PgConnection, statement: impl QueryFragment<diesel::pg::Pg>) -> String {
    Explain(statement, "EXPLAIN ").load::<String>(connection).unwrap().join("\n")
}

/// Runs a statement on PostgreSQL, and returns its plan with what was executed.
pub(super) fn executed_on_postgres(
    connection: &mut PgConnection,
    statement: impl QueryFragment<diesel::pg::Pg>,
) -> String {
    let explain = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ";
    Explain(statement, explain).load::<String>(connection).unwrap().join("\n")
}

/// Returns the plan of a statement for SQLite.
pub(super) fn plan_on_sqlite(
    connection: &mut SqliteConnection,
    statement: impl QueryFragment<diesel::sqlite::Sqlite>,
) -> String {
    let nodes = Nodes(Explain(statement, "EXPLAIN QUERY PLAN "));
    let nodes: Vec<(i32, i32, i32, String)> = nodes.load(connection).unwrap();
    nodes.into_iter().map(|(.., text)| text).collect::<Vec<_>>().join("\n")
}

/// Migrates a database.
pub(super) fn migrate(database: &TestDatabase) {
    Store::connect(&url(database), 1).unwrap().migrations().up().unwrap();
}

/// Opens a connection that is set up like the store's.
pub(super) fn connect(database: &TestDatabase) -> AnyConnection {
    Connector::new(url(database)).connect().unwrap().connection
}

/// Opens a connection to PostgreSQL that is set up like the store's.
pub(super) fn connect_to_postgres(database: &TestDatabase) -> PgConnection {
    match connect(database) {
        AnyConnection::Postgres(connection) => connection,
        AnyConnection::Sqlite(_) => panic!("not connected to PostgreSQL"),
    }
}

fn url(database: &TestDatabase) -> DatabaseUrl {
    DatabaseUrl::parse(database.url()).unwrap()
}
