//! Sequencing, pruning and the lookup of causes read the log by keys, however long it is.

use super::explain::{connect, connect_to_postgres, migrate, plan_on_postgres, plan_on_sqlite};
use crate::any_connection::AnyConnection;
use crate::reads::blocks::{CausedOnPostgres, CausedOnSqlite};
use crate::{postgres, sqlite};
use allocation_test_support::TestDatabase;
use diesel::{PgConnection, SqliteConnection};

fn plans_of_postgres(connection: &mut PgConnection) -> Vec<String> {
    use postgres::sequencing::{IndexSegment, Prune, Sequence};
    let (micros, lease, holder, number) = (&1, "events", "me", &7);
    let sequence = Sequence { micros, lease, holder, blocks: number, most: number };
    let index = IndexSegment {
        micros,
        lease,
        holder,
        length: number,
        indexed: number,
        segment: number,
        after: number,
        until: number,
    };
    let prune = Prune {
        micros,
        lease,
        holder,
        beyond: number,
        scanned: number,
        young: number,
        before: number,
        most: number,
        segment: number,
        last_segment: number,
    };
    let causes = &vec![1, 2, 3];
    vec![
        plan_on_postgres(connection, sequence),
        plan_on_postgres(connection, index),
        plan_on_postgres(connection, prune),
        plan_on_postgres(connection, CausedOnPostgres { causes, waiting: causes }),
    ]
}

/// The first row of an index and a partial index of few rows need no condition.
#[test]
fn the_log_is_maintained_by_its_indexes_on_postgres() {
    let database = TestDatabase::postgres();
    migrate(&database);
    for setup in ["SELECT 1", "ANALYZE"] {
        database.execute(setup);
        for plan in plans_of_postgres(&mut connect_to_postgres(&database)) {
            let lines: Vec<_> = plan.lines().collect();
            for (number, line) in lines.iter().enumerate() {
                let of_log = ["event_blocks", "event_keys", "event_causes"].iter().any(|table| line.contains(table));
                let scan = line.contains("Scan ");
                let by_key = lines.get(number + 1).is_some_and(|next| next.contains("Index Cond"));
                assert!(!(scan && of_log) || line.contains(" using ") && by_key, "{setup}\n{plan}");
                assert!(!line.contains("Seq Scan on outbox_blocks"), "{setup}\n{plan}");
            }
        }
    }
}

fn plans_of_sqlite(connection: &mut SqliteConnection) -> Vec<String> {
    use sqlite::sequencing::{AddKeys, Behind, Copy, LastOld, Next, RemoveCopied, RemoveKeys, RemoveOldest, Young};
    let number = &7;
    vec![
        plan_on_sqlite(connection, Next { blocks: number, most: number }),
        plan_on_sqlite(connection, Copy { last: number, id: number }),
        plan_on_sqlite(connection, AddKeys { after: number }),
        plan_on_sqlite(connection, RemoveCopied { id: number }),
        plan_on_sqlite(connection, Young { scanned: number, before: number, now: number, beyond: number }),
        plan_on_sqlite(connection, LastOld { oldest: number, young: number, before: number }),
        plan_on_sqlite(connection, Behind { last: number }),
        plan_on_sqlite(connection, RemoveKeys { oldest: number, stays: number }),
        plan_on_sqlite(connection, RemoveOldest { oldest: number, stays: number }),
        plan_on_sqlite(connection, CausedOnSqlite { key: &7, waiting_key: &7 }),
    ]
}

#[test]
fn the_log_is_maintained_by_its_indexes_on_sqlite() {
    let database = TestDatabase::sqlite();
    migrate(&database);
    let AnyConnection::Sqlite(mut connection) = connect(&database) else { panic!("not connected to SQLite") };
    for plan in plans_of_sqlite(&mut connection) {
        assert!(!plan.lines().any(|step| step.starts_with("SCAN event_") && step != "SCAN event_log"), "{plan}");
    }
}
