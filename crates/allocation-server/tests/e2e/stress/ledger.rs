//! Batches, lines and pick lines, as the tables store them and as the events give them.

use crate::support::TestDatabase;
use allocation_domain::{BatchCounts, Event, LineState, OnShortage, PickLine, Projection, ReservationState};
use chrono::DateTime;
use std::collections::BTreeMap;

/// Units by batch.
pub(crate) type Parts = BTreeMap<String, u64>;
/// Order and SKU.
pub(crate) type LineKey = (String, String);

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum State {
    Firm,
    Held,
    Expired,
    Cancelled,
    Closed,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// With all adjustments.
    purchased: u64,
    adjusted: i64,
    allocated: u64,
    picked: u64,
    shipped: u64,
    missing: u64,
    eta: Option<String>,
    revision: u64,
}

/// A line of a pick list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    sku: String,
    order: String,
    batch: String,
    quantity: u64,
    pub(crate) picked: u64,
    shipped: u64,
    pub(crate) put_back: u64,
    pub(crate) status: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) quantity: u64,
    pub(crate) waiting: u64,
    pub(crate) state: State,
    pub(crate) of_order: bool,
    pub(crate) priority: i64,
    pub(crate) backorders: bool,
    pub(crate) allow_split: bool,
    /// Units on pick lists, picked, and shipped.
    pub(crate) listed: u64,
    pub(crate) picked: u64,
    pub(crate) shipped: u64,
    /// Of the shipped units, those that came back.
    pub(crate) returned: u64,
    pub(crate) parts: Parts,
}

/// All batches, by SKU and reference, and all lines.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) batches: BTreeMap<(String, String), Batch>,
    pub(crate) lines: BTreeMap<LineKey, Line>,
    /// By list and number.
    pub(crate) picks: BTreeMap<(String, u64), Pick>,
}

