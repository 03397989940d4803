use crate::json::{FromJson, Json, MAX_CHILDREN};
use crate::validation_error::{ValidationError, ValidationErrors};
use allocation_domain::{NewShipment, PickLineId, PickListId, Quantity, ShipmentLine};
use std::collections::HashMap;

const _: () = assert!(NewShipment::MAX_LINES <= MAX_CHILDREN, "a request is read with all its lines");

impl FromJson for NewShipment {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut shipment = json.object()?;
        let id = shipment.required("shipment_id");
        let lines = shipment.required::<Lines>("lines");
        let (carrier, tracking) = (shipment.optional("carrier"), shipment.optional("tracking"));
        let (id, Lines(lines), carrier, tracking) = shipment.finish(|| Some((id?, lines?, carrier, tracking)))?;
        let new = Self::new(id, lines).map_err(|error| ValidationErrors::at("/lines", error))?;
        Ok(new.sent_by(carrier, tracking))
    }
}

/// The lines of a shipment, one for each pick line.
struct Lines(Vec<ShipmentLine>);

impl FromJson for Lines {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let elements = json.elements().ok_or_else(|| json.is_not("an array of lines"))?;
        let mut errors = ValidationErrors::default();
        let count = elements.count();
        if !(1..=NewShipment::MAX_LINES).contains(&count) {
            let rule = format!("must have from 1 to {} lines, not {count}", NewShipment::MAX_LINES);
            errors.push(ValidationError::in_body("", rule));
        }
        let mut first_of = HashMap::new();
        let (mut lines, mut is_valid) = (Vec::new(), true);
        for (index, element) in elements.into_iter().enumerate() {
            let (id, line) = parse_line(element);
            is_valid &= line.is_ok();
            lines.extend(errors.keep(line.map_err(|errors| errors.under(&format!("/{index}")))));
            let first = id.map(|id| *first_of.entry(id).or_insert(index));
            if let Some(first) = first.filter(|first| *first < index) {
                let place = || format!("/{index}/line");
                errors.push_with(|| ValidationError::in_body(place(), format!("is the pick line of line {first} too")));
            }
        }
        errors.check(is_valid.then_some(Self(lines)))
    }
}

/// Parses a line, and returns its pick line even if the rest of it is invalid.
fn parse_line(json: Json<'_>) -> (Option<PickLineId>, Result<ShipmentLine, ValidationErrors>) {
    let mut line = match json.object() {
        Ok(line) => line,
        Err(errors) => return (None, Err(errors)),
    };
    let (list, number) = (line.required::<PickListId>("pick_list_id"), line.required::<Quantity>("line"));
    let quantity = line.optional::<Quantity>("qty");
    let id = list.zip(number).map(|(list, number)| PickLineId { list, line: number.get() });
    let found = id.clone();
    (found, line.finish(|| Some(ShipmentLine { id: id?, quantity })))
}
