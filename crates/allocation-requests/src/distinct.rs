use crate::json::{FromJson, Json, MAX_CHILDREN};
use crate::validation_error::{ValidationError, ValidationErrors};
use std::collections::BTreeSet;

/// Identifiers, from 1 to `MOST`. Repeated ones count once.
pub(crate) struct Distinct<T, const MOST: usize>(pub(crate) BTreeSet<T>);

impl<T: FromJson + Ord, const MOST: usize> FromJson for Distinct<T, MOST> {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        const { assert!(MOST <= MAX_CHILDREN, "a request is read with all its identifiers") }
        let elements = json.elements().ok_or_else(|| json.is_not("an array of strings"))?;
        let mut errors = ValidationErrors::default();
        let count = elements.count();
        if !(1..=MOST).contains(&count) {
            let rule = format!("must have from 1 to {MOST} elements, not {count}");
            errors.push(ValidationError::in_body("", rule));
        }
        let mut identifiers = BTreeSet::new();
        for (index, element) in elements.into_iter().enumerate() {
            let identifier = T::from_json(element).map_err(|errors| errors.under(&format!("/{index}")));
            identifiers.extend(errors.keep(identifier));
        }
        errors.check(Some(Self(identifiers)))
    }
}
