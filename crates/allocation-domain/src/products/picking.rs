//! Pick lists over several products.

use super::Products;
use crate::{
    GiveBackError, GiveBackOutcome, MakePickListError, MoreNeeded, NewPickList, PickError, PickLineId, PickList,
    PickListId, PickListStatus, PickOutcome, PickStatus, Product, ShipError, ShipOutcome, Sku, Units,
};
use chrono::{DateTime, Utc};

impl Products {
    /// A pick list as far as its lines are at hand, `None` without any.
    #[must_use]
    pub fn pick_list(&self, list_id: &PickListId) -> Option<PickList> {
        let lines = self.iter().flat_map(Product::pick_lines).filter(|(id, _)| id.list == *list_id);
        let list =
            PickList { list_id: list_id.clone(), lines: lines.map(|(id, line)| (id.line, line.clone())).collect() };
        (!list.lines.is_empty()).then_some(list)
    }

    /// Makes a pick list of what is firm, in stock, on no other list and among what is asked for, as
    /// far as the order lines are at hand: sorted by batch, then in the order in which lines are
    /// served. The caller has looked for a list of that name.
    ///
    /// # Errors
    ///
    /// [`MakePickListError`], and nothing has changed.
    pub fn make_pick_list(&mut self, list: &NewPickList) -> Result<PickList, MakePickListError> {
        let list_id = list.list_id();
        if self.pick_list(list_id).is_some() {
            return Err(MakePickListError::AlreadyExists(list_id.clone()));
        }
        let mut candidates = Vec::new();
        for (sku, product) in &self.0 {
            candidates.extend(product.candidates(list.criteria())?.into_iter().map(|it| (it, sku.clone())));
        }
        candidates.sort();
        for (line, (candidate, sku)) in (1..).zip(candidates.into_iter().take(list.max_lines())) {
            if let Some(product) = self.get_mut(&sku) {
                product.put_on_list(list_id, line, candidate);
            }
        }
        self.pick_list(list_id).ok_or(MakePickListError::NothingToPick)
    }

    /// Notes that so many units of a pick line were found and picked: [`Product::pick`].
    ///
    /// # Errors
    ///
    /// [`PickError`], and nothing has changed; holds that had expired may have been released.
    pub fn pick(&mut self, id: &PickLineId, found: Units, now: DateTime<Utc>) -> Result<PickOutcome, PickError> {
        let product = self.0.values_mut().find(|product| product.pick_line(id).is_some());
        product.ok_or_else(|| PickError::NotFound(id.clone()))?.pick(id, found, now)
    }

    /// Ships all that was picked of a list, for good. Lines that are withdrawn or missing are left
    /// out. All lines of the list must be at hand.
    ///
    /// # Errors
    ///
    /// [`ShipError`], and nothing has changed.
    pub fn ship(&mut self, list_id: &PickListId) -> Result<ShipOutcome, ShipError> {
        let list = self.pick_list(list_id).ok_or_else(|| ShipError::NotFound(list_id.clone()))?;
        match list.status() {
            PickListStatus::Open => {
                let open = list.lines.into_iter().filter(|(_, line)| line.is_open());
                let lines = open.map(|(number, _)| number).collect();
                return Err(ShipError::NotPicked { list: list_id.clone(), lines });
            }
            PickListStatus::Withdrawn => return Err(ShipError::NothingPicked(list_id.clone())),
            PickListStatus::Shipped => return Ok(ShipOutcome::Unchanged(list)),
            PickListStatus::Picked => {}
        }
        self.change_list(&list, |product| product.ship_list(list_id))?;
        Ok(ShipOutcome::Shipped(self.changed_list(list_id)))
    }

    /// Gives a list back of which nothing was picked: its lines are withdrawn, and what they had is
    /// free for other lists. All lines of the list must be at hand.
    ///
    /// # Errors
    ///
    /// [`GiveBackError`], and nothing has changed.
    pub fn give_back(&mut self, list_id: &PickListId) -> Result<GiveBackOutcome, GiveBackError> {
        let list = self.pick_list(list_id).ok_or_else(|| GiveBackError::NotFound(list_id.clone()))?;
        if list.lines.values().any(|line| line.is_taken()) {
            return Err(GiveBackError::Picked(list_id.clone()));
        }
        if !list.lines.values().any(|line| line.status == PickStatus::Open) {
            return Ok(GiveBackOutcome::Unchanged(list));
        }
        self.change_list(&list, |product| product.withdraw_list(list_id))?;
        Ok(GiveBackOutcome::GivenBack(self.changed_list(list_id)))
    }

    /// A list that was changed.
    #[expect(clippy::expect_used, reason = "a list keeps its lines whatever becomes of them")]
    fn changed_list(&self, list_id: &PickListId) -> PickList {
        self.pick_list(list_id).expect("a list that is changed has lines")
    }

    /// Changes the products of a list, all of them or none.
    fn change_list(
        &mut self,
        list: &PickList,
        change: impl Fn(&mut Product) -> Result<(), MoreNeeded>,
    ) -> Result<(), MoreNeeded> {
        let mut skus: Vec<&Sku> = list.lines.values().map(|line| &line.sku).collect();
        skus.sort_unstable();
        skus.dedup();
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
        // What one product needs more to decide must not leave others changed.
        for sku in begun {
            let Some(product) = self.get_mut(sku) else { continue };
            if changed.is_ok() { product.keep() } else { product.undo() }
        }
        changed
    }
}
