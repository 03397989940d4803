use crate::body::{MAX_CHILDREN, array, object};
use crate::identifier::Identifier;
use crate::validation_error::{ValidationError, ValidationErrors, name, pointer, refuse};
use crate::{identifier, quantity};
use allocation_domain::{NewOrder, Quantity, Sku};
use deserr::{Deserr, IntoValue, Map, Sequence, Value, ValuePointerRef};
use serde::{Deserialize, Deserializer};
use std::collections::HashMap;
use utoipa::ToSchema;

/// A line of a new order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrderLine)]
pub(crate) struct LineToPlace {
    /// The ordered SKU.
    #[serde(deserialize_with = "identifier::deserialize")]
    #[schema(value_type = Identifier)]
    sku: Sku,
    /// The ordered quantity.
    #[serde(deserialize_with = "quantity::deserialize")]
    #[schema(value_type = i32, minimum = 1, maximum = 2_147_483_647, example = 10)]
    qty: Quantity,
}

const _: () = assert!(NewOrder::MAX_LINES <= MAX_CHILDREN, "a body is read with all its lines");

/// The lines of a new order.
pub(super) struct Lines(pub(super) Vec<(Sku, Quantity)>);

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Element(#[serde(deserialize_with = "object")] LineToPlace);

        let elements: Vec<Element> = array(deserializer, NewOrder::MAX_LINES)?;
        Ok(Self(elements.into_iter().map(|Element(line)| (line.sku, line.qty)).collect()))
    }
}

impl Deserr<ValidationErrors> for Lines {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        at: ValuePointerRef<'_>,
    ) -> Result<Self, ValidationErrors> {
        let Value::Sequence(elements) = value else {
            return refuse(at, format!("must be an array of lines, not {}", name(value.kind())));
        };
        let mut errors = ValidationErrors::default();
        if !(1..=NewOrder::MAX_LINES).contains(&elements.len()) {
            let rule = format!("must have from 1 to {} lines, not {}", NewOrder::MAX_LINES, elements.len());
            errors.push(ValidationError::in_body(pointer(at), rule));
        }
        let mut lines = Vec::new();
        let mut places = HashMap::new();
        for (index, element) in elements.into_iter().enumerate() {
            let at = at.push_index(index);
            let (sku, quantity) = read(element.into_value(), at, &mut errors);
            if let Some(first) =
                sku.clone().map(|sku| *places.entry(sku).or_insert(index)).filter(|first| *first < index)
            {
                let place = at.push_key("sku");
                errors
                    .push_with(|| ValidationError::in_body(pointer(place), format!("is the SKU of line {first} too")));
            }
            lines.extend(sku.zip(quantity));
        }
        if errors.is_empty() { Ok(Self(lines)) } else { Err(errors) }
    }
}

/// Parses a line as far as possible. A valid SKU is returned even if the quantity is invalid, so that all
/// repetitions of the SKU are reported.
fn read<V: IntoValue>(
    line: Value<V>,
    at: ValuePointerRef<'_>,
    errors: &mut ValidationErrors,
) -> (Option<Sku>, Option<Quantity>) {
    let (mut sku, mut quantity) = (None, None);
    let Value::Map(members) = line else {
        errors.push_with(|| {
            ValidationError::in_body(pointer(at), format!("must be an object, not {}", name(line.kind())))
        });
        return (None, None);
    };
    for (member, value) in members.into_iter() {
        let place = at.push_key(&member);
        match &*member {
            "sku" => sku = Some(errors.keep(Sku::deserialize_from_value(value.into_value(), place))),
            "qty" => quantity = Some(errors.keep(Quantity::deserialize_from_value(value.into_value(), place))),
            _ => errors.push_with(|| ValidationError::in_body(pointer(place), "is not known; known are sku, qty")),
        }
    }
    for (member, given) in [("sku", sku.is_some()), ("qty", quantity.is_some())] {
        if !given {
            errors.push_with(|| ValidationError::in_body(pointer(at.push_key(member)), "is missing"));
        }
    }
    (sku.flatten(), quantity.flatten())
}
