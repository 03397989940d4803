//! A shop with a warehouse, where units are listed, picked and shipped.

use crate::shop::{Shop, batch, order, refusal, units};
use allocation_domain::{
    CreateShipmentError, Eta, NewPickList, NewShipment, OpenLines, Outcome, PickCriteria, PickError, PickLine,
    PickLineId, PickList, PickListId, Picked, PutBackError, Quantity, ShipmentId, ShipmentLine, ShippedLines, Units,
};

pub(crate) fn list_id(text: &str) -> PickListId {
    PickListId::parse(text).unwrap()
}

pub(crate) fn all(text: &str) -> NewPickList {
    NewPickList::new(list_id(text), PickCriteria::default())
}

pub(crate) fn pick_line(list: &str, line: u32) -> PickLineId {
    PickLineId { list: list_id(list), line }
}

pub(crate) fn shipment(name: &str, lines: &[(&str, u32, u32)]) -> NewShipment {
    let line = |(list, line, units): &(&str, u32, u32)| ShipmentLine {
        id: pick_line(list, *line),
        quantity: Quantity::new(*units).ok(),
    };
    NewShipment::new(ShipmentId::parse(name).unwrap(), lines.iter().map(line)).unwrap()
}

impl Shop {
    pub(crate) fn list(&mut self, text: &str) -> PickList {
        self.products.make_pick_list(&all(text)).unwrap()
    }

    pub(crate) fn try_pick(
        &mut self,
        list: &str,
        line: u32,
        found: u32,
    ) -> Result<Outcome<Picked, PickLine>, PickError> {
        self.products.pick(&pick_line(list, line), Units::new(found).unwrap(), self.now).map_err(refusal)
    }

    pub(crate) fn pick(&mut self, list: &str, line: u32, found: u32) -> Picked {
        match self.try_pick(list, line, found) {
            Ok(Outcome::Changed(picked)) => picked,
            other => panic!("{other:?}"),
        }
    }

    /// Puts units of a pick line back, so that `total` are on the shelf.
    pub(crate) fn try_put_back(
        &mut self,
        list: &str,
        line: u32,
        total: u32,
    ) -> Result<Outcome<PickLine>, PutBackError> {
        self.products.put_back(&pick_line(list, line), units(total), None, self.now).map_err(refusal)
    }

    pub(crate) fn put_back(&mut self, list: &str, line: u32, total: u32) -> PickLine {
        match self.try_put_back(list, line, total) {
            Ok(Outcome::Changed(line)) => line,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn ship(&mut self, list: &str) -> PickList {
        match self.products.ship(&list_id(list), OpenLines::Refuse) {
            Ok(Outcome::Changed(list)) => list,
            other => panic!("{other:?}"),
        }
    }

    /// Ships units of pick lines: the list, the line, and its units, 0 for all that are left.
    pub(crate) fn try_shipment(
        &mut self,
        name: &str,
        lines: &[(&str, u32, u32)],
    ) -> Result<ShippedLines, CreateShipmentError> {
        self.products.create_shipment(&shipment(name, lines)).map_err(refusal)
    }

    pub(crate) fn shipment(&mut self, name: &str, lines: &[(&str, u32, u32)]) -> ShippedLines {
        self.try_shipment(name, lines).unwrap()
    }

    pub(crate) fn pick_line(&self, list: &str, line: u32) -> PickLine {
        self.products.pick_list(&list_id(list)).unwrap().lines[&line].clone()
    }

    /// Allocated, picked, shipped, missing and free units of a batch of chairs.
    pub(crate) fn counts(&mut self, reference: &str) -> [u32; 5] {
        let found = self.chairs().batch(&batch(reference)).unwrap();
        let counts = found.counts();
        [counts.allocated, counts.picked, counts.shipped, counts.missing, found.available()]
    }
}

/// Number, batch, order and units of the lines of a list.
pub(crate) fn rows(list: &PickList) -> Vec<(u32, &str, &str, u32)> {
    let row = |(number, line): (&u32, &'_ PickLine)| (*number, line.quantity.get());
    let names = list.lines.values().map(|line| (line.reference.as_str(), line.order_id.as_str()));
    list.lines.iter().map(row).zip(names).map(|((line, units), (batch, order))| (line, batch, order, units)).collect()
}

/// A shop with five chairs of an order on a list.
pub(crate) fn listed() -> Shop {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.list("P-1");
    shop
}
