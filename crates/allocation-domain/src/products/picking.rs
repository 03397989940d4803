//! Pick lists over several products.

use super::Products;
use crate::{
    CreateShipmentError, ListedUnits, LoadRequest, MakePickListError, NewPickList, NewShipment, OpenLines, OrderId,
    Outcome, Pending, PickError, PickLine, PickLineId, PickList, PickListId, PickListStatus, PickStatus, Picked,
    Product, PutBackError, PutBackReason, Quantity, ReleasePickLineError, ReleasePickListError, ShipError,
    ShipmentLine, ShippedLines, Sku, Units,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

impl Products {
    /// Returns a pick list with its loaded lines, `None` if there are none.
    #[must_use]
    pub fn pick_list(&self, list_id: &PickListId) -> Option<PickList> {
        let lines = self.iter().flat_map(|product| product.pick_lines.of_list(list_id));
        let lines: BTreeMap<_, _> = lines.map(|(id, line)| (id.line, line.clone())).collect();
        (!lines.is_empty()).then(|| PickList { list_id: list_id.clone(), lines })
    }

    /// Creates a pick list from the loaded order lines: of units that are firm, in stock, on no other list,
    /// and match the criteria. Its lines are sorted by batch, then in the order in which order lines are
    /// served. The caller has checked that the store has no list with that id.
    ///
    /// An order that ships complete is left out until all its units are in stock, picked or shipped. All its lines must
    /// be loaded.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing has changed.
    pub fn make_pick_list(&mut self, list: &NewPickList) -> Result<PickList, Pending<MakePickListError>> {
        self.make_pick_list_of(list, |_| true)
    }

    /// Creates a pick list as [`Self::make_pick_list`] does, if some orders are loaded only in part. Orders that ship
    /// complete are left out unless all their lines are loaded, as `is_whole` returns.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing has changed.
    pub fn make_pick_list_of(
        &mut self,
        list: &NewPickList,
        is_whole: impl Fn(&OrderId) -> bool,
    ) -> Result<PickList, Pending<MakePickListError>> {
        let list_id = list.list_id();
        if self.pick_list(list_id).is_some() {
            return Err(Pending::Refused(MakePickListError::AlreadyExists(list_id.clone())));
        }
        let mut known = BTreeMap::new();
        let is_in_stock = |order_id: &OrderId| self.order(order_id).is_some_and(|order| order.is_in_stock());
        let mut may_ship = |order_id: &OrderId| {
            let look_up = || is_whole(order_id) && is_in_stock(order_id);
            *known.entry(order_id.clone()).or_insert_with(look_up)
        };
        let mut candidates = Vec::new();
        for (sku, product) in &self.0 {
            let some = product.candidates(list.criteria(), list.max_lines(), &mut may_ship)?;
            candidates.extend(some.into_iter().map(|it| (it, sku.clone())));
        }
        candidates.sort();
        for (line, (candidate, sku)) in (1..).zip(candidates.into_iter().take(list.max_lines())) {
            if let Some(product) = self.get_mut(&sku) {
                product.put_on_list(list_id, line, candidate);
            }
        }
        self.pick_list(list_id).ok_or(Pending::Refused(MakePickListError::NothingToPick))
    }

    /// Records that `found` units of a pick line were found and picked: see [`Product::pick`].
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing has changed, except that expired holds may have been released.
    pub fn pick(
        &mut self,
        id: &PickLineId,
        found: Units,
        now: DateTime<Utc>,
    ) -> Result<Outcome<Picked, PickLine>, Pending<PickError>> {
        let product = self.0.values_mut().find(|product| product.pick_line(id).is_some());
        product.ok_or_else(|| Pending::Refused(PickError::NotFound(id.clone())))?.pick(id, found, now)
    }

    /// Puts picked units of a pick line back on the shelf: see [`Product::put_back`].
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing has changed, except that expired holds may have been released.
    pub fn put_back(
        &mut self,
        id: &PickLineId,
        total: Quantity,
        reason: Option<&PutBackReason>,
        now: DateTime<Utc>,
    ) -> Result<Outcome<PickLine>, Pending<PutBackError>> {
        let product = self.0.values_mut().find(|product| product.pick_line(id).is_some());
        product.ok_or_else(|| Pending::Refused(PutBackError::NotFound(id.clone())))?.put_back(id, total, reason, now)
    }

    /// Ships the picked units of a list that are not shipped yet, irrevocably. Withdrawn and missing lines are left
    /// out. Open lines are withdrawn, or the list is rejected, as `open` says. A list of which nothing was picked is
    /// not shipped. All lines of the list must be loaded.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing has changed.
    pub fn ship(&mut self, list_id: &PickListId, open: OpenLines) -> Result<Outcome<PickList>, Pending<ShipError>> {
        let Some(list) = self.pick_list(list_id) else {
            return Err(Pending::Refused(ShipError::NotFound(list_id.clone())));
        };
        match list.status() {
            PickListStatus::Open if open == OpenLines::Refuse => {
                let open = list.lines.into_iter().filter(|(_, line)| line.is_open());
                let lines = open.map(|(number, _)| number).collect();
                return Err(Pending::Refused(ShipError::NotPicked { list: list_id.clone(), lines }));
            }
            PickListStatus::Open if !list.lines.values().any(PickLine::is_taken) => {
                return Err(Pending::Refused(ShipError::NothingPicked(list_id.clone())));
            }
            PickListStatus::Withdrawn => return Err(Pending::Refused(ShipError::NothingPicked(list_id.clone()))),
            PickListStatus::Shipped => return Ok(Outcome::Unchanged(list)),
            PickListStatus::Open | PickListStatus::Picked => {}
        }
        self.change_all(skus_of(&list), |product| {
            product.withdraw_list(list_id)?;
            product.ship_list(list_id)
        })?;
        Ok(Outcome::Changed(self.changed_list(list_id)))
    }

    /// Ships picked units of pick lines, irrevocably: all units of a shipment, or none. Returns the units, sorted by
    /// list and line. The caller has checked that the store has no shipment with that id.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing has changed.
    pub fn create_shipment(&mut self, shipment: &NewShipment) -> Result<ShippedLines, Pending<CreateShipmentError>> {
        let mut lines = Vec::with_capacity(shipment.lines().len());
        for line in shipment.lines() {
            let pick = self.iter().find_map(|product| product.pick_line(&line.id));
            let pick = pick.ok_or_else(|| Pending::Refused(CreateShipmentError::NotFound(line.id.clone())))?;
            lines.push(units_of(line, pick).map_err(Pending::Refused)?);
        }
        let id = Some(shipment.shipment_id());
        self.change_all(lines.iter().map(|units| &units.sku).collect(), |product| {
            let sku = product.sku().clone();
            lines.iter().filter(|units| units.sku == sku).try_for_each(|units| product.ship_units(units, id))
        })?;
        Ok(lines)
    }

    /// Releases a list of which nothing was picked: its lines are withdrawn, and their units are available
    /// to other lists. All lines of the list must be loaded.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing has changed.
    pub fn release_pick_list(
        &mut self,
        list_id: &PickListId,
    ) -> Result<Outcome<PickList>, Pending<ReleasePickListError>> {
        let Some(list) = self.pick_list(list_id) else {
            return Err(Pending::Refused(ReleasePickListError::NotFound(list_id.clone())));
        };
        if list.lines.values().any(|line| line.is_taken()) {
            return Err(Pending::Refused(ReleasePickListError::Picked(list_id.clone())));
        }
        if !list.lines.values().any(|line| line.status == PickStatus::Open) {
            return Ok(Outcome::Unchanged(list));
        }
        self.change_all(skus_of(&list), |product| product.withdraw_list(list_id))?;
        Ok(Outcome::Changed(self.changed_list(list_id)))
    }

    /// Releases a line of a list: it is withdrawn, and its units are available to other lists. A line that is
    /// missing or withdrawn stays unchanged.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing has changed.
    pub fn release_pick_line(&mut self, id: &PickLineId) -> Result<Outcome<PickLine>, Pending<ReleasePickLineError>> {
        let product = self.0.values_mut().find(|product| product.pick_line(id).is_some());
        product.ok_or_else(|| Pending::Refused(ReleasePickLineError::NotFound(id.clone())))?.release_pick_line(id)
    }

    /// Returns a list that was changed.
    #[expect(clippy::expect_used, reason = "a list keeps its lines whatever becomes of them")]
    fn changed_list(&self, list_id: &PickListId) -> PickList {
        self.pick_list(list_id).expect("a list that is changed has lines")
    }

    /// Changes products, all of them or none.
    fn change_all(
        &mut self,
        skus: BTreeSet<&Sku>,
        change: impl Fn(&mut Product) -> Result<(), LoadRequest>,
    ) -> Result<(), LoadRequest> {
        let mut begun = Vec::with_capacity(skus.len());
        let mut changed = Ok(());
        for sku in skus {
            let Some(product) = self.get_mut(sku) else { continue };
            product.begin();
            changed = change(product);
            begun.push(sku);
            if changed.is_err() {
                break;
            }
        }
        // If one product needs more data, the others must not stay changed.
        for sku in begun {
            let Some(product) = self.get_mut(sku) else { continue };
            if changed.is_ok() { product.keep() } else { product.undo() }
        }
        changed
    }
}

fn skus_of(list: &PickList) -> BTreeSet<&Sku> {
    list.lines.values().map(|line| &line.sku).collect()
}

/// Returns the units of a pick line that a shipment takes.
fn units_of(line: &ShipmentLine, pick: &PickLine) -> Result<ListedUnits, CreateShipmentError> {
    let (id, pick) = (line.id.clone(), pick.clone());
    let rest = Quantity::new(pick.to_ship());
    match (line.quantity, rest, pick.status) {
        (_, _, PickStatus::Open | PickStatus::Missing | PickStatus::Withdrawn) => {
            Err(CreateShipmentError::NotPicked { id, line: pick })
        }
        (Some(requested), rest, _) if rest.map_or(true, |rest| rest < requested) => {
            Err(CreateShipmentError::MoreThanPicked { id, line: pick, requested })
        }
        (Some(quantity), _, _) | (None, Ok(quantity), _) => Ok(ListedUnits::of(&id, &pick, quantity)),
        (None, Err(_), _) => Err(CreateShipmentError::AlreadyShipped { id, line: pick }),
    }
}
