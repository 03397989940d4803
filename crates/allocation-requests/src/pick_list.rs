use crate::json::{FromJson, Json, MAX_CHILDREN};
use crate::validation_error::{ValidationError, ValidationErrors};
use crate::values::integer;
use allocation_domain::{MaxLinesError, NewPickList, PickCriteria, PickListId};
use std::collections::BTreeSet;

/// The maximum number of identifiers in a criterion.
const MAX_IDENTIFIERS: usize = 1_000;
const _: () = assert!(MAX_IDENTIFIERS <= MAX_CHILDREN, "a request is read with all its identifiers");

/// A request for a pick list, with or without an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickListRequest {
    /// The id of the list, if the caller has chosen one.
    pub list_id: Option<PickListId>,
    criteria: PickCriteria,
    max_lines: MaxLines,
}

impl PickListRequest {
    /// Returns the list with an id.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the number was validated when it was parsed")]
    pub fn into_list(self, list_id: PickListId) -> NewPickList {
        NewPickList::new(list_id, self.criteria).with_max_lines(self.max_lines.0).expect("the number of lines is valid")
    }
}

impl FromJson for PickListRequest {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut list = json.object()?;
        let list_id = list.optional("pick_list_id");
        let criteria = PickCriteria {
            references: list.optional("references").map(|Criterion(identifiers)| identifiers),
            skus: list.optional("skus").map(|Criterion(identifiers)| identifiers),
            order_ids: list.optional("order_ids").map(|Criterion(identifiers)| identifiers),
        };
        let max_lines = list.optional("max_lines").unwrap_or(MaxLines(NewPickList::MAX_LINES));
        list.finish(|| Some(Self { list_id, criteria, max_lines }))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MaxLines(usize);

impl FromJson for MaxLines {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let valid = 1..=NewPickList::MAX_LINES;
        integer(json, |lines| {
            let lines = usize::try_from(lines).ok().filter(|lines| valid.contains(lines));
            lines.map(Self).ok_or(MaxLinesError)
        })
    }
}

/// The identifiers of a criterion, from 1 to 1,000, without duplicates.
struct Criterion<T>(BTreeSet<T>);

impl<T: FromJson + Ord> FromJson for Criterion<T> {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let elements = json.elements().ok_or_else(|| json.is_not("an array of strings"))?;
        let mut errors = ValidationErrors::default();
        let count = elements.count();
        if !(1..=MAX_IDENTIFIERS).contains(&count) {
            let rule = format!("must have from 1 to {MAX_IDENTIFIERS} elements, not {count}");
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
