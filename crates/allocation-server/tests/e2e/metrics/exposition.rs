use crate::support::Client;
use std::collections::{BTreeMap, BTreeSet};

/// Metrics as a server serves them, in the format of Prometheus.
#[derive(Debug, Clone, Default)]
pub(super) struct Exposition {
    pub(super) text: String,
    /// The value of each series, by its name with its labels.
    pub(super) series: BTreeMap<String, f64>,
    /// The type of each family.
    types: BTreeMap<String, String>,
}

impl Exposition {
    pub(super) fn of(client: &Client) -> Self {
        let answer = client.get("/metrics");
        assert_eq!(answer.status, 200, "{answer:?}");
        Self::parse(answer.text)
    }

    fn parse(text: String) -> Self {
        let (mut series, mut types) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines() {
            if let Some(declared) = line.strip_prefix("# TYPE ") {
                let (name, kind) = declared.split_once(' ').unwrap();
                assert_eq!(types.insert(name.to_owned(), kind.to_owned()), None, "{name} is declared twice");
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').unwrap();
                let known = series.insert(name.to_owned(), value.parse().unwrap());
                assert_eq!(known, None, "{name} is written twice");
            }
        }
        Self { text, series, types }
    }

    /// Returns the value of a series with these labels, and perhaps others.
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let fits = |series: &&String| {
            let (family, rest) = series.split_once('{').unwrap_or((series, ""));
            family == name && labels.iter().all(|(label, value)| rest.contains(&format!("{label}=\"{value}\"")))
        };
        self.series.keys().find(fits).map(|series| self.series[series])
    }

    /// Returns the names of all families.
    pub(super) fn families(&self) -> BTreeSet<String> {
        self.types.keys().cloned().collect()
    }

    /// Returns the names of all series, as queries use them.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let name = |series: &String| series.split('{').next().unwrap_or_default().to_owned();
        self.series.keys().map(name).collect()
    }

    /// Returns whether a series only grows: it belongs to a counter or a histogram.
    pub(super) fn grows(&self, series: &str) -> bool {
        let name = series.split('{').next().unwrap_or_default();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        let kind = |name: &str| self.types.get(name).map(String::as_str);
        kind(name) == Some("counter") || family.and_then(kind) == Some("histogram")
    }
}
