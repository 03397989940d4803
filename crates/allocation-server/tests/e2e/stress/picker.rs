use crate::support::{Answer, Client};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A warehouse that places its own orders and picks them: what a shopper knows of an order would not
/// hold once it is picked.
pub(super) struct Picker {
    name: String,
    client: Client,
    random: u64,
    /// The number of placed orders.
    pub(super) orders: usize,
    lists: Vec<String>,
    /// The number of returns that were sent.
    returns: usize,
    /// The units of each order that came back, according to the responses.
    pub(super) returned: BTreeMap<String, u64>,
    /// The number of requested shipments.
    shipments: usize,
    /// The number of counts of stock that were opened.
    counts: usize,
    /// The picked units of each line of a list and those that were put back, according to the responses.
    pub(super) picked: BTreeMap<(String, u64), (u64, u64)>,
}

impl Picker {
    pub(super) fn new(number: usize, client: Client) -> Self {
        let random = 0xD1B5_4A32_D192_ED03_u64.wrapping_mul(u64::try_from(number).unwrap() + 1);
        Self {
            name: format!("W-{number}"),
            client,
            random,
            orders: 0,
            lists: Vec::new(),
            shipments: 0,
            counts: 0,
            returns: 0,
            returned: BTreeMap::new(),
            picked: BTreeMap::new(),
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
        match self.below(26) {
            0..=3 => self.order(),
            4..=5 => self.make(),
            6 => self.cancel(),
            7 => self.give_back(),
            8..=9 => self.ship(),
            10 => self.give_back_line(),
            11 => self.correct(),
            12 => self.put_back(),
            13..=14 => self.take_back(),
            15..=16 => self.create_shipment(),
            24..=25 => self.count(),
            _ => self.pick(),
        }
    }

    fn order(&mut self) {
        let (sku, qty) = (format!("SKU-{}", self.below(4)), u32::try_from(1 + self.below(9)).unwrap());
        let name = format!("{}-{}", self.name, self.orders);
        let more = json!({"on_shortage": "backorder", "priority": 9});
        let answer = self.client.place(&name, &[(&sku, qty)], more);
        assert_eq!(answer.status, 201, "{answer:?}");
        self.orders += 1;
    }

    /// Makes a list of some of the youngest orders of all warehouses.
    fn make(&mut self) {
        let name = format!("{}-{}", self.name, self.lists.len());
        let mine: Vec<String> = (0..self.orders).rev().take(30).map(|number| format!("W-0-{number}")).collect();
        let others: Vec<String> = (0..self.orders).rev().take(30).map(|number| format!("W-1-{number}")).collect();
        let order_ids: Vec<String> = mine.into_iter().chain(others).collect();
        if order_ids.is_empty() {
            return;
        }
        let body = json!({"pick_list_id": name, "order_ids": order_ids, "max_lines": 1 + self.below(9)});
        let answer = self.client.post("/pick-lists", &body);
        if answer.status == 409 {
            answer.problem(409, "nothing-to-pick");
            return;
        }
        assert_eq!(answer.status, 201, "{answer:?}");
        let again = self.client.post("/pick-lists", &body);
        assert_eq!((again.status, lines(&again).len()), (200, lines(&answer).len()), "{again:?}");
        self.lists.push(name);
    }

    fn any_list(&mut self) -> Option<String> {
        let reach = u64::try_from(self.lists.len().min(5)).unwrap();
        let back = usize::try_from(if reach > 0 { self.below(reach) } else { return None }).unwrap();
        Some(self.lists[self.lists.len() - 1 - back].clone())
    }

    fn pick(&mut self) {
        let Some(list) = self.any_list() else { return };
        let shown = lines(&self.client.get(&format!("/pick-lists/{list}")));
        let open: Vec<&Value> = shown.iter().filter(|line| line["status"] == "open").collect();
        let Some(line) = open.first() else { return };
        let (number, qty) = (line["line"].as_u64().unwrap(), line["qty"].as_u64().unwrap());
        let found = if self.below(3) > 0 { qty } else { self.below(qty + 1) };
        let answer = self.client.post(&format!("/pick-lists/{list}/lines/{number}/pick"), &json!({"qty": found}));
        // Others have withdrawn it concurrently, or a part of it.
        if answer.status == 409 {
            let name = answer.json()["type"].clone();
            assert!(name == "/problems/pick-line-withdrawn" || name == "/problems/more-than-to-pick", "{answer:?}");
            return;
        }
        assert_eq!((answer.status, answer.json()["picked"].as_u64()), (200, Some(found)), "{answer:?}");
        if let Some(missing) = answer.json()["missing"].as_u64() {
            let body = answer.json();
            let got: u64 =
                body["reallocated"].as_array().unwrap().iter().map(|part| part["qty"].as_u64().unwrap()).sum();
            assert_eq!(got + body["backordered"].as_u64().unwrap(), missing, "{body}");
        }
        self.picked.insert((list, number), (found, 0));
    }

    /// A line that this picker has reported, and that may be shipped.
    fn any_report(&mut self) -> Option<(String, u64, u64, u64)> {
        let reach = u64::try_from(self.picked.len()).unwrap();
        let chosen = usize::try_from(if reach > 0 { self.below(reach) } else { return None }).unwrap();
        let ((list, number), (picked, put_back)) = self.picked.iter().nth(chosen)?;
        Some((list.clone(), *number, *picked, *put_back))
    }

    /// Notes the units of a line as a response has them.
    fn note(&mut self, list: String, number: u64, answer: &Answer) {
        let units = |name: &str| answer.json()[name].as_u64().unwrap_or(0);
        self.picked.insert((list, number), (units("picked"), units("put_back")));
    }

    /// Corrects a report.
    fn correct(&mut self) {
        let Some((list, number, picked, put_back)) = self.any_report() else { return };
        let qty = lines(&self.client.get(&format!("/pick-lists/{list}")))[usize::try_from(number - 1).unwrap()]["qty"]
            .clone();
        let found = self.below(qty.as_u64().unwrap() + 1);
        let answer = self.client.post(&format!("/pick-lists/{list}/lines/{number}/pick"), &json!({"qty": found}));
        if answer.status == 409 {
            let name = answer.json()["type"].as_str().unwrap().to_owned();
            let known = ["/problems/already-shipped", "/problems/already-put-back", "/problems/not-missing"];
            assert!(known.contains(&&*name), "{answer:?}");
            assert!(found != picked + put_back, "a repeat: {answer:?}");
            return;
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        self.note(list.clone(), number, &answer);
        let (picked, put_back) = self.picked[&(list, number)];
        assert_eq!(picked + put_back, found, "{answer:?}");
    }

    /// Puts units of a picked line back, twice.
    fn put_back(&mut self) {
        let Some((list, number, picked, put_back)) = self.any_report() else { return };
        let total = put_back + 1 + self.below(picked + 1);
        let send = || self.client.post(&format!("/pick-lists/{list}/lines/{number}/put-back"), &json!({"qty": total}));
        let (answer, again) = (send(), send());
        assert_eq!(answer.status, again.status, "{answer:?} {again:?}");
        if answer.status == 409 {
            let name = answer.json()["type"].as_str().unwrap().to_owned();
            assert!(["/problems/already-shipped", "/problems/more-than-picked"].contains(&&*name), "{answer:?}");
            return;
        }
        assert_eq!(
            (answer.status, answer.json(), answer.json()["put_back"].as_u64()),
            (200, again.json(), Some(total))
        );
        self.note(list, number, &answer);
    }

    /// Ships some or all picked units of a line, twice.
    fn create_shipment(&mut self) {
        let Some((list, number, picked, _)) = self.any_report() else { return };
        self.shipments += 1;
        let mut line = json!({"pick_list_id": list, "line": number});
        if self.below(2) == 0 {
            line["qty"] = (1 + self.below(picked + 1)).into();
        }
        let body = json!({"shipment_id": format!("{}-{}", self.name, self.shipments), "lines": [line]});
        let send = || self.client.post("/shipments", &body);
        let (answer, again) = (send(), send());
        if answer.status == 409 {
            let name = answer.json()["type"].as_str().unwrap().to_owned();
            let known = ["/problems/not-picked", "/problems/more-than-picked", "/problems/already-shipped"];
            assert!(known.contains(&&*name), "{answer:?}");
            return;
        }
        assert_eq!((answer.status, again.status, answer.json()), (201, 200, again.json()), "{answer:?}");
    }

    fn ship(&mut self) {
        let Some(list) = self.any_list() else { return };
        let open = if self.below(2) == 0 { "release" } else { "refuse" };
        let answer = self.client.post(&format!("/pick-lists/{list}/ship"), &json!({"open": open}));
        match answer.status {
            200 => assert_eq!(answer.json()["status"], "shipped"),
            _ => {
                let name = answer.json()["type"].clone();
                assert!(name == "/problems/not-picked" || name == "/problems/nothing-picked", "{answer:?}");
            }
        }
    }

    fn give_back(&mut self) {
        let Some(list) = self.any_list() else { return };
        let answer = self.client.delete(&format!("/pick-lists/{list}"));
        if answer.status != 204 {
            answer.problem(409, "already-picked");
        }
    }

    fn give_back_line(&mut self) {
        let Some(list) = self.any_list() else { return };
        let number = 1 + self.below(3);
        let answer = self.client.delete(&format!("/pick-lists/{list}/lines/{number}"));
        match answer.status {
            204 => assert!(self.picked.get(&(list, number)).is_none_or(|(picked, _)| *picked == 0), "{answer:?}"),
            404 => drop(answer.problem(404, "pick-line-not-found")),
            _ => drop(answer.problem(409, "already-picked")),
        }
    }

    /// Takes back units of an order, of which others may ship more meanwhile.
    fn take_back(&mut self) {
        let oldest = u64::try_from(self.orders).unwrap();
        if oldest == 0 {
            return;
        }
        let number = self.below(oldest);
        let name = format!("{}-{number}", self.name);
        let before = self.client.order(&name)["lines"][0].clone();
        let shipped = before["shipped"].as_u64().unwrap_or(0);
        let known = self.returned.get(&name).copied().unwrap_or(0);
        assert_eq!(before["returned"].as_u64().unwrap_or(0), known, "{before}");
        self.returns += 1;
        let (qty, choice) = (1 + self.below(4), usize::try_from(self.below(3)).unwrap());
        let disposition = ["restock", "quarantine", "scrap"][choice];
        let lines = json!([{"sku": before["sku"], "qty": qty, "disposition": disposition}]);
        let return_id = format!("RMA-{}-{}", self.name, self.returns);
        let body = json!({"return_id": return_id, "order_id": name, "lines": lines});
        let answer = self.client.post("/returns", &body);
        if answer.status == 409 {
            let more = answer.problem(409, "more-than-shipped");
            assert!(known + qty > shipped && more["excess"][0]["returnable"].as_u64().unwrap() < qty, "{more}");
            return;
        }
        assert_eq!(answer.status, 201, "{answer:?}");
        let again = self.client.post("/returns", &body);
        assert_eq!((again.status, again.json()), (200, answer.json()), "{again:?}");
        *self.returned.entry(name).or_default() += qty;
    }

    /// Counts some batches while other clients act. Closes the count, or abandons it if units are gone.
    fn count(&mut self) {
        let references: BTreeSet<_> = (0..=self.below(3)).map(|_| format!("B-{}", self.below(24))).collect();
        let id = format!("{}-{}", self.name, self.counts);
        let answer = self.client.post("/counts", &json!({"count_id": id, "references": references}));
        if answer.status != 201 {
            let name = answer.json()["type"].clone();
            assert!(name == "/problems/batch-in-open-count" || name == "/problems/batch-not-found", "{answer:?}");
            return;
        }
        self.counts += 1;
        for line in lines(&answer) {
            let batch = self.client.get(&format!("/batch/{}", line["reference"].as_str().unwrap()));
            let on_hand = |batch: &Answer| {
                let units =
                    ["available", "allocated", "picked"].map(|name| batch.json()[format!("{name}_quantity")].as_u64());
                units.into_iter().flatten().sum::<u64>()
            };
            let found = if batch.status == 200 { on_hand(&batch) } else { 0 };
            let counted = (found + self.below(5)).saturating_sub(2);
            let entry = json!({"counted": counted, "picked_counted": self.below(2) > 0});
            let path = format!("/counts/{id}/lines/{}", line["line"]);
            let entered = self.client.try_send("PUT", &path, &entry).unwrap();
            if entered.status == 404 {
                entered.problem(404, "batch-not-found");
                continue;
            }
            let line = entered.json();
            let units = |name: &str| line[name].as_i64().unwrap_or_else(|| panic!("{entered:?}"));
            assert_eq!(units("expected") + units("variance"), units("counted"), "{line}");
        }
        let close = || self.client.post(&format!("/counts/{id}/close"), &json!({"uncounted": "leave"}));
        let closed = close();
        if closed.status == 409 {
            closed.problem(409, "units-gone");
            assert_eq!(self.client.delete(&format!("/counts/{id}")).status, 204);
            return;
        }
        assert_eq!(closed.status, 200, "{closed:?}");
        assert_eq!(close().json(), closed.json(), "it is closed once");
    }

    fn cancel(&mut self) {
        let youngest = u64::try_from(self.orders.min(20)).unwrap();
        if youngest == 0 {
            return;
        }
        let back = usize::try_from(self.below(youngest)).unwrap();
        let answer = self.client.cancel(&format!("{}-{}", self.name, self.orders - 1 - back));
        if answer.status != 204 {
            answer.problem(409, "already-picked");
        }
    }
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.json()["lines"].as_array().unwrap().clone()
}
