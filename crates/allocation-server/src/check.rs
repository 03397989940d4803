//! The commands `check` and `repair`.

use crate::config::{Repair, Settings};
use crate::output;
use allocation_adapters_diesel::{Finding, Inspection, Mended, Store};
use allocation_ports::{DatabaseProbe, SchemaState};
use anyhow::bail;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use std::error::Error;
use std::fmt;
use std::time::Instant;

/// Inspects the database.
///
/// # Errors
///
/// Returns [`Findings`] if there are any, and another error if the database cannot be inspected.
pub(crate) fn check(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let begun = Instant::now();
    let Inspection { findings, products } = connect(settings)?.inspect(settings.longest_hold())?;
    if json {
        let report = Report {
            ok: findings.is_empty(),
            products,
            duration_seconds: begun.elapsed().as_secs_f64(),
            findings: findings.iter().map(Fault::from).collect(),
        };
        output::print(&format!("{}\n", serde_json::to_string(&report)?))?;
    } else {
        output::print(&report(&findings))?;
    }
    if findings.is_empty() { Ok(()) } else { Err(Findings.into()) }
}

/// The database was checked, and something is wrong with it.
#[derive(Debug)]
pub(crate) struct Findings;

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something is wrong with the database; `allocation repair clock` mends instants")
    }
}

impl Error for Findings {}

/// The result as JSON.
#[derive(Serialize)]
struct Report {
    ok: bool,
    products: u64,
    duration_seconds: f64,
    findings: Vec<Fault>,
}

#[derive(Serialize)]
struct Fault {
    what: &'static str,
    rows: u64,
    /// The latest instant in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<String>,
}

impl From<&Finding> for Fault {
    fn from(&Finding { what, rows, latest }: &Finding) -> Self {
        Self { what, rows, latest: latest.map(displayed) }
    }
}

fn displayed(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Brings instants in the future back to now.
pub(crate) fn repair(settings: &Settings, what: Repair) -> anyhow::Result<()> {
    let Repair::Clock { yes } = what;
    if !yes {
        bail!(
            "instants that lie in the future are written over; make sure that the clock of the database is right, \
             look at `allocation check`, then add --yes"
        );
    }
    output::print(&mended(connect(settings)?.mend_instants(settings.longest_hold())?))
}

/// Connects to a database whose schema is current.
fn connect(settings: &Settings) -> anyhow::Result<Store> {
    let store = settings.connect_existing()?;
    if store.schema()? != SchemaState::Current {
        bail!("the schema of the database is not that of this program; see `allocation migrate status`");
    }
    Ok(store)
}

fn report(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "nothing is wrong\n".to_owned();
    }
    let line = |finding: &Finding| {
        let latest = finding.latest.map(|latest| format!(", the latest {}", displayed(latest))).unwrap_or_default();
        format!("{}: {}{latest}\n", finding.what, finding.rows)
    };
    findings.iter().map(line).collect()
}

fn mended(mended: Mended) -> String {
    let Mended { products, lines, holds, batches, others } = mended;
    format!("mended: {products} products, {lines} lines, {holds} holds, {batches} batches, {others} other rows\n")
}
