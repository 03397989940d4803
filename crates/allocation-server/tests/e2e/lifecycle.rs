//! Starting, stopping, and concurrent starts.

use crate::support::{Server, TestDatabase, on_every_database};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

fn a_stop_finishes_requests_in_flight_and_exits_0(database: &TestDatabase) {
    for signal in ["TERM", "INT"] {
        let server = Server::start(database);
        let client = server.client();
        client.add_batch(&format!("B-{signal}"), signal, 100_000, None);
        let stopping = AtomicBool::new(false);
        let answered = thread::scope(|scope| {
            let stopping = &stopping;
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let client = server.client();
                    scope.spawn(move || {
                        let mut answered = 0_u64;
                        for time in 0..100_000 {
                            let line =
                                serde_json::json!({"order_id": format!("O-{number}-{time}"), "sku": signal, "qty": 1});
                            match client.try_post("/allocations", &line) {
                                Some(answer) if answer.status == 201 => answered += 1,
                                Some(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                                None if stopping.load(Ordering::SeqCst) => break,
                                None => panic!("a request was dropped before the stop"),
                            }
                        }
                        answered
                    })
                })
                .collect();
            thread::sleep(std::time::Duration::from_millis(100));
            stopping.store(true, Ordering::SeqCst);
            server.signal(signal);
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u64>()
        });
        let (status, log) = server.wait();
        assert_eq!(status.code(), Some(0), "{log:?}");
        assert!(log.last().unwrap().contains("stopped"), "{log:?}");
        let stored = database.count(&format!("SELECT count(*) FROM allocations WHERE sku = '{signal}'"));
        assert_eq!(u64::try_from(stored).unwrap(), answered, "exactly the acknowledged lines are stored");
    }
}

fn servers_that_start_at_once_on_an_empty_database_all_serve(database: &TestDatabase) {
    let servers: Vec<Server> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| Server::start(database))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (number, server) in servers.iter().enumerate() {
        assert_eq!(server.client().get("/readyz").status, 200);
        assert_eq!(server.client().add_batch(&format!("B-{number}"), "LAMP", 1, None).status, 201);
    }
    assert_eq!(servers[0].client().all("/batch").len(), 4);
}

fn an_idle_server_uses_little_memory(database: &TestDatabase) {
    let server = Server::start(database);
    assert_eq!(server.client().get("/readyz").status, 200);
    let memory = server.own_memory_kib();
    assert!(memory < 16 * 1024, "{memory} KiB");
}

on_every_database!(
    a_stop_finishes_requests_in_flight_and_exits_0,
    servers_that_start_at_once_on_an_empty_database_all_serve,
    an_idle_server_uses_little_memory,
);
