use crate::json::{FromJson, Json, MAX_CHILDREN};
use crate::validation_error::{ValidationError, ValidationErrors};
use allocation_domain::{Disposition, GoodsReturn, GoodsReturnError, Quantity, ReturnLine, Sku};
use std::collections::BTreeMap;

const _: () = assert!(GoodsReturn::MAX_LINES <= MAX_CHILDREN, "a request is read with all its lines");

impl FromJson for GoodsReturn {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut goods_return = json.object()?;
        let (return_id, order_id) = (goods_return.required("return_id"), goods_return.required("order_id"));
        let lines = goods_return.required::<Lines>("lines");
        let (return_id, order_id, Lines(lines)) = goods_return.finish(|| Some((return_id?, order_id?, lines?)))?;
        Self::new(return_id, order_id, lines).map_err(|error| match error {
            GoodsReturnError::NameTooLong(sku) => {
                ValidationErrors::at("/return_id", format!("with SKU {sku} is too long to name a batch"))
            }
            error => ValidationErrors::at("/lines", error),
        })
    }
}

/// The lines of a return, one for each SKU and disposition.
struct Lines(Vec<ReturnLine>);

impl FromJson for Lines {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let elements = json.elements().ok_or_else(|| json.is_not("an array of lines"))?;
        let mut errors = ValidationErrors::default();
        let count = elements.count();
        if !(1..=GoodsReturn::MAX_LINES).contains(&count) {
            let rule = format!("must have from 1 to {} lines, not {count}", GoodsReturn::MAX_LINES);
            errors.push(ValidationError::in_body("", rule));
        }
        let mut first_of = BTreeMap::new();
        let (mut lines, mut is_valid) = (Vec::new(), true);
        for (index, element) in elements.into_iter().enumerate() {
            let (key, line) = parse_line(element);
            is_valid &= line.is_ok();
            lines.extend(errors.keep(line.map_err(|errors| errors.under(&format!("/{index}")))));
            let first = key.map(|key| *first_of.entry(key).or_insert(index));
            if let Some(first) = first.filter(|first| *first < index) {
                let place = || format!("/{index}/disposition");
                errors.push_with(|| {
                    ValidationError::in_body(place(), format!("repeats the SKU and disposition of line {first}"))
                });
            }
        }
        errors.check(is_valid.then_some(Self(lines)))
    }
}

/// Parses a line, and returns its SKU and disposition even if the rest of it is invalid.
fn parse_line(json: Json<'_>) -> (Option<(Sku, Disposition)>, Result<ReturnLine, ValidationErrors>) {
    let mut line = match json.object() {
        Ok(line) => line,
        Err(errors) => return (None, Err(errors)),
    };
    let (sku, quantity) = (line.required::<Sku>("sku"), line.required::<Quantity>("qty"));
    let disposition = line.required::<Disposition>("disposition");
    let key = sku.clone().zip(disposition);
    let parsed = line.finish(|| Some(ReturnLine { sku: sku?, quantity: quantity?, disposition: disposition? }));
    (key, parsed)
}

impl FromJson for Disposition {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let name = json.string().ok_or_else(|| json.is_not(&format!("one of {}", Self::NAMES.join(", "))))?;
        name.parse().map_err(ValidationErrors::of_value)
    }
}
