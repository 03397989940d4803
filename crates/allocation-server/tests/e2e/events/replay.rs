//! The state as the events tell it.

use crate::support::Client;
use allocation_domain::{
    Allocation, AllocationReason, Batch, BatchCounts, BatchReference, DeallocationReason, Event, Fulfilment, LineState,
    LineTerms, Order, OrderId, PickLine, PickListId, PickStatus, Quantity, ReservationState, Sku,
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Replay {
    /// A name may go from one product to another, and the events of two products be in another order.
    batches: BTreeMap<(Sku, BatchReference), Batch>,
    lines: BTreeMap<(OrderId, Sku), LineState>,
    picks: BTreeMap<PickListId, BTreeMap<u32, PickLine>>,
}

impl Replay {
    /// Follows events from the first on.
    pub(super) fn of(events: &[Value]) -> Self {
        let mut replay = Self::default();
        for event in events {
            let at: DateTime<Utc> = event["time"].as_str().unwrap().parse().unwrap();
            replay.apply(serde_json::from_value(event["data"].clone()).unwrap(), at);
        }
        replay
    }

    fn apply(&mut self, event: Event, at: DateTime<Utc>) {
        match event {
            Event::BatchAdded { reference, sku, purchased_quantity, eta } => {
                let batch = Batch::new(reference.clone(), sku.clone(), purchased_quantity, eta, at);
                assert!(self.batches.insert((sku, reference), batch).is_none());
            }
            Event::BatchChanged { reference, sku, purchased_quantity, eta, revision, .. } => {
                let key = (sku.clone(), reference.clone());
                let old = &self.batches[&key];
                let new = Batch::new(reference, sku, purchased_quantity, eta, old.added_at());
                let new = new.with_revision(revision).with_counts(old.counts()).unwrap();
                self.batches.insert(key, new);
            }
            Event::BatchRemoved { reference, sku } => {
                let counts = self.batches.remove(&(sku, reference)).unwrap().counts();
                assert_eq!((counts.allocated, counts.picked, counts.shipped), (0, 0, 0));
            }
            Event::LinePlaced { order_id, sku, quantity, priority, on_shortage, allow_split, expires_at } => {
                let terms = LineTerms { of_order: true, priority, placed_at: at, on_shortage, allow_split };
                let commitment =
                    expires_at.map_or(ReservationState::Firm, |expires_at| ReservationState::Held { expires_at });
                let line = LineState {
                    quantity,
                    terms,
                    commitment,
                    waiting: 0,
                    fulfilment: Fulfilment::default(),
                    allocations: Vec::new(),
                };
                assert!(self.lines.insert((order_id, sku), line).is_none());
            }
            Event::Allocated { order_id, sku, reference, quantity, line_quantity, reason } => {
                let batch = self.count(&sku, &reference, |counts| counts.allocated += quantity.get());
                let line =
                    self.lines.entry((order_id, sku)).or_insert_with(|| LineState::standalone(line_quantity, at));
                let held = line.holds(&reference).map_or(0, |held| held.get());
                let now = Quantity::new(held + quantity.get()).unwrap();
                line.allocations.retain(|part| part.reference != reference);
                line.allocations.push(Allocation::of(&batch, now));
                if reason == AllocationReason::Backorder {
                    line.waiting -= quantity.get();
                }
            }
            Event::Deallocated { order_id, sku, reference, quantity, reason } => {
                self.count(&sku, &reference, |counts| counts.allocated -= quantity.get());
                let key = (order_id, sku);
                self.take_from(&key, &reference, quantity);
                self.forget(&key, reason);
            }
            Event::Backordered { order_id, sku, quantity } | Event::LineShort { order_id, sku, quantity } => {
                self.line(order_id, sku).waiting += quantity.get();
            }
            Event::WaitEnded { order_id, sku, quantity } => {
                let key = (order_id, sku);
                self.lines.get_mut(&key).unwrap().waiting -= quantity.get();
                self.forget(&key, DeallocationReason::Request);
            }
            Event::HoldConfirmed { order_id, sku } => self.line(order_id, sku).commitment = ReservationState::Firm,
            Event::HoldExtended { order_id, sku, expires_at } => {
                self.line(order_id, sku).commitment = ReservationState::Held { expires_at };
            }
            Event::HoldExpired { order_id, sku, .. } => self.end(order_id, sku, ReservationState::Expired),
            Event::LineCancelled { order_id, sku } => self.end(order_id, sku, ReservationState::Cancelled),
            Event::PromiseWorsened { .. } | Event::ProductRegistered { .. } | Event::OutOfStock { .. } => {}
            Event::PickListed { .. }
            | Event::PickLineChanged { .. }
            | Event::PickLineWithdrawn { .. }
            | Event::Picked { .. }
            | Event::UnitsMissing { .. }
            | Event::Shipped { .. } => self.apply_to_picks(event),
        }
    }

    /// Follows an event of a pick line.
    fn apply_to_picks(&mut self, event: Event) {
        match event {
            Event::PickListed { order_id, sku, reference, list, line, quantity } => {
                let pick = PickLine { order_id, sku, reference, quantity, picked: 0, status: PickStatus::Open };
                assert!(self.picks.entry(list).or_default().insert(line, pick).is_none());
            }
            Event::PickLineChanged { list, line, quantity, old_quantity, .. } => {
                let pick = self.pick(&list, line);
                assert_eq!((pick.status, pick.quantity), (PickStatus::Open, old_quantity));
                pick.quantity = quantity;
            }
            Event::PickLineWithdrawn { list, line, quantity, .. } => {
                let pick = self.pick(&list, line);
                assert_eq!((pick.status, pick.quantity), (PickStatus::Open, quantity));
                pick.status = PickStatus::Withdrawn;
            }
            Event::Picked { order_id, sku, reference, list, line, quantity } => {
                let pick = self.pick(&list, line);
                (pick.picked, pick.status) = (quantity.get(), PickStatus::Picked);
                self.count(&sku, &reference, |counts| {
                    counts.allocated -= quantity.get();
                    counts.picked += quantity.get();
                });
                let key = (order_id, sku);
                self.take_from(&key, &reference, quantity);
                self.lines.get_mut(&key).unwrap().fulfilment.picked += quantity.get();
            }
            Event::UnitsMissing { order_id, sku, reference, list, line, quantity } => {
                let pick = self.pick(&list, line);
                assert_eq!(pick.picked + quantity.get(), pick.quantity.get(), "found or missing");
                if pick.status == PickStatus::Open {
                    pick.status = PickStatus::Missing;
                }
                self.count(&sku, &reference, |counts| {
                    counts.allocated -= quantity.get();
                    counts.missing += quantity.get();
                });
                self.take_from(&(order_id, sku), &reference, quantity);
            }
            Event::Shipped { order_id, sku, reference, list, line, quantity } => {
                let pick = self.pick(&list, line);
                assert_eq!((pick.status, pick.picked), (PickStatus::Picked, quantity.get()));
                pick.status = PickStatus::Shipped;
                self.count(&sku, &reference, |counts| {
                    counts.picked -= quantity.get();
                    counts.shipped += quantity.get();
                });
                let fulfilment = &mut self.line(order_id, sku).fulfilment;
                fulfilment.picked -= quantity.get();
                fulfilment.shipped += quantity.get();
            }
            other => panic!("{other:?} is about no pick line"),
        }
    }

    fn pick(&mut self, list: &PickListId, line: u32) -> &mut PickLine {
        self.picks.get_mut(list).unwrap().get_mut(&line).unwrap()
    }

    /// Takes units of a batch from what a line holds.
    fn take_from(&mut self, key: &(OrderId, Sku), reference: &BatchReference, quantity: Quantity) {
        let line = self.lines.get_mut(key).unwrap();
        let part = line.allocations.iter_mut().find(|part| part.reference == *reference).unwrap();
        match part.quantity.minus(quantity.get()) {
            Some(rest) => part.quantity = rest,
            None => line.allocations.retain(|part| part.reference != *reference),
        }
    }

    fn line(&mut self, order_id: OrderId, sku: Sku) -> &mut LineState {
        self.lines.get_mut(&(order_id, sku)).unwrap()
    }

    fn end(&mut self, order_id: OrderId, sku: Sku, commitment: ReservationState) {
        let line = self.line(order_id, sku);
        assert!(line.allocations.is_empty());
        (line.waiting, line.commitment) = (0, commitment);
    }

    /// Counts units of a batch, which is answered as it is then.
    fn count(&mut self, sku: &Sku, reference: &BatchReference, change: impl FnOnce(&mut BatchCounts)) -> Batch {
        let key = (sku.clone(), reference.clone());
        let batch = self.batches.remove(&key).unwrap();
        let mut counts = batch.counts();
        change(&mut counts);
        let batch = batch.with_counts(counts).unwrap();
        self.batches.insert(key, batch.clone());
        batch
    }

    /// A line that was sent alone is forgotten when it has given everything back.
    fn forget(&mut self, key: &(OrderId, Sku), reason: DeallocationReason) {
        let line = &self.lines[key];
        if reason == DeallocationReason::Request && line.is_idle() && !line.terms.of_order {
            self.lines.remove(key);
        }
    }

    /// Compares batches, allocations, orders and pick lists with what the service tells of them.
    pub(super) fn check(&self, client: &Client) {
        let mut told = client.all("/batch?limit=1000");
        told.sort_by_key(|batch| ["sku", "reference"].map(|name| batch[name].as_str().unwrap().to_owned()));
        let batches = self.batches.values().map(|batch| {
            let BatchCounts { picked, shipped, missing, .. } = batch.counts();
            let mut shown = json!({
                "reference": batch.reference().as_str(), "sku": batch.sku().as_str(),
                "purchased_quantity": batch.purchased().get(), "allocated_quantity": batch.allocated(),
                "available_quantity": batch.available(), "eta": batch.eta().date().map(|date| date.to_string()),
            });
            for (name, units) in [("picked", picked), ("shipped", shipped), ("missing", missing)] {
                if units > 0 {
                    shown[format!("{name}_quantity")] = units.into();
                }
            }
            shown
        });
        assert_eq!(told, batches.collect::<Vec<_>>());
        assert_eq!(sorted(client.all("/allocations?limit=1000")), sorted(self.allocations()));
        assert_eq!(client.all("/orders?limit=1000").into_iter().map(in_brief).collect::<Vec<_>>(), self.orders());
        assert_eq!(pick_lists(client), self.pick_lists());
    }

    /// What became of each line of each pick list.
    fn pick_lists(&self) -> Vec<Value> {
        let lists = self.picks.iter().map(|(list, lines)| {
            let told = lines.iter().map(|(number, line)| {
                json!({"line": number, "reference": line.reference.as_str(), "sku": line.sku.as_str(),
                    "order_id": line.order_id.as_str(), "qty": line.quantity.get(), "status": line.status.name(),
                    "picked": line.picked})
            });
            json!({"pick_list_id": list.as_str(), "lines": told.collect::<Vec<_>>()})
        });
        lists.collect()
    }

    fn allocations(&self) -> Vec<Value> {
        let parts = self.lines.iter().flat_map(|((order_id, sku), line)| {
            line.allocations.iter().map(move |part| {
                json!({"order_id": order_id.as_str(), "sku": sku.as_str(), "qty": part.quantity.get(),
                    "reference": part.reference.as_str()})
            })
        });
        parts.collect()
    }

    fn orders(&self) -> Vec<Value> {
        let mut orders: BTreeMap<&OrderId, Vec<(Sku, LineState)>> = BTreeMap::new();
        for ((order_id, sku), line) in &self.lines {
            orders.entry(order_id).or_default().push((sku.clone(), line.clone()));
        }
        let shown = orders.into_iter().map(|(order_id, lines)| {
            let told = lines.iter().map(|(sku, line)| {
                let parts = line.allocations.iter().map(|part| (part.reference.as_str(), part.quantity.get()));
                let held: BTreeMap<&str, u32> = parts.collect();
                json!({"sku": sku.as_str(), "qty": line.quantity.get(), "backordered": line.waiting, "held": held,
                    "picked": line.fulfilment.picked, "shipped": line.fulfilment.shipped})
            });
            let told: Vec<Value> = told.collect();
            let order = Order { order_id: order_id.clone(), lines };
            json!({"order_id": order_id.as_str(), "status": order.status(Utc::now()).name(), "lines": told})
        });
        shown.collect()
    }
}

/// An order as it is told, with what each line holds by batch.
fn in_brief(order: Value) -> Value {
    let lines = order["lines"].as_array().unwrap().iter().map(|line| {
        let parts = line["allocations"].as_array().unwrap().iter();
        let held: BTreeMap<&str, &Value> =
            parts.map(|part| (part["reference"].as_str().unwrap(), &part["qty"])).collect();
        json!({"sku": line["sku"], "qty": line["qty"], "backordered": line["backordered"], "held": held,
            "picked": line["picked"].as_u64().unwrap_or(0), "shipped": line["shipped"].as_u64().unwrap_or(0)})
    });
    json!({"order_id": order["order_id"], "status": order["status"], "lines": lines.collect::<Vec<_>>()})
}

/// The pick lists as they are told, by their names, with how many units were picked of every line.
fn pick_lists(client: &Client) -> Vec<Value> {
    let mut ids: Vec<String> = client
        .all("/pick-lists?limit=1000")
        .into_iter()
        .map(|list| list["pick_list_id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    let lists = ids.iter().map(|id| {
        let mut lines = client.get(&format!("/pick-lists/{id}")).json()["lines"].take();
        for line in lines.as_array_mut().unwrap() {
            line["picked"] = line["picked"].as_u64().unwrap_or(0).into();
        }
        json!({"pick_list_id": id, "lines": lines})
    });
    lists.collect()
}

fn sorted(mut rows: Vec<Value>) -> Vec<String> {
    let mut texts: Vec<String> = rows.drain(..).map(|row| row.to_string()).collect();
    texts.sort();
    texts
}
