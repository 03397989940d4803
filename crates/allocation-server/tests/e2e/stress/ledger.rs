//! Batches and lines, as the tables have them and as the events make them.

use crate::support::TestDatabase;
use serde_json::{Value, json};
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
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    purchased: u64,
    allocated: u64,
    picked: u64,
    shipped: u64,
    missing: u64,
    eta: Option<String>,
    revision: u64,
}

impl Batch {
    const fn taken(&self) -> u64 {
        self.allocated + self.picked + self.shipped + self.missing
    }
}

/// A line of a pick list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    sku: String,
    order: String,
    batch: String,
    quantity: u64,
    pub(crate) picked: u64,
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
    pub(crate) parts: Parts,
}

impl Line {
    fn standalone(quantity: u64) -> Self {
        let (state, parts) = (State::Firm, Parts::new());
        let (of_order, priority, backorders, allow_split) = (false, 0, false, true);
        let (waiting, listed, picked, shipped) = (0, 0, 0, 0);
        Self { quantity, waiting, state, of_order, priority, backorders, allow_split, listed, picked, shipped, parts }
    }
}

/// All batches, by SKU and reference, and all lines.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) batches: BTreeMap<(String, String), Batch>,
    pub(crate) lines: BTreeMap<LineKey, Line>,
    /// By list and number.
    pub(crate) picks: BTreeMap<(String, u64), Pick>,
}

