//! The warehouse of a shop: its pick lists in the database and in memory.

use crate::shop::{SKUS, Shop};
use crate::world::{order, quantity, reference, sku};
use allocation_domain::{
    BatchReference, NewPickList, NewShipment, OpenLines, OrderId, PickCriteria, PickLineId, PickList, PickListId,
    PickStatus, Product, ShipmentId, ShipmentLine, Sku, Units,
};
use allocation_ports::{
    LockRequest, PageSize, PickCandidates, PickListFilter, PickListQueries, PickListSummary, UnitOfWork,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

pub fn list_id(text: &str) -> PickListId {
    PickListId::parse(text).unwrap()
}

/// Locks all products of the shop, with these lines.
fn lock_all(unit: &mut dyn UnitOfWork, lines: &[(String, OrderId)]) -> Vec<Product> {
    let wanted = SKUS.map(|name| LockRequest {
        order_ids: lines.iter().filter(|(held, _)| held == name).map(|(_, order_id)| order_id.clone()).collect(),
        ..LockRequest::product(sku(name))
    });
    unit.products().lock(&wanted).unwrap()
}

/// Locks all products of the shop, and loads the lines of a list, or one of them.
fn lock_list(unit: &mut dyn UnitOfWork, list: &PickListId, only: Option<u32>) -> Vec<Product> {
    let lines = unit.pick_lists().find(list).unwrap().map(|stored| stored.list.lines).unwrap_or_default();
    let named: BTreeSet<_> = lines.values().map(|pick| (pick.sku.to_string(), pick.order_id.clone())).collect();
    let mut products = lock_all(unit, &named.into_iter().collect::<Vec<_>>());
    for (line, pick) in lines.into_iter().filter(|(line, _)| only.is_none_or(|only| only == *line)) {
        let id = PickLineId { list: list.clone(), line };
        assert_eq!(unit.pick_lists().find_lines(std::slice::from_ref(&id)).unwrap().get(&id), Some(&pick));
        let product = products.iter_mut().find(|product| *product.sku() == pick.sku);
        product.unwrap().load_pick_lines([(id, pick)]);
    }
    products
}

/// Locks all products of the shop, and loads a pick line with its order line and batch, which may be gone.
fn lock_reported(unit: &mut dyn UnitOfWork, id: &PickLineId, named: &(Sku, OrderId, BatchReference)) -> Vec<Product> {
    let (of, order_id, batch) = named;
    let wanted = SKUS.map(|name| {
        let is_named = of.as_str() == name;
        LockRequest {
            order_ids: Vec::from_iter(is_named.then(|| order_id.clone())),
            batches: Vec::from_iter(is_named.then(|| batch.clone())),
            ..LockRequest::product(sku(name))
        }
    });
    let mut products = unit.products().lock(&wanted).unwrap();
    let line = unit.pick_lists().find_lines(std::slice::from_ref(id)).unwrap().remove(id).unwrap();
    products.iter_mut().find(|product| product.sku() == of).unwrap().load_pick_lines([(id.clone(), line)]);
    products
}

impl Shop {
    /// Runs a random command of the warehouse.
    pub fn pick_step(&mut self, random: &mut fastrand::Rng, now: DateTime<Utc>) {
        let lines: Vec<_> = self.truth.iter().flat_map(Product::pick_lines).collect();
        let open = lines.iter().filter(|(_, line)| line.status == PickStatus::Open).map(|(id, line)| {
            let most = line.quantity.get();
            ((*id).clone(), if random.bool() { most } else { random.u32(0..=most) })
        });
        let open: Vec<_> = open.collect();
        let any = random.choice(&lines).map(|(id, line)| ((*id).clone(), line.picked));
        let choice = random.u8(0..11);
        // Released lists are mostly open ones.
        let pick = random.choice(open).filter(|_| choice != 5).or(any);
        match (choice, pick) {
            (0..=4, Some((id, found))) => self.pick(&id, found, now),
            (5, Some((id, _))) => {
                if random.u8(0..4) == 0 {
                    return self.ship_some(&id, random, now);
                }
                let open = if random.bool() { OpenLines::Release } else { OpenLines::Refuse };
                self.ship(&id.list, open, now);
            }
            (6, Some((id, _))) => self.give_back_list(&id.list, now),
            (7, Some((id, _))) => self.give_back_line(&id, now),
            (9, _) => self.put_back_some(random, now),
            (10, _) => self.correct_some(random, now),
            _ => self.make(&new_list(random), now),
        }
    }

    pub fn make(&mut self, list: &NewPickList, now: DateTime<Utc>) {
        if self.truth.pick_list(list.list_id()).is_some() {
            return;
        }
        let found = self.world.store.pickable(list.criteria(), list.max_lines()).unwrap();
        assert!(found.complete, "there are few");
        let orders: Vec<_> = found.ship_complete.iter().filter_map(|it| self.truth.order(it)).collect();
        let whole =
            orders.into_iter().flat_map(|it| it.lines.into_iter().map(move |(sku, _)| (sku, it.order_id.clone())));
        let all: BTreeSet<_> = found.lines.into_iter().chain(whole).collect();
        let lines: Vec<_> = all.into_iter().map(|(name, order_id)| (name.to_string(), order_id)).collect();
        let lock = |unit: &mut dyn UnitOfWork| lock_all(unit, &lines);
        let is_made = |decided: bool, unit: &mut dyn UnitOfWork| {
            if decided {
                unit.pick_lists().add(list, now).unwrap();
            }
        };
        self.decide_on(&SKUS, lock, now, |products, _| products.make_pick_list(list), is_made);
    }

    pub fn pick(&mut self, id: &PickLineId, found: u32, now: DateTime<Utc>) {
        let found = Units::new(found).unwrap();
        let lock = |unit: &mut dyn UnitOfWork| lock_list(unit, &id.list, Some(id.line));
        self.decide_on(&SKUS, lock, now, |products, at| products.pick(id, found, at), |_, _| {});
    }

    /// Corrects a random pick, shipped or not.
    fn correct_some(&mut self, random: &mut fastrand::Rng, now: DateTime<Utc>) {
        let lines: Vec<_> = self.truth.iter().flat_map(Product::pick_lines).collect();
        let reported: Vec<_> = lines.into_iter().filter(|(_, line)| line.found().is_some()).collect();
        let Some((id, line)) = random.choice(reported) else { return };
        let (id, found) = (id.clone(), random.u32(0..=line.quantity.get()));
        let named = (sku(line.sku.as_str()), line.order_id.clone(), line.reference.clone());
        let lock = |unit: &mut dyn UnitOfWork| lock_reported(unit, &id, &named);
        let found = Units::new(found).unwrap();
        self.decide_on(&SKUS, lock, now, |products, at| products.pick(&id, found, at), |_, _| {});
    }

    /// Puts units of a random picked line back.
    fn put_back_some(&mut self, random: &mut fastrand::Rng, now: DateTime<Utc>) {
        let lines: Vec<_> = self.truth.iter().flat_map(Product::pick_lines).collect();
        let picked: Vec<_> =
            lines.into_iter().filter(|(_, line)| line.found().is_some_and(|found| found > 0)).collect();
        let Some((id, line)) = random.choice(picked) else { return };
        let (id, total) = (id.clone(), quantity(random.u32(1..=line.quantity.get())));
        let named = (sku(line.sku.as_str()), line.order_id.clone(), line.reference.clone());
        let lock = |unit: &mut dyn UnitOfWork| lock_reported(unit, &id, &named);
        self.decide_on(&SKUS, lock, now, |products, at| products.put_back(&id, total, None, at), |_, _| {});
    }

    /// Ships some or all picked units of a line.
    fn ship_some(&mut self, id: &PickLineId, random: &mut fastrand::Rng, now: DateTime<Utc>) {
        let Some(line) = self.truth.iter().find_map(|product| product.pick_line(id)) else { return };
        if !line.is_taken() {
            return;
        }
        let named = (sku(line.sku.as_str()), line.order_id.clone(), line.reference.clone());
        let units = random.bool().then(|| quantity(random.u32(1..=line.quantity.get())));
        let line = ShipmentLine { id: id.clone(), quantity: units };
        let name = ShipmentId::restore(format!("S-{}", random.u64(..))).unwrap();
        let shipment = NewShipment::new(name, [line]).unwrap();
        let lock = |unit: &mut dyn UnitOfWork| lock_reported(unit, id, &named);
        self.decide_on(&SKUS, lock, now, |products, _| products.create_shipment(&shipment), |_, _| {});
    }

    pub fn ship(&mut self, list: &PickListId, open: OpenLines, now: DateTime<Utc>) {
        let lock = |unit: &mut dyn UnitOfWork| lock_list(unit, list, None);
        self.decide_on(&SKUS, lock, now, |products, _| products.ship(list, open), |_, _| {});
    }

    pub fn give_back_list(&mut self, list: &PickListId, now: DateTime<Utc>) {
        let lock = |unit: &mut dyn UnitOfWork| lock_list(unit, list, None);
        self.decide_on(&SKUS, lock, now, |products, _| products.release_pick_list(list), |_, _| {});
    }

    pub fn give_back_line(&mut self, id: &PickLineId, now: DateTime<Utc>) {
        let lock = |unit: &mut dyn UnitOfWork| lock_list(unit, &id.list, Some(id.line));
        self.decide_on(&SKUS, lock, now, |products, _| products.release_pick_line(id), |_, _| {});
    }

    /// Returns all lists, by id.
    pub fn pick_lists(&self) -> BTreeMap<PickListId, PickList> {
        let names: BTreeSet<_> = self.truth.iter().flat_map(Product::pick_lines).map(|(id, _)| &id.list).collect();
        names.into_iter().map(|name| (name.clone(), self.truth.pick_list(name).unwrap())).collect()
    }

    /// Returns all matching lists, in pages.
    pub fn listed(&self, filter: &PickListFilter, page: u16) -> Vec<PickListSummary> {
        let (mut lists, mut after) = (Vec::new(), None);
        loop {
            let found = self.world.store.pick_lists(filter, after, PageSize::new(page).unwrap()).unwrap();
            assert!(found.lists.len() <= usize::from(page));
            lists.extend(found.lists);
            after = found.next;
            if after.is_none() {
                return lists;
            }
        }
    }
}

/// Returns a list with a line of each status.
fn new_list(random: &mut fastrand::Rng) -> NewPickList {
    let some = |random: &mut fastrand::Rng| random.u8(0..3) == 0;
    let criteria = PickCriteria {
        references: some(random).then(|| (0..3).map(|batch| reference(&format!("LAMP-{batch}"))).collect()),
        skus: some(random).then(|| BTreeSet::from([sku("LAMP"), sku("RUG")])),
        order_ids: some(random).then(|| (0..20).map(|number| order(&format!("O-{number}"))).collect()),
    };
    let name = list_id(&format!("P-{}", random.u32(0..1_000)));
    NewPickList::new(name, criteria).with_max_lines(random.u32(1..=8)).unwrap()
}
