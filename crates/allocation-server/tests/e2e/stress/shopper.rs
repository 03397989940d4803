use super::chaos::FLEETING;
use super::ledger::Parts;
use crate::support::{Answer, Client, order};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::thread;

/// SKUs whose batches any client lowers, postpones and removes.
const WILD: u64 = 4;
/// SKUs whose batches only grow: no other client takes units from a line.
const STEADY: u64 = 2;
const WILD_BATCHES: u64 = 24;
const DATES: [Option<&str>; 3] = [None, Some("2027-01-01"), Some("2027-02-01")];

/// All SKUs.
pub(super) fn skus() -> impl Iterator<Item = String> {
    (0..WILD).map(|number| format!("SKU-{number}")).chain((0..STEADY).map(|number| format!("STEADY-{number}")))
}

pub(crate) fn is_steady(sku: &str) -> bool {
    sku.starts_with("STEADY")
}

/// The certain state of an order of this client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// It was rejected, and none of its lines may exist.
    Refused,
    Firm,
    /// It may expire, and will in the end.
    Held,
    Expired,
    Cancelled,
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) quantity: u64,
    /// Whether it holds or waits for all its units: it has released none.
    pub(super) whole: bool,
    /// The units that it holds at least, where no other client takes any.
    pub(super) parts: Option<Parts>,
    /// Whether it holds exactly these: it does not wait.
    pub(super) exact: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Order {
    /// The request to `/orders`; `None` for a standalone line.
    sent: Option<Value>,
    pub(super) stands: Stands,
    /// Whether its hold may expire at any time.
    pub(super) fleeting: bool,
    pub(super) lines: BTreeMap<String, Line>,
}

impl Order {
    /// Whether it was placed as an order, and so has a row of its own.
    pub(super) fn is_placed(&self) -> bool {
        self.sent.is_some() && self.stands != Stands::Refused
    }
}

/// A client that sends random commands, mostly about its own orders, and knows their expected
/// state.
pub(super) struct Shopper {
    name: String,
    client: Client,
    random: u64,
    pub(super) orders: BTreeMap<String, Order>,
    /// The orders that were not rejected, the youngest last.
    names: Vec<String>,
    /// The growing batches of this client, with their purchased units.
    batches: Vec<(String, u64)>,
    pub(super) commands: usize,
    pub(super) refused: usize,
    adjustments: usize,
}

impl Shopper {
    pub(super) fn new(number: usize, client: Client) -> Self {
        let random = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(u64::try_from(number).unwrap() + 1);
        let (name, orders) = (format!("O-{number}"), BTreeMap::new());
        let (names, batches) = (Vec::new(), Vec::new());
        Self { name, client, random, orders, names, batches, commands: 0, refused: 0, adjustments: 0 }
    }

