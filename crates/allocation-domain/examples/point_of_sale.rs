//! A shop's point of sale that reserves stock with the domain crate alone: no server, no database.
//!
//! Run it with `cargo run -p allocation-domain --example point_of_sale`.

use allocation_domain::{AllocateError, AllocationOutcome, BatchReference, Eta, OrderId, Product, Quantity, Sku};
use chrono::{DateTime, NaiveDate};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut chairs = Product::new(Sku::parse("RED-CHAIR")?);
    let opening = DateTime::from_timestamp(1_800_000_000, 0).ok_or("no such time")?;
    let spring = NaiveDate::from_ymd_opt(2027, 3, 20).ok_or("no such day")?;
    chairs.add_batch(BatchReference::parse("SHOP-FLOOR")?, Quantity::new(3)?, Eta::InStock, opening)?;
    chairs.add_batch(BatchReference::parse("SPRING-DELIVERY")?, Quantity::new(10)?, Eta::Due(spring), opening)?;

    for (order, quantity) in [("RECEIPT-1", 2), ("RECEIPT-2", 4), ("RECEIPT-3", 7), ("RECEIPT-4", 1)] {
        let order = OrderId::parse(order)?;
        match chairs.allocate(&order, Quantity::new(quantity)?, opening) {
            Ok(AllocationOutcome::Allocated(line) | AllocationOutcome::Unchanged(line)) => {
                for part in &line.allocations {
                    let when = part.eta.date().map_or("today".to_owned(), |date| format!("from {date}"));
                    println!("{order}: {} from {}, {when}", part.quantity, part.reference);
                }
            }
            Err(AllocateError::OutOfStock(short)) => println!("{order}: {short} ({} left)", short.available),
            Err(other) => return Err(other.into()),
        }
    }
    println!("What happened, for whoever listens:");
    for event in chairs.events() {
        println!("  {}", event.name());
    }
    Ok(())
}
