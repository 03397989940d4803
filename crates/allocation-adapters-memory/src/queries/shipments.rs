use crate::store::MemoryStore;
use allocation_domain::{NewShipment, OrderId, ShipmentId};
use allocation_ports::{
    PageSize, ShipmentPage, ShipmentQueries, ShipmentRecord, StockDocument, StockDocumentId, StoreError,
};

impl ShipmentQueries for MemoryStore {
    fn shipment(&self, shipment_id: &ShipmentId) -> Result<Option<ShipmentRecord>, StoreError> {
        let id = StockDocumentId::Shipment(shipment_id.clone());
        Ok(self.database().rows.documents.get(&id).and_then(record))
    }

    fn shipments(
        &self,
        of_order: Option<&OrderId>,
        after: Option<ShipmentId>,
        page: PageSize,
    ) -> Result<ShipmentPage, StoreError> {
        let database = self.database();
        let all = database.rows.documents.values().filter_map(record).map(|mut shipment| {
            shipment.lines.retain(|units| of_order.is_none_or(|order_id| units.order_id == *order_id));
            shipment
        });
        let is_next = |shipment: &ShipmentRecord| {
            !shipment.lines.is_empty() && after.as_ref().is_none_or(|after| shipment.shipment_id > *after)
        };
        let (mut kept, mut lines) = (ShipmentPage::default(), 0);
        for shipment in all.filter(is_next) {
            lines += shipment.lines.len();
            if kept.shipments.len() == usize::from(page.get()) || lines > NewShipment::MAX_LINES {
                kept.next = kept.shipments.last().map(|last| last.shipment_id.clone());
                break;
            }
            kept.shipments.push(shipment);
        }
        Ok(kept)
    }
}

fn record(document: &StockDocument) -> Option<ShipmentRecord> {
    match document {
        StockDocument::Shipment(recorded) => Some(recorded.clone().into()),
        _ => None,
    }
}
