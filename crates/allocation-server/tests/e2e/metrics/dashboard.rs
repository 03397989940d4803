//! The dashboard shows metrics that exist.

use super::{OF_SOME, complete, trade, with_relay};
use crate::support::{Server, TestDatabase};
use serde_json::Value;
use std::collections::BTreeSet;

const DASHBOARD: &str = include_str!("../../../../../deploy/grafana/allocation.json");
const RULES: &str = include_str!("../../../../../deploy/prometheus/alerts.yml");

/// Returns the names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    let ours = |word: &&str| {
        ["allocation_", "http_server_", "process_"].iter().any(|prefix| word.starts_with(prefix))
            && *word != "allocation_"
    };
    words.filter(ours).map(str::to_owned).collect()
}

/// Returns the queries of a dashboard.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("expr").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| queries(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_and_the_alerts_name_metrics_that_exist() {
    let database = TestDatabase::postgres();
    let server = Server::start_with(&database, with_relay);
    let client = server.client();
    trade(&client);
    let mut existing = complete(&client).names();
    existing.extend(OF_SOME.map(str::to_owned));

    let mut asked = Vec::new();
    queries(&serde_json::from_str(DASHBOARD).unwrap(), &mut asked);
    assert!(asked.len() > 20, "{asked:?}");
    let rules =
        RULES.lines().filter(|line| !line.trim_start().starts_with('#')).filter(|line| !line.contains("action:"));
    asked.extend(rules.map(str::to_owned));
    let asked: BTreeSet<String> = asked.iter().flat_map(|query| names(query)).collect();
    let unknown: Vec<&String> = asked.difference(&existing).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
