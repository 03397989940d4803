//! A shop that is kept in a JSON file.
//!
//! ```console
//! $ cargo run -p allocation-domain --example shop_in_a_file -- shop.json add LAMP B-1 10
//! $ cargo run -p allocation-domain --example shop_in_a_file -- shop.json allocate O-1 LAMP 3
//! $ cargo run -p allocation-domain --example shop_in_a_file -- shop.json release O-1 B-1
//! $ cargo run -p allocation-domain --example shop_in_a_file -- shop.json show
//! ```

use allocation_domain::{BatchReference, Eta, NewBatch, OrderId, OrderLine, ProductState, Sku, Stock};
use chrono::{DateTime, Utc};
use std::error::Error;
use std::time::SystemTime;
use std::{env, fs, io};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [path, command @ ..] = arguments.as_slice() else { return Err("usage: FILE COMMAND ...".into()) };
    let mut stock = load(path)?;
    decide(&mut stock, command)?;
    for event in stock.drain_events() {
        println!("{}", serde_json::to_string(&event)?);
    }
    save(path, &stock)
}

/// Carries out one command.
fn decide(stock: &mut Stock, command: &[&str]) -> Result<()> {
    let now = now()?;
    match *command {
        ["add", sku, reference, quantity] => {
            let (sku, reference) = (Sku::parse(sku)?, BatchReference::parse(reference)?);
            stock.add_batch(&sku, NewBatch::new(reference, quantity.parse()?, Eta::InStock), now)?;
        }
        ["allocate", order, sku, quantity] => {
            stock.allocate(&OrderLine::new(OrderId::parse(order)?, Sku::parse(sku)?, quantity.parse()?)?, now)?;
        }
        ["release", order, reference] => {
            stock.deallocate(&OrderId::parse(order)?, &BatchReference::parse(reference)?, now)?;
        }
        ["show"] => {
            for batch in stock.products().flat_map(|product| product.batches()) {
                println!("{} {}: {} of {} free", batch.sku(), batch.reference(), batch.available(), batch.purchased());
            }
        }
        _ => return Err("commands: add SKU BATCH QTY, allocate ORDER SKU QTY, release ORDER BATCH, show".into()),
    }
    Ok(())
}

fn now() -> Result<DateTime<Utc>> {
    let micros = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_micros();
    DateTime::from_timestamp_micros(micros.try_into()?).ok_or_else(|| "the clock is out of range".into())
}

fn load(path: &str) -> Result<Stock> {
    match fs::read(path) {
        Ok(json) => Ok(Stock::restore(serde_json::from_slice::<Vec<ProductState>>(&json)?)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Stock::new()),
        Err(error) => Err(error.into()),
    }
}

/// Replaces the file as a whole, so that a crash leaves the old one or the new one.
fn save(path: &str, stock: &Stock) -> Result<()> {
    let states: Vec<ProductState> = stock.states().collect();
    let new = format!("{path}.new");
    fs::write(&new, serde_json::to_vec_pretty(&states)?)?;
    Ok(fs::rename(new, path)?)
}
