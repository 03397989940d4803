//! Consumes the events from RabbitMQ: `consume-queue amqp://127.0.0.1:5672/%2f EXCHANGE QUEUE`.

use allocation_examples::consume_queue;
use std::ops::ControlFlow;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let (url, exchange, queue) = (next("amqp://127.0.0.1:5672/%2f"), next("allocation.events"), next("stock-picture"));
    consume_queue(&url, &exchange, &queue, |picture| {
        println!("{picture}");
        ControlFlow::Continue(())
    })
    .await;
}
