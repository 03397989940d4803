//! Units that were shipped and come back.

use super::Product;
use crate::{Disposition, Event, GoodsReturn, LoadRequest, NewBatch, ReturnLine, ReturnedLine};
use chrono::{DateTime, Utc};

impl Product {
    /// Takes back the units of a return that are of this product. Restocked units are a batch in stock, which serves
    /// the waiting lines. The caller has checked the units and the reference of the batch.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`]; nothing has changed.
    pub(crate) fn take_back(
        &mut self,
        goods_return: &GoodsReturn,
        now: DateTime<Utc>,
    ) -> Result<Vec<ReturnedLine>, LoadRequest> {
        self.atomically(|product| {
            let sku = product.sku.clone();
            let lines = goods_return.lines().iter().filter(|line| line.sku == sku);
            let returned: Vec<_> = lines.map(|line| product.take_back_line(goods_return, line, now)).collect();
            if returned.iter().any(|line| line.disposition == Disposition::Restock) {
                product.serve_waiting()?;
            }
            Ok(returned)
        })
    }

    fn take_back_line(&mut self, goods_return: &GoodsReturn, line: &ReturnLine, now: DateTime<Utc>) -> ReturnedLine {
        let ReturnLine { sku, quantity, disposition } = line.clone();
        let (order_id, reference) = (goods_return.order_id(), goods_return.reference(line));
        self.edit_line(order_id, |line| line.fulfilment.returned += quantity.get());
        self.events.push(Event::LineReturned {
            order_id: order_id.clone(),
            sku: sku.clone(),
            return_id: goods_return.return_id().clone(),
            quantity,
            disposition,
            reference: reference.clone(),
        });
        if let Some(reference) = reference.clone() {
            self.insert_batch(NewBatch::restocked(reference, quantity, goods_return.origin()), now);
        }
        ReturnedLine { sku, quantity, disposition, reference }
    }
}
