//! Poolers between the service and PostgreSQL.

use crate::outages::ready;
use crate::support::{Server, TestDatabase, binary};
use allocation_test_support::{POSTGRES_URL, PoolMode, TestPooler};

fn pooler(mode: PoolMode) -> (TestDatabase, TestPooler) {
    (TestDatabase::postgres(), TestPooler::start(&std::env::var(POSTGRES_URL).unwrap(), mode))
}

#[test]
fn a_pooler_that_shares_sessions_is_refused_with_one_line() {
    for mode in [PoolMode::Transaction, PoolMode::Statement] {
        let (database, pooler) = pooler(mode);
        for arguments in [&["serve", "--address", "127.0.0.1:0"][..], &["serve", "--read-only"], &["migrate", "up"]] {
            let mut command = binary();
            command.args(arguments).env("DATABASE_URL", database.url_on(pooler.url()));
            let output = command.env("ALLOCATION_LOG_FORMAT", "json").output().unwrap();
            let error = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success(), "{mode:?}: {error}");
            let lines: Vec<_> = error.lines().filter(|line| !line.starts_with('{')).collect();
            assert_eq!(lines.len(), 1, "{mode:?}: {error}");
            assert!(lines[0].contains("pool_mode = session"), "{mode:?}: {error}");
        }
    }
}

#[test]
fn a_pooler_that_keeps_sessions_serves() {
    let (database, pooler) = pooler(PoolMode::Session);
    let server = Server::start_at(&database.url_on(pooler.url()), |command| command);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    assert_eq!(client.allocate("O-1", "LAMP", 1).status, 201);
    ready(&client);
}
