use crate::adjustment::AdjustedLine;
use crate::batch::Effects;
use crate::choice::choice_schema;
use crate::identifier::Id;
use crate::instant::Instant;
use crate::quantity::is_zero;
use allocation_domain::{ClosedCount, StockCount};
use allocation_ports::CountSummary;
use serde::Serialize;
use utoipa::ToSchema;

/// A count of stock.
#[derive(Serialize, ToSchema)]
pub(crate) struct Count<'a> {
    /// The id of the count, which its adjustment has, too.
    count_id: Id<'a>,
    /// `open`, or `closed` once its variances are applied.
    #[schema(value_type = CountStatusSchema)]
    status: &'static str,
    /// Whether expected units and variances are hidden until the count is closed.
    blind: bool,
    /// The instant at which the count was opened.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    opened_at: Instant,
    /// The instant at which it was closed. Absent if it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, format = DateTime, example = "2027-01-15T09:00:00Z")]
    closed_at: Option<Instant>,
    /// The batches, sorted by SKU and reference.
    lines: Vec<Line<'a>>,
    /// What the variances have changed. Absent if the count is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = CountAdjustment<'_>)]
    adjustment: Option<CountAdjustment<'a>>,
}

/// What the variances of a count have changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct CountAdjustment<'a> {
    /// The batches with a variance, sorted by reference.
    lines: Vec<AdjustedLine<'a>>,
    #[serde(flatten)]
    effects: Effects<'a>,
}

/// A batch to count.
#[derive(Serialize, ToSchema)]
#[schema(as = CountLine)]
pub(crate) struct Line<'a> {
    /// The number of the line.
    #[schema(value_type = i32, minimum = 1, maximum = 500, example = 1)]
    line: usize,
    /// The batch.
    reference: Id<'a>,
    /// Its SKU.
    sku: Id<'a>,
    /// The units that were found. Absent until the line is entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = i32, minimum = 0, example = 5)]
    counted: Option<u32>,
    /// Whether picked units are among them. Absent if it was not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = bool)]
    picked_counted: Option<bool>,
    /// The number of the recount. Absent if zero.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false, value_type = i32, minimum = 1, example = 1)]
    recount: u32,
    /// The units that were on hand when the line was entered: available, allocated, and picked ones if they were
    /// counted. Absent until the line is entered, and while a blind count is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = i32, minimum = 0, example = 5)]
    expected: Option<u32>,
    /// The counted units less the expected ones. Absent as `expected` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = i32, example = 0)]
    variance: Option<i64>,
}

/// A count without its lines.
#[derive(Serialize, ToSchema)]
#[schema(as = CountSummary)]
pub(crate) struct Summary<'a> {
    /// The id of the count.
    count_id: Id<'a>,
    /// `open`, or `closed` once its variances are applied.
    #[schema(value_type = CountStatusSchema)]
    status: &'static str,
    /// Whether expected units and variances are hidden until the count is closed.
    blind: bool,
    /// The instant at which the count was opened.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    opened_at: Instant,
    /// The instant at which it was closed. Absent if it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, format = DateTime, example = "2027-01-15T09:00:00Z")]
    closed_at: Option<Instant>,
    /// The number of batches to count.
    #[schema(value_type = i32, minimum = 1, maximum = 500, example = 1)]
    lines: usize,
    /// The number of batches that are entered.
    #[schema(value_type = i32, minimum = 0, maximum = 500, example = 0)]
    entered: usize,
}

choice_schema! {
    /// The status of a count.
    CountStatusSchema as "CountStatus": ["open", "closed"]
}

const fn status(is_closed: bool) -> &'static str {
    if is_closed { "closed" } else { "open" }
}

impl<'a> From<&'a StockCount> for Count<'a> {
    fn from(count: &'a StockCount) -> Self {
        Self {
            count_id: count.count_id().into(),
            status: status(count.closed.is_some()),
            blind: count.request.blind,
            opened_at: Instant(count.opened_at),
            closed_at: count.closed.as_ref().map(|closed| Instant(closed.closed_at)),
            lines: (1..=count.lines.len()).filter_map(|number| Line::of(count, number)).collect(),
            adjustment: count.closed.as_ref().map(CountAdjustment::from),
        }
    }
}

impl<'a> From<&'a ClosedCount> for CountAdjustment<'a> {
    fn from(ClosedCount { adjusted, .. }: &'a ClosedCount) -> Self {
        Self {
            lines: adjusted.lines.iter().map(AdjustedLine::from).collect(),
            effects: Effects::new(&adjusted.affected, &adjusted.displaced),
        }
    }
}

impl<'a> Line<'a> {
    /// Returns a line by its number. A blind count hides what is expected until it is closed.
    pub(crate) fn of(count: &'a StockCount, number: usize) -> Option<Self> {
        let line = count.line(u32::try_from(number).ok()?)?;
        let shown = line.entry.filter(|_| count.closed.is_some() || !count.request.blind);
        Some(Self {
            line: number,
            reference: (&line.reference).into(),
            sku: (&line.sku).into(),
            counted: line.entry.map(|entry| entry.entered.counted.get()),
            picked_counted: line.entry.and_then(|entry| entry.entered.picked_counted),
            recount: line.entry.map_or(0, |entry| entry.entered.recount.get()),
            expected: shown.map(|entry| entry.expected.get()),
            variance: shown.map(|entry| entry.variance()),
        })
    }
}

impl<'a> From<&'a CountSummary> for Summary<'a> {
    fn from(count: &'a CountSummary) -> Self {
        Self {
            count_id: (&count.count_id).into(),
            status: status(count.closed_at.is_some()),
            blind: count.blind,
            opened_at: Instant(count.opened_at),
            closed_at: count.closed_at.map(Instant),
            lines: count.lines,
            entered: count.entered,
        }
    }
}
