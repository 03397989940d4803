use crate::json::{FromJson, Json, MAX_CHILDREN};
use crate::validation_error::{ValidationError, ValidationErrors};
use allocation_domain::{Adjustment, AdjustmentLine, BatchReference, Units};
use std::collections::HashMap;

const _: () = assert!(Adjustment::MAX_LINES <= MAX_CHILDREN, "a request is read with all its lines");

impl FromJson for Adjustment {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut adjustment = json.object()?;
        let (id, reason) = (adjustment.required("adjustment_id"), adjustment.required("reason"));
        let lines = adjustment.required::<Lines>("lines");
        let (id, reason, Lines(lines)) = adjustment.finish(|| Some((id?, reason?, lines?)))?;
        Self::new(id, reason, lines).map_err(|error| ValidationErrors::at("/lines", error))
    }
}

/// The lines of an adjustment, one for each batch.
struct Lines(Vec<AdjustmentLine>);

impl FromJson for Lines {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let elements = json.elements().ok_or_else(|| json.is_not("an array of lines"))?;
        let mut errors = ValidationErrors::default();
        let count = elements.count();
        if !(1..=Adjustment::MAX_LINES).contains(&count) {
            let rule = format!("must have from 1 to {} lines, not {count}", Adjustment::MAX_LINES);
            errors.push(ValidationError::in_body("", rule));
        }
        let mut first_of = HashMap::new();
        let (mut lines, mut is_valid) = (Vec::new(), true);
        for (index, element) in elements.into_iter().enumerate() {
            let (reference, line) = parse_line(element);
            is_valid &= line.is_ok();
            lines.extend(errors.keep(line.map_err(|errors| errors.under(&format!("/{index}")))));
            let first = reference.map(|reference| *first_of.entry(reference).or_insert(index));
            if let Some(first) = first.filter(|first| *first < index) {
                let place = || format!("/{index}/reference");
                errors.push_with(|| ValidationError::in_body(place(), format!("is the batch of line {first} too")));
            }
        }
        errors.check(is_valid.then_some(Self(lines)))
    }
}

/// Parses a line, and returns its batch even if the rest of it is invalid.
fn parse_line(json: Json<'_>) -> (Option<BatchReference>, Result<AdjustmentLine, ValidationErrors>) {
    let mut line = match json.object() {
        Ok(line) => line,
        Err(errors) => return (None, Err(errors)),
    };
    let (reference, change) = (line.required::<BatchReference>("reference"), line.required("change"));
    let expected = line.optional::<Units>("from");
    let found = reference.clone();
    (found, line.finish(|| Some(AdjustmentLine { reference: reference?, change: change?, expected })))
}
