use super::*;
use crate::DatabaseUrl;
use allocation_test_support::TestDatabase;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

fn ports(database: &TestDatabase) -> Vec<u16> {
    match DatabaseUrl::parse(database.url()).unwrap() {
        DatabaseUrl::Postgres(url) => url.ports(),
        DatabaseUrl::Sqlite(_) => unreachable!("the database is on PostgreSQL"),
    }
}

/// Opens a connection that is watched. Other tests of this process open connections at the same time, and then no
/// socket is known to be the new one.
fn surely_watched(database: &TestDatabase, silence: &Silence) -> (PgConnection, Arc<Flags>) {
    let connect = || PgConnection::establish(database.url());
    let mut tries = (0..1_000).map(|_| watched(connect, &ports(database), silence, Use::Probe).unwrap());
    tries.find(|(_, flags)| Arc::weak_count(flags) > 0).unwrap()
}

#[test]
fn the_connection_of_a_statement_without_a_reply_is_shut_down() {
    let database = TestDatabase::postgres();
    let silence = Silence::default();
    let (mut connection, flags) = surely_watched(&database, &silence);
    connection.set_instrumentation(flags.instrumentation());
    connection.batch_execute("SELECT 1").unwrap();
    assert!(flags.unanswered().is_none() && !flags.is_silent());
    // The server would reply, but long after the deadline.
    let error = connection.batch_execute("SELECT pg_sleep(600)").unwrap_err();
    assert!(error.to_string().contains("server closed the connection"), "{error}");
    assert!(flags.is_silent() && silence.lasts());
}

#[test]
fn a_panic_costs_one_look_and_neither_the_thread_nor_other_connections() {
    let mut watched = vec![1, 2, 3];
    check_all(&mut watched, |number| {
        assert!(*number != 2, "of this test");
        *number != 1
    });
    assert_eq!(watched, [2, 3]);
}

#[test]
fn a_statement_is_tracked_until_its_reply() {
    let database = TestDatabase::postgres();
    let connect = || PgConnection::establish(database.url());
    let (mut connection, flags) = watched(connect, &ports(&database), &Silence::default(), Use::Requests).unwrap();
    connection.set_instrumentation(flags.instrumentation());
    for failing in ["SELECT 1/0", "SELECT * FROM none", "nonsense"] {
        assert!(connection.batch_execute(failing).is_err());
        assert_eq!(flags.unanswered(), None, "{failing}");
        assert!(diesel::sql_query(failing).execute(&mut connection).is_err());
        assert_eq!(flags.unanswered(), None, "{failing}");
    }
    let sleeping = std::thread::spawn(move || connection.batch_execute("SELECT pg_sleep(1)").map(|()| connection));
    while flags.unanswered().is_none() {
        assert!(!sleeping.is_finished());
        std::thread::yield_now();
    }
    let mut connection = sleeping.join().unwrap().unwrap();
    assert_eq!(flags.unanswered(), None);
    assert!(!flags.is_read_only());
    connection.batch_execute("SET default_transaction_read_only = on").unwrap();
    assert!(connection.batch_execute("CREATE TABLE t (n int)").is_err());
    assert!(flags.is_read_only());
}
