use crate::body::{MAX_CHILDREN, array};
use crate::identifier;
use crate::validation_error::{ValidationError, ValidationErrors, name, pointer, refuse};
use allocation_domain::IdentifierError;
use deserr::{Deserr, IntoValue, Sequence, Value, ValuePointerRef};
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeSet;

/// The maximum number of identifiers in a criterion.
const MOST: usize = 1_000;
const _: () = assert!(MOST <= MAX_CHILDREN, "a body is read with all its names");

/// The identifiers of a criterion, from 1 to 1,000, without duplicates.
pub(super) struct Names<T>(BTreeSet<T>);

impl<T> Names<T> {
    pub(super) fn into_set(self) -> BTreeSet<T> {
        self.0
    }
}

fn rule(given: usize) -> Option<String> {
    let fits = (1..=MOST).contains(&given);
    (!fits).then(|| format!("must have from 1 to {MOST} elements, not {given}"))
}

impl<'de, T> Deserialize<'de> for Names<T>
where
    T: Ord + for<'a> TryFrom<&'a str, Error = IdentifierError>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(bound = "T: for<'a> TryFrom<&'a str, Error = IdentifierError>")]
        struct Name<T>(#[serde(deserialize_with = "identifier::deserialize")] T);

        let names: Vec<Name<T>> = array(deserializer, MOST)?;
        match rule(names.len()) {
            None => Ok(Self(names.into_iter().map(|Name(name)| name).collect())),
            Some(rule) => Err(de::Error::custom(rule)),
        }
    }
}

impl<T: Ord + Deserr<ValidationErrors>> Deserr<ValidationErrors> for Names<T> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        at: ValuePointerRef<'_>,
    ) -> Result<Self, ValidationErrors> {
        let Value::Sequence(elements) = value else {
            return refuse(at, format!("must be an array of strings, not {}", name(value.kind())));
        };
        let mut errors = ValidationErrors::default();
        if let Some(rule) = rule(elements.len()) {
            errors.push(ValidationError::in_body(pointer(at), rule));
        }
        let mut names = BTreeSet::new();
        for (index, element) in elements.into_iter().enumerate() {
            names.extend(errors.keep(T::deserialize_from_value(element.into_value(), at.push_index(index))));
        }
        if errors.is_empty() { Ok(Self(names)) } else { Err(errors) }
    }
}
