use crate::batch::Batch;
use crate::eta;
use crate::identifier::Identifier;
use allocation_domain::{BatchChanged, Eta};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

/// A corrected batch and the lines that the correction affected.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedBatch)]
pub(crate) struct Changed<'a> {
    #[serde(flatten)]
    batch: Batch<'a>,
    /// The lines whose promised date is now later, in the order in which lines are served.
    affected: Vec<Affected<'a>>,
    /// The lines that moved to another batch and are served no later, in the order in which lines are
    /// served.
    moved: Vec<Affected<'a>>,
    /// The lines that lost units and got no replacement, in the order in which lines are served.
    displaced: Vec<Displaced<'a>>,
    /// Whether any of these lists is cut off at 1,000 entries. The events report all lines. Absent if
    /// not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    truncated: bool,
}

/// The maximum length of each list in a response: a line can have units of many batches.
const MAX_SHOWN: usize = 1_000;

/// Units of a line that have another promised date or another batch.
#[derive(Serialize, ToSchema)]
#[schema(as = AffectedLine)]
pub(crate) struct Affected<'a> {
    /// The order that the line belongs to.
    #[schema(value_type = Identifier)]
    order_id: &'a str,
    /// The ordered SKU.
    #[schema(value_type = Identifier)]
    sku: &'a str,
    /// The batch that now serves the units.
    #[schema(value_type = Identifier)]
    reference: &'a str,
    /// The quantity.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    qty: u32,
    /// The previously promised date; null for stock.
    #[schema(value_type = Option<String>, required = true, format = Date)]
    #[serde(serialize_with = "eta::serialize")]
    old_eta: Eta,
    /// The currently promised date; null for stock.
    #[schema(value_type = Option<String>, required = true, format = Date)]
    #[serde(serialize_with = "eta::serialize")]
    new_eta: Eta,
}

/// Units that a line lost and now waits for.
#[derive(Serialize, ToSchema)]
#[schema(as = DisplacedLine)]
pub(crate) struct Displaced<'a> {
    /// The order that the line belongs to.
    #[schema(value_type = Identifier)]
    order_id: &'a str,
    /// The ordered SKU.
    #[schema(value_type = Identifier)]
    sku: &'a str,
    /// The quantity.
    #[schema(value_type = i32, minimum = 1, example = 2)]
    qty: u32,
    /// `backordered` if the order accepts backorders, `short` otherwise.
    #[schema(value_type = DisplacedStatusSchema)]
    status: &'static str,
}

/// How a line waits for units that it lost.
#[derive(ToSchema)]
#[schema(as = DisplacedStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum DisplacedStatusSchema {
    /// Its order accepts backorders.
    Backordered,
    /// Its order does not accept backorders.
    Short,
}

impl<'a> Changed<'a> {
    /// Returns a correction as of a day.
    pub(crate) fn on(today: NaiveDate, changed: &'a BatchChanged) -> Self {
        let (worse, moved): (Vec<_>, Vec<_>) = changed.affected.iter().partition(|line| line.is_worse());
        Self {
            batch: Batch::on(today, &changed.batch),
            truncated: [worse.len(), moved.len(), changed.displaced.len()].iter().any(|lines| *lines > MAX_SHOWN),
            affected: worse.into_iter().take(MAX_SHOWN).map(Affected::from).collect(),
            moved: moved.into_iter().take(MAX_SHOWN).map(Affected::from).collect(),
            displaced: changed.displaced.iter().take(MAX_SHOWN).map(Displaced::from).collect(),
        }
    }
}

impl<'a> From<&'a allocation_domain::Affected> for Affected<'a> {
    fn from(line: &'a allocation_domain::Affected) -> Self {
        Self {
            order_id: line.order_id.as_str(),
            sku: line.sku.as_str(),
            reference: line.reference.as_str(),
            qty: line.quantity.get(),
            old_eta: line.old_eta,
            new_eta: line.new_eta,
        }
    }
}

impl<'a> From<&'a allocation_domain::Displaced> for Displaced<'a> {
    fn from(line: &'a allocation_domain::Displaced) -> Self {
        Self {
            order_id: line.order_id.as_str(),
            sku: line.sku.as_str(),
            qty: line.quantity.get(),
            status: if line.short { "short" } else { "backordered" },
        }
    }
}
