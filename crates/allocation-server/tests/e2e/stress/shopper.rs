use crate::support::{Answer, Client};
use serde_json::Value;
use std::collections::BTreeMap;
use std::thread;

const SKUS: u64 = 5;
const BATCHES: u64 = 24;

/// A client who sends random commands about orders of its own, and knows what they must hold.
pub(super) struct Shopper {
    name: String,
    client: Client,
    random: u64,
    orders: u64,
    /// What each line holds by what the client was told: order and SKU, to batch and units.
    pub(super) held: BTreeMap<(String, String), BTreeMap<String, u64>>,
    /// How many units each line ordered that holds some.
    ordered: BTreeMap<(String, String), u32>,
    pub(super) commands: usize,
    pub(super) refused: usize,
}

impl Shopper {
    pub(super) fn new(number: usize, client: Client) -> Self {
        let random = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(u64::try_from(number).unwrap() + 1);
        let name = format!("O-{number}");
        Self {
            name,
            client,
            random,
            orders: 0,
            held: BTreeMap::new(),
            ordered: BTreeMap::new(),
            commands: 0,
            refused: 0,
        }
    }

    /// A pseudo-random number below a bound (xorshift64).
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    pub(super) fn act(&mut self) {
        self.commands += 1;
        match self.below(20) {
            0..=2 => self.add_batch(),
            3 => self.remove_batch(),
            4..=7 => self.deallocate(),
            8..=10 => self.repeat(),
            _ => self.allocate_new(),
        }
    }

    fn sku(&mut self) -> String {
        format!("SKU-{}", self.below(SKUS))
    }

    fn batch(&mut self) -> String {
        format!("B-{}", self.below(BATCHES))
    }

    fn add_batch(&mut self) {
        let (batch, sku) = (self.batch(), self.sku());
        let eta = [None, Some("2027-01-01"), Some("2027-02-01")][usize::try_from(self.below(3)).unwrap()];
        let quantity = u32::try_from(1 + self.below(40)).unwrap();
        let answer = self.client.add_batch(&batch, &sku, quantity, eta);
        self.expect(&answer, &[201, 200, 409]);
    }

    fn remove_batch(&mut self) {
        let batch = self.batch();
        let answer = self.client.delete(&format!("/batch/{batch}"));
        self.expect(&answer, &[204, 404, 409]);
    }

    fn allocate_new(&mut self) {
        self.orders += 1;
        let order = format!("{}-{}", self.name, self.orders);
        let (sku, quantity) = (self.sku(), u32::try_from(1 + self.below(15)).unwrap());
        if self.below(4) == 0 {
            self.allocate_twice_at_once(&order, &sku, quantity);
        } else {
            let answer = self.client.allocate(&order, &sku, quantity);
            self.expect(&answer, &[201, 409]);
            self.note(&answer);
        }
    }

    /// One of two equal requests at the same time is the one that has the effect.
    fn allocate_twice_at_once(&mut self, order: &str, sku: &str, quantity: u32) {
        let client = self.client.clone();
        let (one, other) = thread::scope(|scope| {
            let other = scope.spawn(|| client.allocate(order, sku, quantity));
            (self.client.allocate(order, sku, quantity), other.join().unwrap())
        });
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert!([[200, 201], [201, 409], [409, 409]].contains(&statuses), "{one:?} {other:?}");
        for answer in [&one, &other] {
            self.expect(answer, &[200, 201, 409]);
            self.note(answer);
        }
    }

    /// Sends a line again, which may have lost units meanwhile, sometimes with another quantity.
    fn repeat(&mut self) {
        let Some(((order, sku), _)) = self.any_line() else { return };
        let asked = self.ordered[&(order.clone(), sku.clone())] + u32::try_from(self.below(2)).unwrap();
        let answer = self.client.allocate(&order, &sku, asked);
        self.expect(&answer, &[200, 201, 409]);
        self.note(&answer);
    }

    fn deallocate(&mut self) {
        let Some(((order, sku), parts)) = self.any_line() else { return };
        let batch = if self.below(5) == 0 { self.batch() } else { parts.keys().next().unwrap().clone() };
        let answer = self.client.delete(&format!("/allocations/{order}/batch/{batch}"));
        self.expect(&answer, &[204, 404]);
        assert_eq!(answer.status == 204, parts.contains_key(&batch), "{order} {batch}: {answer:?}");
        if answer.status == 204 {
            let line = self.held.get_mut(&(order.clone(), sku.clone())).unwrap();
            line.remove(&batch);
            if line.is_empty() {
                self.held.remove(&(order, sku));
            }
        }
    }

    fn any_line(&mut self) -> Option<((String, String), BTreeMap<String, u64>)> {
        let lines = u64::try_from(self.held.len()).unwrap();
        let chosen = if lines == 0 { return None } else { self.below(lines) };
        let (key, parts) = self.held.iter().nth(usize::try_from(chosen).unwrap()).unwrap();
        Some((key.clone(), parts.clone()))
    }

    #[track_caller]
    fn expect(&mut self, answer: &Answer, statuses: &[u16]) {
        assert!(statuses.contains(&answer.status), "{answer:?}");
        if answer.status >= 400 {
            self.refused += 1;
        }
    }

    /// Remembers what a line holds, as an answer to its allocation says.
    fn note(&mut self, answer: &Answer) {
        if answer.status >= 300 {
            return;
        }
        let body = answer.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let parts: BTreeMap<String, u64> = body["allocations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| (text(&part["reference"]), part["qty"].as_u64().unwrap()))
            .collect();
        assert_eq!(parts.values().sum::<u64>(), body["qty"].as_u64().unwrap(), "{answer:?}");
        let key = (text(&body["order_id"]), text(&body["sku"]));
        if answer.status == 200 {
            let known = self.held.get(&key);
            assert!(known.is_none_or(|known| *known == parts), "{answer:?}: {known:?}");
        }
        self.ordered.insert(key.clone(), u32::try_from(body["qty"].as_u64().unwrap()).unwrap());
        self.held.insert(key, parts);
    }
}
