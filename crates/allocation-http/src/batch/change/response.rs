use crate::batch::{Batch, Effects};
use allocation_domain::BatchChanged;
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

/// A corrected batch and the lines that the correction affected.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedBatch)]
pub(crate) struct Changed<'a> {
    #[serde(flatten)]
    batch: Batch<'a>,
    #[serde(flatten)]
    effects: Effects<'a>,
}

impl<'a> Changed<'a> {
    /// Returns a correction as of a day.
    pub(crate) fn on(today: NaiveDate, changed: &'a BatchChanged) -> Self {
        Self { batch: Batch::on(today, &changed.batch), effects: Effects::new(&changed.affected, &changed.displaced) }
    }
}
