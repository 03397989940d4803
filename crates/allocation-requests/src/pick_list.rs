use crate::distinct::Distinct;
use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use crate::values::integer;
use allocation_domain::{MaxLinesError, NewPickList, PickCriteria, PickListId};

/// The maximum number of identifiers in a criterion.
const MAX_IDENTIFIERS: usize = 1_000;

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
            references: list.optional("references").map(|Distinct::<_, MAX_IDENTIFIERS>(identifiers)| identifiers),
            skus: list.optional("skus").map(|Distinct::<_, MAX_IDENTIFIERS>(identifiers)| identifiers),
            order_ids: list.optional("order_ids").map(|Distinct::<_, MAX_IDENTIFIERS>(identifiers)| identifiers),
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
