//! Customers that repeat each command until it gets a response, and remember the response.

use super::replicas::Replicas;
use crate::support::{Answer, Client, order};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

/// How long a command is repeated: longer than any fault lasts at a time.
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(20);
/// SKUs that never run out.
pub(super) const PLENTY: [&str; 4] = ["PLENTY-0", "PLENTY-1", "PLENTY-2", "PLENTY-3"];
/// The SKU that runs out.
pub(super) const SCARCE: &str = "SCARCE";

/// The state of an order according to the responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It has all its units, firmly.
    Firm,
    Cancelled,
    /// It was rejected, and none of its lines may exist.
    Refused,
    /// Without any response: it may exist or not.
    Unknown,
}

/// An order of a customer: units by SKU, and its state.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) lines: BTreeMap<String, u64>,
    pub(super) end: End,
}

pub(super) struct Customer<'a> {
    name: String,
    number: usize,
    replicas: &'a Replicas,
    /// One client for each replica, with its address.
    clients: Vec<Option<(String, Client)>>,
    pub(super) orders: BTreeMap<String, Known>,
    pub(super) answered: usize,
    /// Commands without a response.
    pub(super) violations: Vec<String>,
    /// Responses that contradict earlier ones.
    pub(super) contradictions: Vec<String>,
}

impl<'a> Customer<'a> {
    pub(super) fn new(number: usize, replicas: &'a Replicas) -> Self {
        let (name, clients) = (format!("O-{number}"), vec![None; replicas.count()]);
        Self {
            name,
            number,
            replicas,
            clients,
            orders: BTreeMap::new(),
            answered: 0,
            violations: Vec::new(),
            contradictions: Vec::new(),
        }
    }

    /// Sends an order of some kind, and its later commands.
    pub(super) fn act(&mut self) {
        let turn = self.orders.len();
        let name = format!("{}-{turn}", self.name);
        let first = PLENTY[(turn + self.number) % PLENTY.len()];
        let second = PLENTY[(turn + self.number + 1) % PLENTY.len()];
        let (lines, end): (Vec<(&str, u32)>, End) = match turn % 5 {
            0 => (vec![(first, 3)], self.line(&name, first, 3)),
            1 => (vec![(first, 1), (second, 2)], self.place(&name, &[(first, 1), (second, 2)], json!({}))),
            2 => (vec![(first, 2), (second, 1)], self.cart(&name, &[(first, 2), (second, 1)])),
            3 => (vec![(first, 5)], self.place_and_cancel(&name, &[(first, 5)])),
            _ => (vec![(SCARCE, 1)], self.line(&name, SCARCE, 1)),
        };
        let lines = lines.into_iter().map(|(sku, units)| (sku.to_owned(), units.into())).collect();
        self.orders.insert(name, Known { lines, end });
    }

    fn line(&mut self, name: &str, sku: &str, units: u32) -> End {
        let body = json!({"order_id": name, "sku": sku, "qty": units});
        match self.answer("POST", "/allocations", &body) {
            Some(answer) if answer.status == 409 && sku == SCARCE => End::Refused,
            Some(answer) => self.expect(&answer, &[200, 201], End::Firm),
            None => End::Unknown,
        }
    }

    fn place(&mut self, name: &str, lines: &[(&str, u32)], more: Value) -> End {
        match self.answer("POST", "/orders", &order(name, lines, more)) {
            Some(answer) => self.expect(&answer, &[200, 201], End::Firm),
            None => End::Unknown,
        }
    }

    fn cart(&mut self, name: &str, lines: &[(&str, u32)]) -> End {
        if self.place(name, lines, json!({"hold_seconds": 600})) == End::Unknown {
            return End::Unknown;
        }
        match self.answer("POST", &format!("/orders/{name}/confirm"), &json!({})) {
            Some(answer) => self.expect(&answer, &[200], End::Firm),
            None => End::Unknown,
        }
    }

    fn place_and_cancel(&mut self, name: &str, lines: &[(&str, u32)]) -> End {
        if self.place(name, lines, json!({})) == End::Unknown {
            return End::Unknown;
        }
        match self.answer("DELETE", &format!("/orders/{name}"), &Value::Null) {
            Some(answer) => self.expect(&answer, &[204], End::Cancelled),
            None => End::Unknown,
        }
    }

    /// The client of a replica, with its connections.
    fn client(&mut self, replica: usize) -> Client {
        let address = self.replicas.address(replica);
        match &self.clients[replica] {
            Some((known, client)) if *known == address => client.clone(),
            _ => {
                let client = self.replicas.client(replica);
                self.clients[replica] = Some((address, client.clone()));
                client
            }
        }
    }

    fn expect(&mut self, answer: &Answer, statuses: &[u16], end: End) -> End {
        if statuses.contains(&answer.status) {
            return end;
        }
        self.contradictions.push(format!("{}: {} {}", self.name, answer.status, answer.text));
        End::Unknown
    }

    /// Sends a command to one replica after the other until it gets a response; `None` if it never does.
    fn answer(&mut self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        let begun = Instant::now();
        for replica in self.number.. {
            match self.client(replica % self.replicas.count()).try_send(method, path, body) {
                // It is rejected for a while, or its outcome is unknown.
                Some(answer) if matches!(answer.status, 408 | 429 | 503) => {}
                Some(answer) => {
                    self.answered += 1;
                    return Some(answer);
                }
                None => {}
            }
            if begun.elapsed() > GIVE_UP_AFTER {
                break;
            }
            thread::sleep(PAUSE);
        }
        self.violations.push(format!("{}: {method} {path} was not answered", self.name));
        None
    }
}
