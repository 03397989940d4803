use crate::batch::Batch;
use crate::eta;
use crate::identifier::Identifier;
use allocation_domain::{BatchChanged, Eta};
use serde::Serialize;
use utoipa::ToSchema;

/// A batch that was corrected, and what that meant for the lines on it.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedBatch)]
pub(crate) struct Changed<'a> {
    #[serde(flatten)]
    batch: Batch<'a>,
    /// The promises that have become worse, in the order in which lines are served.
    affected: Vec<Affected<'a>>,
    /// The promises that another batch keeps now, and no later, in the order in which lines are
    /// served.
    moved: Vec<Affected<'a>>,
    /// The lines that lost units and got no others, in the order in which lines are served.
    displaced: Vec<Displaced<'a>>,
    /// Whether there are more of these than are shown, 1,000 of each at most: all are in the events.
    /// Absent when not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    truncated: bool,
}

/// How many lines of each kind an answer shows: what lines were moved with may be parts of many batches.
const MAX_SHOWN: usize = 1_000;

/// Units of a line that are promised for another date, or by another batch.
#[derive(Serialize, ToSchema)]
#[schema(as = AffectedLine)]
pub(crate) struct Affected<'a> {
    /// The order that the line belongs to.
    #[schema(value_type = Identifier)]
    order_id: &'a str,
    /// What is ordered.
    #[schema(value_type = Identifier)]
    sku: &'a str,
    /// The batch that holds the units now.
    #[schema(value_type = Identifier)]
    reference: &'a str,
    /// How many units.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    qty: u32,
    /// When they were promised before: a date, or null for stock in the warehouse.
    #[schema(value_type = Option<String>, required = true, format = Date)]
    #[serde(serialize_with = "eta::serialize")]
    old_eta: Eta,
    /// When they are promised now: a date, or null for stock in the warehouse.
    #[schema(value_type = Option<String>, required = true, format = Date)]
    #[serde(serialize_with = "eta::serialize")]
    new_eta: Eta,
}

/// Units that a line lost and waits for.
#[derive(Serialize, ToSchema)]
#[schema(as = DisplacedLine)]
pub(crate) struct Displaced<'a> {
    /// The order that the line belongs to.
    #[schema(value_type = Identifier)]
    order_id: &'a str,
    /// What is ordered.
    #[schema(value_type = Identifier)]
    sku: &'a str,
    /// How many units.
    #[schema(value_type = i32, minimum = 1, example = 2)]
    qty: u32,
    /// Whether the line had asked to wait (`backordered`), or is `short`.
    #[schema(value_type = DisplacedStatusSchema)]
    status: &'static str,
}

/// How a line waits for units that it lost.
#[derive(ToSchema)]
#[schema(as = DisplacedStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum DisplacedStatusSchema {
    /// As its order has asked to.
    Backordered,
    /// Without having asked to.
    Short,
}

impl<'a> From<&'a BatchChanged> for Changed<'a> {
    fn from(changed: &'a BatchChanged) -> Self {
        let (worse, moved): (Vec<_>, Vec<_>) = changed.affected.iter().partition(|line| line.is_worse());
        Self {
            batch: Batch::from(&changed.batch),
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
