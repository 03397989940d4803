use crate::json::{FromJson, Json, MAX_CHILDREN};
use crate::validation_error::{ValidationError, ValidationErrors};
use allocation_domain::{NewOrder, Sku};
use std::collections::HashMap;

const _: () = assert!(NewOrder::MAX_LINES <= MAX_CHILDREN, "a request is read with all its lines");

/// The lines of an order or of a change: one for each SKU, with its quantity.
pub(crate) struct OrderLines<Q>(pub(crate) Vec<(Sku, Q)>);

impl<Q: FromJson> FromJson for OrderLines<Q> {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let elements = json.elements().ok_or_else(|| json.is_not("an array of lines"))?;
        let mut errors = ValidationErrors::default();
        let count = elements.count();
        if !(1..=NewOrder::MAX_LINES).contains(&count) {
            let rule = format!("must have from 1 to {} lines, not {count}", NewOrder::MAX_LINES);
            errors.push(ValidationError::in_body("", rule));
        }
        let mut first_of = HashMap::new();
        let (mut lines, mut is_valid) = (Vec::new(), true);
        for (index, element) in elements.into_iter().enumerate() {
            let (sku, line) = parse_line(element);
            is_valid &= line.is_ok();
            lines.extend(errors.keep(line.map_err(|errors| errors.under(&format!("/{index}")))));
            // An invalid line counts, too, so that every repetition of its SKU is reported.
            if let Some(first) = sku.map(|sku| *first_of.entry(sku).or_insert(index)).filter(|first| *first < index) {
                let repeated =
                    || ValidationError::in_body(format!("/{index}/sku"), format!("is the SKU of line {first} too"));
                errors.push_with(repeated);
            }
        }
        errors.check(is_valid.then_some(Self(lines)))
    }
}

/// Parses a line, and returns its SKU even if the rest of it is invalid.
fn parse_line<Q: FromJson>(json: Json<'_>) -> (Option<Sku>, Result<(Sku, Q), ValidationErrors>) {
    let mut line = match json.object() {
        Ok(line) => line,
        Err(errors) => return (None, Err(errors)),
    };
    let (sku, quantity) = (line.required::<Sku>("sku"), line.required("qty"));
    (sku.clone(), line.finish(|| Some((sku?, quantity?))))
}
