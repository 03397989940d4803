//! Checks that every response was true, and that the feed agrees.

use super::customer::{Customer, End, Known, PLENTY, SCARCE};
use crate::stress::invariants;
use crate::stress::ledger::{Ledger, Line, State};
use crate::support::{Client, TestDatabase};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

/// The units of the scarce SKU.
const SCARCE_UNITS: u32 = 40;
/// The time in which the feed must be complete.
const FEED_TIMEOUT: Duration = Duration::from_secs(30);

/// Adds the batches that the customers buy from.
pub(super) fn stock(client: &Client) {
    for sku in PLENTY {
        assert_eq!(client.add_batch(&format!("{sku}-BATCH"), sku, 1_000_000_000, None).status, 201);
    }
    assert_eq!(client.add_batch("SCARCE-BATCH", SCARCE, SCARCE_UNITS, None).status, 201);
}

/// Returns the responses that the stored lines contradict, once the fault is over.
pub(super) fn check_responses(stored: &Ledger, customers: &[Customer<'_>]) -> Vec<String> {
    let orders = customers.iter().flat_map(|customer| &customer.orders);
    orders.flat_map(|(name, known)| check_order(stored, name, known)).collect()
}

/// Returns all other violations, once the fault is over.
pub(super) fn check_state(
    database: &TestDatabase,
    client: &Client,
    stored: &Ledger,
    customers: &[Customer<'_>],
) -> Vec<String> {
    let mut violations = told_by(|| invariants::check_counters(database));
    let is_known = |(name, sku): &(String, String)| {
        customers.iter().any(|customer| customer.orders.get(name).is_some_and(|known| known.lines.contains_key(sku)))
    };
    violations
        .extend(stored.lines.keys().filter(|key| !is_known(key)).map(|key| format!("{key:?}: no customer sent it")));
    let scarce: u64 = stored.lines.iter().filter(|((_, sku), _)| sku == SCARCE).map(|(_, line)| held(line)).sum();
    if scarce > u64::from(SCARCE_UNITS) {
        violations.push(format!("{scarce} of {SCARCE_UNITS} scarce units were sold"));
    }
    violations.extend(check_feed(database, client, stored));
    violations
}

fn held(line: &Line) -> u64 {
    line.parts.values().sum()
}

/// Compares the responses to one order with its stored lines.
fn check_order(stored: &Ledger, name: &str, known: &Known) -> Vec<String> {
    let check_line = |(sku, units): (&String, &u64)| {
        let line = stored.lines.get(&(name.to_owned(), sku.clone()));
        let right = match (known.end, line) {
            (End::Unknown, _) | (End::Refused, None) => true,
            (End::Firm, Some(line)) => line.state == State::Firm && held(line) == *units && line.quantity == *units,
            (End::Cancelled, Some(line)) => line.state == State::Cancelled && held(line) == 0,
            (End::Firm | End::Cancelled, None) | (End::Refused, Some(_)) => false,
        };
        (!right).then(|| format!("{name} {sku} was answered as {:?} and is {line:?}", known.end))
    };
    known.lines.iter().filter_map(check_line).collect()
}

/// The feed has every event, with ids without gaps, and gives the stored rows.
fn check_feed(database: &TestDatabase, client: &Client, stored: &Ledger) -> Vec<String> {
    let count = usize::try_from(database.count("SELECT count(*) FROM all_events")).unwrap();
    let deadline = Instant::now() + FEED_TIMEOUT;
    while database.count("SELECT count(*) FROM outbox") > 0 {
        if Instant::now() > deadline {
            return vec!["events are not sequenced".to_owned()];
        }
        thread::sleep(Duration::from_millis(20));
    }
    let events = read_feed(client);
    let expected = (1..=count).map(|id| id.to_string());
    if !events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).eq(expected) {
        return vec![format!("the feed has {} events of {count}, or gaps", events.len())];
    }
    told_by(|| {
        let data = events.iter().map(|event| serde_json::from_value(event["data"].clone()).unwrap());
        let projected = Ledger::of_events(data);
        assert_eq!(projected.batches, stored.batches, "the feed gives the batches");
        assert_eq!(projected.lines, stored.lines, "the feed gives the lines and their allocations");
    })
}

/// Reads all events, page after page.
fn read_feed(client: &Client) -> Vec<Value> {
    let mut events = Vec::new();
    let mut next = "/events?after=0&limit=1000".to_owned();
    loop {
        let (page, link) = client.page(&next);
        let Some(link) = link.filter(|_| !page.is_empty()) else { return events };
        events.extend(page);
        next = link;
    }
}

/// Runs a check, and returns its panic as a violation.
fn told_by(check: impl FnOnce()) -> Vec<String> {
    let Err(panic) = catch_unwind(AssertUnwindSafe(check)) else { return Vec::new() };
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    vec![text.unwrap_or_default().chars().take(2_000).collect()]
}
