//! Products that another program has locked.

use crate::support::{Server, TestDatabase};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The number of clients that request the locked product.
const CLIENTS: usize = 8;

#[test]
fn a_held_product_delays_no_line_and_no_order_over_others() {
    let database = TestDatabase::postgres();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-HELD", "HELD", 1_000, None);
    for n in 0..20 {
        client.add_batch(&format!("B-{n}"), &format!("COLD-{n}"), 1_000, None);
    }
    let held = database.hold("SELECT 1 FROM products WHERE sku = 'HELD' FOR NO KEY UPDATE");
    let (begun, released) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for n in 0..CLIENTS {
            let (client, begun, released) = (server.client(), &begun, &released);
            scope.spawn(move || {
                begun.fetch_add(1, Ordering::SeqCst);
                let answer = if n % 2 == 0 {
                    client.allocate(&format!("H-{n}"), "HELD", 1)
                } else {
                    client.place(&format!("H-{n}"), &[("HELD", 1), ("COLD-0", 1)], json!({}))
                };
                // On a slow machine, the lines below take longer than a command may wait.
                assert!([201, 503].contains(&answer.status), "{answer:?}");
                assert!(answer.status == 503 || released.load(Ordering::SeqCst), "the product is held until then");
            });
        }
        while begun.load(Ordering::SeqCst) < CLIENTS {
            thread::yield_now();
        }
        // By now they wait, each in the queue of its product.
        thread::sleep(Duration::from_millis(100));
        for n in 0..20 {
            assert_eq!(client.allocate(&format!("O-{n}"), &format!("COLD-{n}"), 1).status, 201);
            let skus = [format!("COLD-{n}"), format!("COLD-{}", (n + 1) % 20)];
            let order = client.place(&format!("P-{n}"), &[(&skus[0], 1), (&skus[1], 1)], json!({}));
            assert_eq!(order.status, 201, "{order:?}");
        }
        released.store(true, Ordering::SeqCst);
        drop(held);
    });
    for n in 0..CLIENTS {
        let again = if n % 2 == 0 {
            client.allocate(&format!("H-{n}"), "HELD", 1)
        } else {
            client.place(&format!("H-{n}"), &[("HELD", 1), ("COLD-0", 1)], json!({}))
        };
        assert!([200, 201].contains(&again.status), "{again:?}");
    }
    assert_eq!(usize::try_from(client.available("B-HELD")), Ok(1_000 - CLIENTS), "each has its unit once");
}
