//! A warehouse that keeps its own records and asks only which pallets serve an order.
//!
//! Run it with `cargo run -p allocation-domain --example policy`.

use allocation_domain::policy::{self, Choice};
use allocation_domain::{BatchPreference, BatchReference, Eta, Quantity};
use chrono::{DateTime, NaiveDate};
use std::error::Error;

/// A pallet as this warehouse records it.
struct Pallet {
    label: BatchReference,
    eta: Eta,
    free: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let february = Eta::new(NaiveDate::from_ymd_opt(2027, 2, 1))?;
    let mut pallets = [
        Pallet { label: BatchReference::parse("TRUCK-9")?, eta: february, free: 40 },
        Pallet { label: BatchReference::parse("AISLE-4")?, eta: Eta::InStock, free: 6 },
        Pallet { label: BatchReference::parse("AISLE-2")?, eta: Eta::InStock, free: 3 },
    ];
    // Among pallets of one day, this warehouse prefers the smaller label.
    pallets.sort_by_key(|pallet| BatchPreference::new(pallet.eta, DateTime::UNIX_EPOCH, pallet.label.clone()));

    for wanted in [4, 44, 3] {
        match policy::choose(pallets.iter().map(|pallet| pallet.free), Quantity::new(wanted)?) {
            Choice::Batches(parts) => {
                for (index, units) in parts {
                    pallets[index].free -= units.get();
                    println!("{wanted} units: {units} from {}", pallets[index].label);
                }
            }
            Choice::Short { available } => println!("{wanted} units: only {available} are free"),
        }
    }
    Ok(())
}
