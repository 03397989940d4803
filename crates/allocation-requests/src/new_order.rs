use crate::json::{FromJson, Json};
use crate::order_lines::OrderLines;
use crate::validation_error::{ValidationError, ValidationErrors};
use allocation_domain::{NewOrder, OrderId, OrderLine, OrderTerms, Quantity, Sku};

impl FromJson for NewOrder {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut order = json.object()?;
        let (order_id, lines) = (order.required("order_id"), order.required::<OrderLines<Quantity>>("lines"));
        let usual = OrderTerms::default();
        let terms = OrderTerms {
            on_shortage: order.optional("on_shortage").flatten().unwrap_or(usual.on_shortage),
            hold: order.optional("hold_seconds").flatten(),
            priority: order.optional("priority").flatten().unwrap_or(usual.priority),
            allow_split: order.optional("allow_split").flatten().unwrap_or(usual.allow_split),
            promises: order.optional("promises").flatten().unwrap_or(usual.promises),
            ship_complete: order.optional("ship_complete").flatten().unwrap_or(usual.ship_complete),
        };
        let (order_id, OrderLines(lines)) = order.finish(|| Some((order_id?, lines?)))?;
        check_lines(&order_id, &lines)?;
        Self::new(order_id, lines, terms).map_err(|error| ValidationErrors::at("/lines", error))
    }
}

/// Checks the rules that the lines have together with their order.
fn check_lines(order_id: &OrderId, lines: &[(Sku, Quantity)]) -> Result<(), ValidationErrors> {
    let mut errors = ValidationErrors::default();
    for (index, (sku, quantity)) in lines.iter().enumerate() {
        if let Err(error) = OrderLine::new(order_id.clone(), sku.clone(), *quantity) {
            errors.push_with(|| ValidationError::in_body(format!("/lines/{index}/sku"), error));
        }
    }
    errors.check(Some(()))
}
