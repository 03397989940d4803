//! Metrics as the encoder takes them.

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use std::fmt;

/// Writes metrics, one after the other. Names have their unit, and counters no `_total`, which the encoder adds.
pub(super) struct MetricWriter<'a>(DescriptorEncoder<'a>);

/// The buckets of a histogram: upper bounds, and the number of values in each.
pub(super) struct Buckets {
    pub(super) sum: f64,
    pub(super) bounded: Vec<(f64, u64)>,
}

impl<'a> MetricWriter<'a> {
    pub(super) const fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, f64, f64>(&value, None)
    }

    /// Writes a counter with one value for each set of labels.
    pub(super) fn counters<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, f64>(&value, None)?;
        }
        Ok(())
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    /// Writes a gauge with one value for each set of labels.
    pub(super) fn gauges<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, f64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, values: &Buckets) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        encode_histogram(&mut metric, values)
    }

    /// Writes a histogram for each set of labels.
    pub(super) fn histograms<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, Buckets)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, buckets) in values {
            encode_histogram(&mut metric.encode_family(&labels)?, &buckets)?;
        }
        Ok(())
    }
}

fn encode_histogram(metric: &mut MetricEncoder<'_>, Buckets { sum, bounded }: &Buckets) -> fmt::Result {
    let count = bounded.iter().map(|(_, count)| count).sum();
    metric.encode_histogram::<NoLabelSet>(*sum, count, bounded, None)
}

/// Returns a count as every format has it: as a double.
#[expect(clippy::as_conversions, reason = "a count beyond 2^53 loses its last digits, which nothing shows")]
pub(super) const fn count(value: u64) -> f64 {
    value as f64
}

/// Returns a number of things in memory.
pub(super) fn size(value: usize) -> f64 {
    count(u64::try_from(value).unwrap_or(u64::MAX))
}

/// Returns 1 for true and 0 for false.
pub(super) fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}