    /// A pseudo-random number below a bound (xorshift64).
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(u64::try_from(choices.len()).unwrap())).unwrap()]
    }

    pub(super) fn act(&mut self) {
        self.commands += 1;
        match self.below(52) {
            0..=3 => self.add_wild_batch(),
            4..=5 => self.add_steady_batch(),
            6..=7 => self.remove_batch(),
            8..=11 => self.change_batch(),
            12 => self.raise_steady_batch(),
            13..=15 => self.give_back(),
            16..=18 => self.repeat(),
            19..=23 => self.allocate_new(),
            24..=32 => self.place_new(),
            33..=36 => self.confirm(),
            37 => self.extend(),
            38..=43 => self.cancel(),
            44..=48 => self.change_order(),
            50..=51 => self.adjust(),
            _ => self.look(),
        }
    }

    #[track_caller]
    fn expect(&mut self, answer: &Answer, statuses: &[u16]) {
        assert!(statuses.contains(&answer.status), "{answer:?}");
        if answer.status >= 400 {
            self.refused += 1;
        }
    }

    fn sku(&mut self) -> String {
        let sku = self.below(WILD + STEADY);
        if sku < WILD { format!("SKU-{sku}") } else { format!("STEADY-{}", sku - WILD) }
    }

    fn wild_batch(&mut self) -> String {
        format!("B-{}", self.below(WILD_BATCHES))
    }

    fn add_wild_batch(&mut self) {
        let (batch, sku) = (self.wild_batch(), format!("SKU-{}", self.below(WILD)));
        let (eta, quantity) = (self.one_of(&DATES), u32::try_from(1 + self.below(100)).unwrap());
        let answer = self.client.add_batch(&batch, &sku, quantity, eta);
        self.expect(&answer, &[201, 200, 409]);
    }

    fn add_steady_batch(&mut self) {
        let (batch, sku) =
            (format!("S-{}-{}", self.name, self.batches.len()), format!("STEADY-{}", self.below(STEADY)));
        let (eta, quantity) = (self.one_of(&DATES), u32::try_from(1 + self.below(100)).unwrap());
        let answer = self.client.add_batch(&batch, &sku, quantity, eta);
        self.expect(&answer, &[201]);
        self.batches.push((batch, u64::from(quantity)));
    }

    fn raise_steady_batch(&mut self) {
        let more = 1 + self.below(20);
        let count = u64::try_from(self.batches.len()).unwrap();
        if count > 0 {
            let chosen = usize::try_from(self.below(count)).unwrap();
            let (batch, purchased) = &mut self.batches[chosen];
            *purchased += more;
            let answer = self.client.change_batch(batch, &json!({"purchased_quantity": *purchased}));
            assert_eq!(answer.json()["purchased_quantity"], *purchased, "{answer:?}");
            self.expect(&answer, &[200]);
        }
    }

    fn remove_batch(&mut self) {
        let batch = self.wild_batch();
        let answer = self.client.delete(&format!("/batch/{batch}"));
        self.expect(&answer, &[204, 404, 409]);
    }

    fn change_batch(&mut self) {
        let batch = self.wild_batch();
        let mut change = json!({});
        if self.below(3) > 0 {
            change["purchased_quantity"] = json!(self.below(150));
        }
        if self.below(2) > 0 || change == json!({}) {
            change["eta"] = json!(self.one_of(&DATES));
        }
        if self.below(3) == 0 {
            change["reallocate"] = json!(true);
        }
        let read = (self.below(2) == 0).then(|| self.client.get(&format!("/batch/{batch}")));
        let tag = read.as_ref().and_then(|read| read.header("etag"));
        let answer = self.client.change_batch_if(&batch, tag, &change);
        self.expect(&answer, if tag.is_some() { &[200, 404, 409, 412] } else { &[200, 404, 409] });
        if answer.status == 409 {
            answer.problem(409, "units-gone");
        }
        if answer.status == 200 {
            let body = answer.json();
            let units = |name: &str| body[name].as_i64().unwrap_or(0);
            let all = ["allocated", "available", "picked", "shipped"];
            let all = all.map(|what| units(&format!("{what}_quantity"))).iter().sum::<i64>();
            assert_eq!(all, units("purchased_quantity") + units("adjusted_quantity"), "{body}");
            let asked = change["purchased_quantity"].as_i64();
            assert!(asked.is_none_or(|asked| asked == units("purchased_quantity")), "{answer:?}");
        }
    }

    /// Adjusts some batches once or twice: all of them, or none.
    fn adjust(&mut self) {
        self.adjustments += 1;
        let count = 1 + self.below(3);
        let lines: BTreeMap<String, Value> = (0..count)
            .map(|_| {
                let change = [-9, -5, -3, -1, 2, 6][usize::try_from(self.below(6)).unwrap()];
                (self.wild_batch(), json!(change))
            })
            .collect();
        let lines: Vec<_> =
            lines.into_iter().map(|(batch, change)| json!({"reference": batch, "change": change})).collect();
        let id = format!("A-{}-{}", self.name, self.adjustments);
        let body = json!({"adjustment_id": id, "reason": "correction", "lines": lines});
        let answer = self.client.post("/adjustments", &body);
        self.expect(&answer, &[201, 404, 409]);
        if answer.status == 409 {
            answer.problem(409, "units-gone");
        }
        if answer.status == 201 {
            let again = self.client.post("/adjustments", &body);
            assert_eq!((again.status, again.json()), (200, answer.json()));
        }
    }

    fn next_name(&mut self) -> String {
        format!("{}-{}", self.name, self.orders.len())
    }

    /// Sends a request once, or twice concurrently: one of the two takes effect.
    fn once_or_twice(&mut self, send: impl Fn(&Client) -> Answer + Sync) -> Vec<Answer> {
        if self.below(4) > 0 {
            return vec![send(&self.client)];
        }
        let client = &self.client;
        let mut answers = thread::scope(|scope| {
            let other = scope.spawn(|| send(client));
            vec![send(client), other.join().unwrap()]
        });
        // A 201 precedes the 200 of the other.
        answers.sort_by_key(|answer| (answer.status != 201, answer.status));
        let statuses = [answers[0].status, answers[1].status];
        assert!([[201, 200], [201, 409], [409, 409]].contains(&statuses), "{answers:?}");
        answers
    }

    fn allocate_new(&mut self) {
        let (name, sku) = (self.next_name(), self.sku());
        let quantity = u32::try_from(1 + self.below(15)).unwrap();
        let answers = self.once_or_twice(|client| client.allocate(&name, &sku, quantity));
        let new = Line { quantity: u64::from(quantity), whole: true, parts: None, exact: false };
        let lines = BTreeMap::from([(sku.clone(), new)]);
        self.orders.insert(name.clone(), Order { sent: None, stands: Stands::Refused, fleeting: false, lines });
        for answer in &answers {
            self.expect(answer, &[200, 201, 409]);
            if answer.status < 300 {
                self.note_line(&name, &sku, answer);
            }
        }
        if self.orders[&name].stands == Stands::Firm {
            self.names.push(name);
        }
    }

    /// Notes the allocations of a standalone line.
    fn note_line(&mut self, name: &str, sku: &str, answer: &Answer) {
        let body = answer.json();
        let parts = parts(&body["allocations"]);
        let order = self.orders.get_mut(name).unwrap();
        order.stands = Stands::Firm;
        let line = order.lines.get_mut(sku).unwrap();
        assert_eq!(body["qty"], line.quantity, "{answer:?}");
        assert_eq!(parts.values().sum::<u64>(), line.quantity, "{answer:?}");
        line.whole = true;
        if is_steady(sku) {
            let same = !line.exact || answer.status != 200 || line.parts.as_ref() == Some(&parts);
            assert!(same, "{answer:?}: {line:?}");
            (line.parts, line.exact) = (Some(parts), true);
        }
    }

    fn place_new(&mut self) {
        let lines: BTreeMap<String, u32> =
            (0..=self.below(4)).map(|_| (self.sku(), u32::try_from(1 + self.below(12)).unwrap())).collect();
        let rejects = self.below(3) > 0;
        let mut more = json!({"on_shortage": if rejects { "reject" } else { "backorder" }});
        more["priority"] = json!(self.one_of(&[-1, 0, 0, 0, 7]));
        more["allow_split"] = json!(self.below(3) > 0);
        let (held, fleeting) = (self.below(2) == 0, self.below(3) > 0);
        if held {
            more["hold_seconds"] = json!(600);
        }
        let name = self.next_name() + if held && fleeting { FLEETING } else { "" };
        let lines: Vec<(&str, u32)> = lines.iter().map(|(sku, quantity)| (sku.as_str(), *quantity)).collect();
        let sent = order(&name, &lines, more);
        let answers = self.once_or_twice(|client| client.post("/orders", &sent));
        let line = |(sku, quantity): &(&str, u32)| {
            let line = Line { quantity: u64::from(*quantity), whole: true, parts: None, exact: false };
            ((*sku).to_owned(), line)
        };
        let lines = lines.iter().map(line).collect();
        let fleeting = held && fleeting;
        self.orders.insert(name.clone(), Order { sent: Some(sent), stands: Stands::Refused, fleeting, lines });
        // Its hold may have expired before the repeat.
        let has_expired = |answer: &&Answer| fleeting && answer.json()["type"] == "/problems/hold-expired";
        let (expired, answers): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(has_expired);
        for answer in answers {
            self.expect(answer, if rejects { &[200, 201, 409] } else { &[200, 201] });
            if answer.status < 300 {
                let stands = if held { Stands::Held } else { Stands::Firm };
                self.orders.get_mut(&name).unwrap().stands = stands;
                self.note_order(&name, &answer.json());
            } else {
                check_shortages(answer);
            }
        }
        if !expired.is_empty() {
            self.orders.get_mut(&name).unwrap().stands = Stands::Expired;
        }
        if self.orders[&name].stands != Stands::Refused {
            self.names.push(name);
        }
    }

    /// Notes the state of an order in a response.
    fn note_order(&mut self, name: &str, body: &Value) {
        check_shape(body);
        let status = body["status"].as_str().unwrap();
        let order = self.orders.get_mut(name).unwrap();
        match order.stands {
            Stands::Firm => assert!(!["held", "expired", "cancelled"].contains(&status) || !order.is_whole(), "{body}"),
            Stands::Expired => assert_eq!(status, "expired", "{body}"),
            Stands::Cancelled => assert!(status == "cancelled" || order.fleeting && status == "expired", "{body}"),
            Stands::Held | Stands::Refused => {}
        }
        if order.stands == Stands::Held && order.fleeting || !matches!(order.stands, Stands::Held | Stands::Firm) {
            return;
        }
        for row in body["lines"].as_array().unwrap() {
            let sku = row["sku"].as_str().unwrap();
            let line = order.lines.get_mut(sku).unwrap();
            if is_steady(sku) {
                let parts = parts(&row["allocations"]);
                for (batch, units) in line.parts.iter().flatten() {
                    assert!(parts.get(batch) >= Some(units), "an earlier response had {units} of {batch}: {body}");
                }
                assert!(!line.exact || line.parts.as_ref() == Some(&parts), "{line:?}: {body}");
                line.exact |= row["backordered"] == 0;
                line.parts = Some(parts);
            }
        }
    }

    /// Returns an order that was not rejected, mostly a young one.
    fn any_order(&mut self) -> Option<(String, Order)> {
        let count = self.names.len();
        if count == 0 {
            return None;
        }
        let reach = if self.below(3) > 0 { 40 } else { u64::try_from(count).unwrap() };
        let back = usize::try_from(self.below(reach)).unwrap() % count;
        let name = self.names[count - 1 - back].clone();
        let order = self.orders[&name].clone();
        Some((name, order))
    }

    fn confirm(&mut self) {
        let Some((name, order)) = self.any_order() else { return };
        let answer = self.client.confirm(&name);
        match (order.stands, order.fleeting) {
            (Stands::Firm, _) | (Stands::Held, false) if order.is_there() => self.expect(&answer, &[200]),
            (Stands::Firm, _) => self.expect(&answer, &[200, 404]),
            (Stands::Held, _) => self.expect(&answer, &[200, 409]),
            _ => self.expect(&answer, &[409]),
        }
        if order.stands == Stands::Held {
            let stands = if answer.status == 200 { Stands::Firm } else { Stands::Expired };
            self.orders.get_mut(&name).unwrap().stands = stands;
            if stands == Stands::Expired {
                answer.problem(409, "hold-expired");
            }
        }
        if answer.status == 200 {
            self.note_order(&name, &answer.json());
        }
    }

    fn extend(&mut self) {
        let Some((name, order)) = self.any_order() else { return };
        let answer = self.client.extend(&name, 700);
        match (order.stands, order.fleeting) {
            (Stands::Held, false) => self.expect(&answer, &[200]),
            (Stands::Held, true) => self.expect(&answer, &[200, 409]),
            _ => self.expect(&answer, &[409, 404]),
        }
        if order.stands == Stands::Held && answer.status == 409 {
            answer.problem(409, "hold-expired");
            self.orders.get_mut(&name).unwrap().stands = Stands::Expired;
        }
    }

    /// Changes the quantity of a line, and sometimes the priority of its order.
    fn change_order(&mut self) {
        let Some((name, order)) = self.any_order() else { return };
        if !order.is_placed() {
            return;
        }
        let skus: Vec<&String> = order.lines.keys().collect();
        let sku = self.one_of(&skus).clone();
        let quantity = 1 + self.below(12);
        let mut change = json!({"lines": [{"sku": sku, "qty": quantity}]});
        if self.below(3) == 0 {
            change["priority"] = json!(self.one_of(&[-1, 0, 7]));
        }
        let answer = self.client.patch(&format!("/orders/{name}"), &change);
        self.expect(&answer, &[200, 409]);
        if answer.status == 200 {
            assert!(matches!(order.stands, Stands::Firm | Stands::Held), "{name}: {order:?}");
            let line = self.orders.get_mut(&name).unwrap().lines.get_mut(&sku).unwrap();
            (line.quantity, line.parts, line.exact) = (quantity, None, false);
            self.note_order(&name, &answer.json());
        } else if order.stands == Stands::Firm || order.stands == Stands::Held && !order.fleeting {
            let refusal = answer.json()["type"].as_str().unwrap().to_owned();
            assert!(["/problems/out-of-stock", "/problems/already-picked"].contains(&&*refusal), "{answer:?}");
        }
    }

    fn cancel(&mut self) {
        let Some((name, order)) = self.any_order() else { return };
        let answer = self.client.cancel(&name);
        self.expect(&answer, if order.is_there() { &[204] } else { &[204, 404] });
        if answer.status == 204 && matches!(order.stands, Stands::Firm | Stands::Held) {
            self.orders.get_mut(&name).unwrap().stands = Stands::Cancelled;
        }
        if answer.status == 204 {
            let body = self.client.order(&name);
            self.note_order(&name, &body);
        }
    }

    /// A repeat returns the order while it lives, and says how it has ended.
    fn note_repeat(&mut self, name: &str, order: &Order, answer: &Answer) {
        match (order.stands, order.fleeting) {
            (Stands::Firm, _) | (Stands::Held, false) => self.expect(answer, &[200]),
            (Stands::Held, true) => self.expect(answer, &[200, 409]),
            _ => self.expect(answer, &[409]),
        }
        if answer.status == 200 {
            return self.note_order(name, &answer.json());
        }
        let refusal = answer.json()["type"].as_str().unwrap().to_owned();
        let is_cancelled = refusal == "/problems/order-cancelled";
        assert!(is_cancelled || refusal == "/problems/hold-expired", "{answer:?}");
        match order.stands {
            Stands::Cancelled => assert!(is_cancelled || order.fleeting, "{answer:?}"),
            _ => assert!(!is_cancelled, "{answer:?}"),
        }
        if order.stands == Stands::Held {
            self.orders.get_mut(name).unwrap().stands = Stands::Expired;
        }
    }

    /// Repeats an order or a line, sometimes with other content.
    fn repeat(&mut self) {
        let Some((name, order)) = self.any_order() else { return };
        if let Some(mut sent) = order.sent.clone() {
            if self.below(3) == 0 {
                sent["lines"][0]["qty"] = json!(99);
                let answer = self.client.post("/orders", &sent);
                answer.problem(409, "order-already-exists");
                self.expect(&answer, &[409]);
            } else {
                let answer = self.client.post("/orders", &sent);
                self.note_repeat(&name, &order, &answer);
            }
            return;
        }
        let (sku, line) = order.lines.iter().next().unwrap();
        let other = u64::from(self.below(3) == 0 && order.is_there() && order.stands == Stands::Firm);
        let answer = self.client.allocate(&name, sku, u32::try_from(line.quantity + other).unwrap());
        let is_whole = line.exact && line.whole;
        match order.stands {
            Stands::Firm if other > 0 => self.expect(&answer, &[409]),
            Stands::Firm if is_whole => self.expect(&answer, &[200]),
            Stands::Firm => self.expect(&answer, &[200, 201, 409]),
            _ => self.expect(&answer, &[409]),
        }
        if answer.status < 300 {
            self.note_line(&name, sku, &answer);
        }
    }

    fn give_back(&mut self) {
        let Some((name, order)) = self.any_order() else { return };
        let skus: Vec<&String> = order.lines.keys().collect();
        let sku = self.one_of(&skus).clone();
        let known = order.lines[&sku].parts.as_ref().and_then(|parts| parts.keys().next().cloned());
        let sure = order.stands == Stands::Firm || order.stands == Stands::Held && !order.fleeting;
        let (batch, statuses): (String, &[u16]) = match known {
            // An expired or cancelled order has no units of the batch any more.
            Some(batch) if sure => (batch, &[204]),
            Some(batch) => (batch, &[204, 404]),
            None => {
                let rows = self.client.all(&format!("/allocations?order_id={name}&sku={sku}"));
                let Some(row) = rows.first() else { return };
                (row["reference"].as_str().unwrap().to_owned(), &[204, 404])
            }
        };
        let answer = self.client.give_back(&name, &batch);
        self.expect(&answer, statuses);
        if answer.status == 204 {
            assert!(matches!(order.stands, Stands::Firm | Stands::Held), "{name}: {order:?}");
            let lines = &mut self.orders.get_mut(&name).unwrap().lines;
            let line = lines.get_mut(&sku).unwrap();
            line.whole = false;
            if let Some(parts) = &mut line.parts {
                parts.remove(&batch);
            }
            if !is_steady(&sku) {
                // Its reference may be that of a batch of another SKU by now.
                lines.iter_mut().filter(|(sku, _)| !is_steady(sku)).for_each(|(_, line)| line.whole = false);
            }
        }
    }

    /// Reads something, which must be consistent in itself under concurrent writes.
    fn look(&mut self) {
        let Some((name, order)) = self.any_order() else { return };
        match self.below(4) {
            0 => {
                let answer = self.client.get(&format!("/orders/{name}"));
                self.expect(&answer, if order.is_there() { &[200] } else { &[200, 404] });
                if answer.status == 200 {
                    self.note_order(&name, &answer.json());
                }
            }
            1 => {
                let product = self.client.product(order.lines.keys().next().unwrap());
                let total = |name: &str| product[name].as_u64().unwrap();
                let all = total("in_stock") + total("on_its_way");
                let picked = product.get("picked").map_or(0, |_| total("picked"));
                assert_eq!(all, total("allocated") + picked + total("available"), "{product}");
                assert!(total("held") <= total("allocated"), "{product}");
            }
            2 => {
                let sku = order.lines.keys().next().unwrap();
                let rows = self.client.all(&format!("/backorders?sku={sku}&limit=1000"));
                let positions: Vec<u64> = rows.iter().map(|row| row["position"].as_u64().unwrap()).collect();
                assert!(positions.iter().copied().eq(1..=u64::try_from(rows.len()).unwrap()), "{positions:?}");
            }
            _ => {
                let page = self.client.get("/orders?limit=5&status=held");
                self.expect(&page, &[200]);
                page.json().as_array().unwrap().iter().for_each(check_shape);
            }
        }
    }
}

