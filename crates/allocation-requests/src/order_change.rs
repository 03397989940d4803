use crate::json::{FromJson, Json};
use crate::order_lines::OrderLines;
use crate::validation_error::{ValidationError, ValidationErrors};
use allocation_domain::{HoldDuration, OrderChange, OrderId, OrderLine, Quantity, Sku, TermsChange, Units};

/// A request to change an order: the new quantities of lines, zero for a line to remove, and new terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderChangeRequest {
    lines: Vec<(Sku, Units)>,
    terms: TermsChange,
}

impl OrderChangeRequest {
    /// Returns the hold that the change asks for.
    #[must_use]
    pub const fn hold(&self) -> Option<HoldDuration> {
        self.terms.hold
    }

    /// Returns the change of an order.
    ///
    /// # Errors
    ///
    /// [`ValidationErrors`] for SKUs that are too long together with the order id.
    pub fn of_order(self, order_id: OrderId) -> Result<OrderChange, ValidationErrors> {
        let mut errors = ValidationErrors::default();
        for (index, (sku, units)) in self.lines.iter().enumerate() {
            let Ok(quantity) = Quantity::new(units.get()) else { continue };
            if let Err(error) = OrderLine::new(order_id.clone(), sku.clone(), quantity) {
                errors.push_with(|| ValidationError::in_body(format!("/lines/{index}/sku"), error));
            }
        }
        errors.check(Some(()))?;
        OrderChange::new(order_id, self.lines, self.terms).map_err(|error| ValidationErrors::at("/lines", error))
    }
}

impl FromJson for OrderChangeRequest {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut change = json.object()?;
        let lines = change.optional::<OrderLines<Units>>("lines");
        let terms = TermsChange {
            priority: change.optional("priority"),
            on_shortage: change.optional("on_shortage"),
            allow_split: change.optional("allow_split"),
            promises: change.optional("promises"),
            ship_complete: change.optional("ship_complete"),
            hold: change.optional("hold_seconds"),
        };
        change.finish(|| Some(()))?;
        if lines.is_none() && terms == TermsChange::default() {
            let rule = "must have at least one of lines, priority, on_shortage, allow_split, promises, ship_complete, hold_seconds";
            return Err(ValidationErrors::of_value(rule));
        }
        Ok(Self { lines: lines.map(|OrderLines(lines)| lines).unwrap_or_default(), terms })
    }
}