/// The rows of a table, with `|` between the columns.
fn rows(database: &TestDatabase, columns: &[&str], table: &str) -> Vec<Vec<String>> {
    let columns: Vec<String> = columns.iter().map(|column| format!("coalesce(CAST({column} AS text), '')")).collect();
    let query = format!("SELECT {} FROM {table}", columns.join(" || '|' || "));
    database.texts(&query).iter().map(|row| row.split('|').map(str::to_owned).collect()).collect()
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn flag(text: &str) -> bool {
    ["1", "true", "t"].contains(&text)
}

impl Ledger {
    /// Reads the tables.
    pub(crate) fn stored(database: &TestDatabase) -> Self {
        let mut ledger = Self::default();
        let columns = [
            "sku",
            "reference",
            "purchased_quantity",
            "allocated_quantity",
            "eta",
            "revision",
            "picked_quantity",
            "shipped_quantity",
            "missing_quantity",
            "adjusted_quantity",
        ];
        for row in rows(database, &columns, "batches") {
            let eta = Some(row[4].clone()).filter(|eta| !eta.is_empty());
            let (purchased, allocated, revision) = (number(&row[2]), number(&row[3]), number(&row[5]));
            let (picked, shipped, missing) = (number(&row[6]), number(&row[7]), number(&row[8]));
            let adjusted = number(&row[9]);
            let batch = Batch { purchased, adjusted, allocated, picked, shipped, missing, eta, revision };
            ledger.batches.insert((row[0].clone(), row[1].clone()), batch);
        }
        let columns = [
            "order_id",
            "sku",
            "quantity",
            "waiting",
            "of_order",
            "~precedence",
            "backorders",
            "allow_split",
            "ended",
            "expires_at",
            "listed",
            "picked",
            "shipped",
            "closed",
            "returned",
        ];
        for row in rows(database, &columns, "order_lines") {
            let state = match (row[8].as_str(), row[9].as_str()) {
                ("expired", "") => State::Expired,
                ("cancelled", "") => State::Cancelled,
                ("", "") if flag(&row[13]) => State::Closed,
                ("", "") => State::Firm,
                ("", _) => State::Held,
                other => panic!("{other:?}"),
            };
            let line = Line {
                quantity: number(&row[2]),
                waiting: number(&row[3]),
                state,
                of_order: flag(&row[4]),
                priority: number(&row[5]),
                backorders: flag(&row[6]),
                allow_split: flag(&row[7]),
                listed: number(&row[10]),
                picked: number(&row[11]),
                shipped: number(&row[12]),
                returned: number(&row[14]),
                parts: Parts::new(),
            };
            ledger.lines.insert((row[0].clone(), row[1].clone()), line);
        }
        for row in rows(database, &["order_id", "sku", "reference", "quantity"], "allocations") {
            let line = ledger.lines.get_mut(&(row[0].clone(), row[1].clone())).unwrap();
            line.parts.insert(row[2].clone(), number(&row[3]));
        }
        let columns =
            ["list_id", "line", "sku", "order_id", "reference", "quantity", "picked", "shipped", "put_back", "status"];
        for row in rows(database, &columns, "pick_list_lines") {
            let [list, line, sku, order, batch, quantity, picked, shipped, put_back, status] = row.try_into().unwrap();
            let (quantity, picked) = (number(&quantity), number(&picked));
            let (shipped, put_back) = (number(&shipped), number(&put_back));
            let pick = Pick { sku, order, batch, quantity, picked, shipped, put_back, status };
            ledger.picks.insert((list, number(&line)), pick);
        }
        ledger
    }

    /// Reads the stored events from the start. They are in order only within a SKU.
    pub(crate) fn of_stored_events(database: &TestDatabase) -> Self {
        let events = database.texts("SELECT payload FROM all_events ORDER BY sku, version, ordinal");
        Self::of_events(events.iter().map(|event| serde_json::from_str(event).unwrap()))
    }

    /// Applies events from the start, in their order.
    pub(crate) fn of_events(events: impl IntoIterator<Item = Event>) -> Self {
        let mut projection = Projection::default();
        for event in events {
            // The ledger holds no instants.
            projection.apply(&event, DateTime::UNIX_EPOCH).unwrap_or_else(|error| panic!("{error}: {event:?}"));
        }
        let batches = projection.batches();
        let lines = projection.lines();
        let picks = projection.pick_lines();
        Self {
            batches: batches.map(|it| ((it.sku().to_string(), it.reference().to_string()), it.into())).collect(),
            lines: lines.map(|(sku, order_id, it)| ((order_id.to_string(), sku.to_string()), it.into())).collect(),
            picks: picks.map(|(id, it)| ((id.list.to_string(), id.line.into()), it.into())).collect(),
        }
    }
}

impl From<&allocation_domain::Batch> for Batch {
    fn from(batch: &allocation_domain::Batch) -> Self {
        let BatchCounts { allocated, picked, shipped, missing } = batch.counts();
        Self {
            purchased: batch.total().get().into(),
            adjusted: batch.adjustments().into(),
            allocated: allocated.into(),
            picked: picked.into(),
            shipped: shipped.into(),
            missing: missing.into(),
            eta: batch.eta().date().map(|date| date.to_string()),
            revision: batch.revision().into(),
        }
    }
}

impl From<&LineState> for Line {
    fn from(line: &LineState) -> Self {
        let state = match line.commitment {
            ReservationState::Firm => State::Firm,
            ReservationState::Held { .. } => State::Held,
            ReservationState::Expired => State::Expired,
            ReservationState::Cancelled => State::Cancelled,
            ReservationState::Closed => State::Closed,
        };
        let parts = line.allocations.iter().map(|part| (part.reference.to_string(), part.quantity.get().into()));
        Self {
            quantity: line.quantity.get().into(),
            waiting: line.waiting.into(),
            state,
            of_order: line.terms.of_order,
            priority: line.terms.priority.into(),
            backorders: line.terms.on_shortage == OnShortage::Backorder,
            allow_split: line.terms.allow_split,
            listed: line.fulfilment.listed.into(),
            picked: line.fulfilment.picked.into(),
            shipped: line.fulfilment.shipped.into(),
            returned: line.fulfilment.returned.into(),
            parts: parts.collect(),
        }
    }
}

impl From<&PickLine> for Pick {
    fn from(pick: &PickLine) -> Self {
        Self {
            sku: pick.sku.to_string(),
            order: pick.order_id.to_string(),
            batch: pick.reference.to_string(),
            quantity: pick.quantity.get().into(),
            picked: pick.picked.into(),
            shipped: pick.shipped.into(),
            put_back: pick.put_back.into(),
            status: pick.status.as_str().to_owned(),
        }
    }
}