impl Order {
    fn is_whole(&self) -> bool {
        self.lines.values().all(|line| line.whole)
    }

    /// Whether the order must exist.
    fn is_there(&self) -> bool {
        self.is_placed() || self.stands != Stands::Firm || self.is_whole()
    }
}

fn parts(allocations: &Value) -> Parts {
    let part = |part: &Value| (part["reference"].as_str().unwrap().to_owned(), part["qty"].as_u64().unwrap());
    allocations.as_array().unwrap().iter().map(part).collect()
}

/// Checks any returned order: lines have what their batches give, and no more than they ordered.
fn check_shape(order: &Value) {
    let status = order["status"].as_str().unwrap();
    for line in order["lines"].as_array().unwrap() {
        let units = |name: &str| line[name].as_u64().unwrap();
        assert_eq!(parts(&line["allocations"]).values().sum::<u64>(), units("allocated"), "{order}");
        assert!(units("allocated") + units("backordered") <= units("qty"), "{order}");
        let ended = status == "expired" || status == "cancelled";
        assert!(!ended || units("allocated") + units("backordered") == 0, "{order}");
        assert!(status != "allocated" || units("backordered") == 0, "{order}");
    }
}

fn check_shortages(answer: &Answer) {
    let problem = answer.problem(409, "out-of-stock");
    let shortages = problem["shortages"].as_array().unwrap();
    assert!(!shortages.is_empty(), "{problem}");
    for short in shortages {
        assert!(short["available"].as_u64().unwrap() < short["requested"].as_u64().unwrap(), "{problem}");
    }
}
