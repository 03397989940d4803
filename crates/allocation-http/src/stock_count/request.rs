use crate::choice::choice_schema;
use crate::identifier::Identifier;
use allocation_domain::UncountedLines;
use utoipa::ToSchema;

/// What is to be counted: `skus` or `references`.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCount)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct NewCountSchema {
    /// The id of the count, which its adjustment has, too. Repeating the request changes nothing.
    #[schema(value_type = Identifier)]
    count_id: String,
    /// The SKUs whose batches with units in stock are counted.
    #[schema(value_type = Vec<Identifier>, required = false, min_items = 1, max_items = 500)]
    skus: Vec<String>,
    /// The batches to count, with units or without. They are in stock.
    #[schema(value_type = Vec<Identifier>, required = false, min_items = 1, max_items = 500)]
    references: Vec<String>,
    /// Whether expected units and variances are hidden until the count is closed. `false` if absent.
    #[schema(required = false)]
    blind: bool,
}

/// The units that were counted of a batch.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CountedUnits)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct CountedUnitsSchema {
    /// The units that were found.
    #[schema(value_type = i32, minimum = 0, maximum = 2_147_483_647, example = 5)]
    counted: u32,
    /// Whether units that are picked and not shipped are among them. Required if there are such units.
    #[schema(required = false)]
    picked_counted: bool,
    /// The number of the recount, 0 if absent: the same number of units is a new entry if this one differs, and
    /// otherwise a repetition, which changes nothing.
    #[schema(value_type = i32, required = false, minimum = 0, maximum = 2_147_483_647, example = 1)]
    recount: u32,
}

/// How a count is closed.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CountClosing)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct CountClosingSchema {
    /// What happens to lines that are not entered: `refuse`, the default, rejects the request if there are any; `leave`
    /// leaves their batches as they are.
    #[schema(value_type = UncountedLinesSchema, required = false)]
    uncounted: &'static str,
}

choice_schema! {
    /// What happens to the lines of a count that are not entered when it is closed.
    UncountedLinesSchema as "UncountedLines": UncountedLines::NAMES
}
