//! The use cases over the database in memory: `cargo run -p allocation-examples --bin shop-in-memory`.

use allocation_adapters_memory::{MemoryStore, WallClock};
use allocation_app::{AgeLimit, AllocationEngine, EngineCounters, EngineSettings, RetryPolicy, UnitRunner, UseCases};
use allocation_domain::{BatchReference, Eta, NewBatch, OrderId, OrderLine, Outcome, Quantity, Sku};
use allocation_ports::{BatchQueries, EventContext};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let store = MemoryStore::new(Arc::new(WallClock::default()));
    let units = UnitRunner::new(Arc::new(store.clone()), RetryPolicy::default());
    let use_cases = UseCases::new(units.clone(), Arc::new(store.clone()), store.clock());
    // Lines and orders are decided in groups; the other use cases run on the caller's thread.
    let settings = EngineSettings {
        workers: NonZeroUsize::MIN,
        queue_length: NonZeroUsize::MIN.saturating_add(99),
        group_size: NonZeroUsize::MIN.saturating_add(9),
    };
    let age = AgeLimit::start(Duration::from_secs(60))?;
    let engine = AllocationEngine::start(&units, &Arc::new(EngineCounters::default()), &age, settings)?;

    let (chair, batch) = (Sku::parse("CHAIR")?, BatchReference::parse("B-1")?);
    use_cases.add_batch(&chair, &NewBatch::new(batch.clone(), Quantity::new(10)?, Eta::InStock))?;
    for (order_id, quantity) in [("O-1", 6), ("O-2", 3), ("O-3", 2)] {
        let line = OrderLine::new(OrderId::parse(order_id)?, chair.clone(), Quantity::new(quantity)?)?;
        match engine.allocate(line, EventContext::default()).await {
            Ok(Outcome::Changed(_) | Outcome::Unchanged(_)) => println!("{order_id}: allocated"),
            Err(error) => println!("{order_id}: {error}"),
        }
    }
    use_cases.deallocate(&OrderId::parse("O-1")?, &batch)?;
    if let Some(batch) = store.batch(&batch, store.clock().now())? {
        println!("{}: {} of {} units are free", batch.reference(), batch.available(), batch.purchased());
    }
    engine.shut_down();
    Ok(())
}
