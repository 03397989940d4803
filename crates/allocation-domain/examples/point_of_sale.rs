//! A shop's point of sale that reserves stock with the domain crate alone: no server, no database.
//!
//! Run it with `cargo run -p allocation-domain --example point_of_sale`.

use allocation_domain::{
    AllocateError, BatchReference, Eta, Event, NewBatch, OrderId, OrderLine, Outcome, Product, Quantity, Sku, Stock,
};
use chrono::{DateTime, NaiveDate};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let chair = Sku::parse("RED-CHAIR")?;
    let opening = DateTime::from_timestamp(1_800_000_000, 0).ok_or("no such time")?;
    let spring = NaiveDate::from_ymd_opt(2027, 3, 20).ok_or("no such day")?;
    let mut stock = Stock::new();
    stock.add_batch(
        &chair,
        NewBatch::new(BatchReference::parse("SHOP-FLOOR")?, Quantity::new(3)?, Eta::InStock),
        opening,
    )?;
    stock.add_batch(
        &chair,
        NewBatch::new(BatchReference::parse("SPRING-DELIVERY")?, Quantity::new(10)?, Eta::Due(spring)),
        opening,
    )?;

    for (receipt, quantity) in [("RECEIPT-1", 2), ("RECEIPT-2", 4), ("RECEIPT-3", 7), ("RECEIPT-4", 1)] {
        let line = OrderLine::new(OrderId::parse(receipt)?, chair.clone(), Quantity::new(quantity)?)?;
        match stock.allocate(&line, opening) {
            Ok(Outcome::Changed(line) | Outcome::Unchanged(line)) => {
                for part in &line.allocations {
                    let when = part.eta.date().map_or("today".to_owned(), |date| format!("from {date}"));
                    println!("{receipt}: {} from {}, {when}", part.quantity, part.reference);
                }
            }
            Err(AllocateError::OutOfStock(short)) => println!("{receipt}: {short} ({} left)", short.available),
            Err(other) => return Err(other.into()),
        }
    }
    println!("The events, for other programs:");
    for name in stock.products().flat_map(Product::events).map(Event::name) {
        println!("  {name}");
    }
    Ok(())
}