/// The rows of a query of columns with `|` between them.
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
        ];
        for row in rows(database, &columns, "batches") {
            let eta = Some(row[4].clone()).filter(|eta| !eta.is_empty());
            let (purchased, allocated, revision) = (number(&row[2]), number(&row[3]), number(&row[5]));
            let (picked, shipped, missing) = (number(&row[6]), number(&row[7]), number(&row[8]));
            let batch = Batch { purchased, allocated, picked, shipped, missing, eta, revision };
            ledger.batches.insert((row[0].clone(), row[1].clone()), batch);
        }
        let columns = [
            "order_id",
            "sku",
            "quantity",
            "waiting",
            "of_order",
            "priority",
            "backorders",
            "allow_split",
            "ended",
            "expires_at",
            "listed",
            "picked",
            "shipped",
        ];
        for row in rows(database, &columns, "order_lines") {
            let state = match (row[8].as_str(), row[9].as_str()) {
                ("expired", "") => State::Expired,
                ("cancelled", "") => State::Cancelled,
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
                parts: Parts::new(),
            };
            ledger.lines.insert((row[0].clone(), row[1].clone()), line);
        }
        for row in rows(database, &["order_id", "sku", "reference", "quantity"], "allocations") {
            let line = ledger.lines.get_mut(&(row[0].clone(), row[1].clone())).unwrap();
            line.parts.insert(row[2].clone(), number(&row[3]));
        }
        let columns = ["list_id", "line", "sku", "order_id", "reference", "quantity", "picked", "status"];
        for row in rows(database, &columns, "pick_list_lines") {
            let [list, line, sku, order, batch, quantity, picked, status] = row.try_into().unwrap();
            let pick = Pick { sku, order, batch, quantity: number(&quantity), picked: number(&picked), status };
            ledger.picks.insert((list, number(&line)), pick);
        }
        ledger
    }

    /// Follows the events from the start. They are in order only within a SKU.
    pub(crate) fn replayed(database: &TestDatabase) -> Self {
        let mut ledger = Self::default();
        for event in database.texts("SELECT payload FROM all_events ORDER BY sku, version, ordinal") {
            ledger.follow(&serde_json::from_str(&event).unwrap());
        }
        ledger
    }

    /// Follows events from the start, in their order.
    pub(crate) fn of_events<'a>(events: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut ledger = Self::default();
        events.into_iter().for_each(|event| ledger.follow(event));
        ledger
    }

    fn follow(&mut self, event: &Value) {
        let text = |name: &str| event[name].as_str().unwrap_or_else(|| panic!("{name}: {event}")).to_owned();
        let units = |name: &str| event[name].as_u64().unwrap_or_else(|| panic!("{name}: {event}"));
        let eta = || event["eta"].as_str().map(str::to_owned);
        let name = event["type"].as_str().unwrap();
        match name {
            "batch_added" => {
                let (purchased, eta, revision) = (units("purchased_quantity"), eta(), 1);
                let (allocated, picked, shipped, missing) = (0, 0, 0, 0);
                let batch = Batch { purchased, allocated, picked, shipped, missing, eta, revision };
                assert!(self.batches.insert((text("sku"), text("reference")), batch).is_none(), "{event}");
            }
            "batch_changed" => {
                let batch = self.batch(event);
                assert_eq!(batch.purchased, units("old_purchased_quantity"), "{event}");
                assert_eq!(json!(batch.eta), event["old_eta"], "{event}");
                assert_eq!(batch.revision + 1, units("revision"), "{event}");
                (batch.purchased, batch.eta, batch.revision) = (units("purchased_quantity"), eta(), units("revision"));
                assert!(batch.taken() <= batch.purchased, "{event}");
            }
            "batch_removed" => {
                let removed = self.batches.remove(&(text("sku"), text("reference"))).unwrap();
                assert_eq!(removed.taken(), removed.missing, "{event}");
            }
            "product_registered" | "out_of_stock" => {}
            _ => self.follow_line(name, event, (text("order_id"), text("sku"))),
        }
    }

    fn batch(&mut self, event: &Value) -> &mut Batch {
        let text = |name: &str| event[name].as_str().unwrap().to_owned();
        self.batches.get_mut(&(text("sku"), text("reference"))).unwrap_or_else(|| panic!("no batch: {event}"))
    }

    fn follow_line(&mut self, name: &str, event: &Value, key: LineKey) {
        let text = |name: &str| event[name].as_str().unwrap_or_else(|| panic!("{name}: {event}")).to_owned();
        let units = |name: &str| event[name].as_u64().unwrap_or_else(|| panic!("{name}: {event}"));
        match name {
            "line_placed" => {
                let line = Line {
                    state: if event["expires_at"].is_null() { State::Firm } else { State::Held },
                    of_order: true,
                    priority: event["priority"].as_i64().unwrap(),
                    backorders: text("on_shortage") == "backorder",
                    allow_split: event["allow_split"].as_bool().unwrap(),
                    ..Line::standalone(units("quantity"))
                };
                assert!(self.lines.insert(key, line).is_none(), "{event}");
                return;
            }
            "allocated" => {
                let batch = self.batch(event);
                batch.allocated += units("quantity");
                assert!(batch.taken() <= batch.purchased, "{event}");
                self.lines.entry(key.clone()).or_insert_with(|| Line::standalone(units("line_quantity")));
            }
            "deallocated" => self.batch(event).allocated -= units("quantity"),
            "pick_listed" | "pick_line_changed" | "pick_line_withdrawn" | "picked" | "units_missing" | "shipped" => {
                return self.follow_pick(name, event, &key);
            }
            _ => {}
        }
        let line = self.lines.get_mut(&key).unwrap_or_else(|| panic!("no line: {event}"));
        assert!(matches!(line.state, State::Firm | State::Held), "it has ended: {event}");
        match name {
            "allocated" => {
                *line.parts.entry(text("reference")).or_default() += units("quantity");
                if text("reason") == "backorder" {
                    line.waiting -= units("quantity");
                }
                assert_eq!(line.quantity, units("line_quantity"), "{event}");
                assert!(
                    line.parts.values().sum::<u64>() + line.waiting + line.picked + line.shipped <= line.quantity,
                    "{event} {line:?}"
                );
            }
            "deallocated" => {
                take_from(&mut line.parts, &text("reference"), units("quantity"));
            }
            "backordered" | "line_short" => {
                assert_eq!(line.backorders, name == "backordered", "{event}");
                line.waiting += units("quantity");
            }
            "wait_ended" => {
                assert_eq!(line.waiting, units("quantity"), "{event}");
                line.waiting = 0;
            }
            "promise_worsened" => assert!(line.parts[&text("reference")] >= units("quantity"), "{event}"),
            "hold_confirmed" => {
                assert_eq!(line.state, State::Held, "{event}");
                line.state = State::Firm;
            }
            "hold_extended" => assert_eq!(line.state, State::Held, "{event}"),
            "hold_expired" | "line_cancelled" => {
                assert!(line.parts.is_empty(), "{event}");
                line.waiting = 0;
                line.state = if name == "hold_expired" { State::Expired } else { State::Cancelled };
            }
            other => panic!("{other}"),
        }
        let gave_back = name == "wait_ended" || name == "deallocated" && text("reason") == "request";
        let has_nothing = line.waiting + line.picked + line.shipped == 0 && line.parts.is_empty();
        if gave_back && !line.of_order && has_nothing {
            self.lines.remove(&key);
        }
    }

    /// Follows what happens to a line of a pick list, its order line and its batch.
    fn follow_pick(&mut self, name: &str, event: &Value, key: &LineKey) {
        let text = |name: &str| event[name].as_str().unwrap_or_else(|| panic!("{name}: {event}")).to_owned();
        let units = event["quantity"].as_u64().unwrap();
        let id = (text("list"), event["line"].as_u64().unwrap());
        if name == "pick_listed" {
            let ((order, sku), batch) = (key.clone(), text("reference"));
            let pick = Pick { sku, order, batch, quantity: units, picked: 0, status: "open".to_owned() };
            assert!(self.picks.insert(id, pick).is_none(), "{event}");
            self.lines.get_mut(key).unwrap().listed += units;
            return;
        }
        let pick = self.picks.get_mut(&id).unwrap_or_else(|| panic!("no pick line: {event}"));
        let line = self.lines.get_mut(key).unwrap_or_else(|| panic!("no line: {event}"));
        match name {
            "pick_line_changed" => {
                line.listed -= pick.quantity - units;
                pick.quantity = units;
            }
            "pick_line_withdrawn" => {
                line.listed -= units;
                pick.status = "withdrawn".to_owned();
            }
            "shipped" => {
                assert_eq!((pick.picked, pick.status.as_str()), (units, "picked"), "{event}");
                pick.status = "shipped".to_owned();
                (line.picked, line.shipped) = (line.picked - units, line.shipped + units);
            }
            _ => {
                line.listed -= units;
                take_from(&mut line.parts, &text("reference"), units);
                if name == "picked" {
                    line.picked += units;
                    pick.picked = units;
                    pick.status = "picked".to_owned();
                } else if pick.picked == 0 {
                    pick.status = "missing".to_owned();
                }
            }
        }
        if let "picked" | "units_missing" | "shipped" = name {
            let batch = self.batch(event);
            match name {
                "picked" => (batch.allocated, batch.picked) = (batch.allocated - units, batch.picked + units),
                "shipped" => (batch.picked, batch.shipped) = (batch.picked - units, batch.shipped + units),
                _ => (batch.allocated, batch.missing) = (batch.allocated - units, batch.missing + units),
            }
        }
    }
}

/// Takes units of a batch from what a line holds.
fn take_from(parts: &mut Parts, batch: &str, units: u64) {
    let part = parts.get_mut(batch).unwrap();
    *part -= units;
    if *part == 0 {
        parts.remove(batch);
    }
}
