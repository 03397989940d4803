//! The programs in `examples` do what their README says.

use super::{CLOUD_EVENT, SOON, serve};
use crate::support::TestDatabase;
use allocation_examples::{Picture, consume_queue, follow_feed};
use allocation_test_support::TestBroker;
use std::ops::ControlFlow;
use std::thread;
use tokio::runtime::Runtime;

/// The expected state of the readers.
fn is_complete(picture: &Picture) -> ControlFlow<()> {
    let allocated: Vec<_> = picture.allocated().iter().map(|(sku, units)| (sku.as_str(), *units)).collect();
    if allocated == [("LAMP", 7), ("RUG", 2)] { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

#[test]
fn both_readers_reach_the_same_state_despite_duplicates() {
    let (database, broker) = (TestDatabase::sqlite(), TestBroker::shared());
    let server = serve(&database, &broker);
    let (api, client, queue) = (server.client(), broker.client(), broker.name("picture"));
    client.bind(&queue, &broker.name("events"), "allocation.#");
    api.add_batch("B-1", "LAMP", 10, None);
    api.add_batch("B-2", "RUG", 10, None);
    for (order, sku, units) in [("O-1", "LAMP", 4), ("O-2", "LAMP", 2), ("O-3", "RUG", 2)] {
        api.allocate(order, sku, units);
    }
    // Every message arrives twice, and the same ones again behind the others.
    let messages = client.take(&queue, 5, SOON);
    assert_eq!(messages.len(), 5);
    let twice = messages.iter().flat_map(|message| [&message.body, &message.body]);
    client.send_all(&queue, CLOUD_EVENT, twice.chain(messages.iter().map(|message| &message.body)));

    let base = format!("http://{}", server.address());
    let feed = thread::spawn(move || follow_feed(&base, is_complete).unwrap());
    let (url, exchange) = (broker.url().to_owned(), broker.name("events"));
    let consumed = thread::spawn(move || {
        let done = consume_queue(&url, &exchange, &queue, is_complete);
        Runtime::new().unwrap().block_on(async { tokio::time::timeout(SOON, done).await.unwrap() });
    });
    // Both are running when the last ones arrive.
    api.delete("/allocations/O-2/batch/B-1");
    api.allocate("O-4", "LAMP", 3);
    feed.join().unwrap();
    consumed.join().unwrap();
}
