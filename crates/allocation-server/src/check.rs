//! The `check` and `repair` commands, for databases whose clock may have been wrong.

use crate::config::{Repair, Settings};
use crate::output;
use allocation_adapters_diesel::{Finding, Mended, Store};
use allocation_ports::{DatabaseProbe, SchemaState};
use anyhow::bail;
use chrono::SecondsFormat;

/// Inspects the database.
///
/// # Errors
///
/// Returns an error if there are findings.
pub(crate) fn check(settings: &Settings) -> anyhow::Result<()> {
    let findings = connect(settings)?.inspect()?;
    output::print(&report(&findings))?;
    if findings.is_empty() {
        return Ok(());
    }
    bail!("something is wrong with the database; `allocation repair clock` mends instants")
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
    output::print(&mended(connect(settings)?.mend_instants()?))
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
        let latest = finding.latest.map(|latest| latest.to_rfc3339_opts(SecondsFormat::Secs, true));
        let latest = latest.map(|latest| format!(", the latest {latest}")).unwrap_or_default();
        format!("{}: {}{latest}\n", finding.what, finding.rows)
    };
    findings.iter().map(line).collect()
}

fn mended(mended: Mended) -> String {
    let Mended { products, lines, holds, batches, others } = mended;
    format!("mended: {products} products, {lines} lines, {holds} holds, {batches} batches, {others} other rows\n")
}
