//! The commands `backup` and `restore`.

use crate::config::Settings;
use crate::output;
use allocation_adapters_diesel::DatabaseUrl;
use allocation_ports::LogBounds;
use anyhow::{Context, bail};
use std::path::Path;

/// Writes a copy of the database to a new file, while servers run.
pub(crate) fn back_up(settings: &Settings, file: &Path) -> anyhow::Result<()> {
    settings.connect_existing()?.back_up(file).context("no backup was written")?;
    output::print(&format!("backup: {}\n", file.display()))
}

/// Replaces a SQLite database by a backup, or completes the restore of a PostgreSQL database. Events get new ids.
pub(crate) fn restore(settings: &Settings, file: Option<&Path>, yes: bool) -> anyhow::Result<()> {
    if !yes {
        bail!("the database is replaced, and its events get new ids; stop all servers, then add --yes");
    }
    let url = settings.database_url()?.0;
    let bounds = match (&url, file) {
        (DatabaseUrl::Sqlite(_), Some(file)) => allocation_adapters_diesel::restore(file, &url),
        (DatabaseUrl::Postgres(_), None) => settings.connect_existing()?.renumber_events(),
        (DatabaseUrl::Sqlite(_), None) => bail!("name the file of the backup"),
        (DatabaseUrl::Postgres(_), Some(_)) => {
            bail!("restore a PostgreSQL database with pg_restore, then run `allocation restore --yes` without a file")
        }
    };
    output::print(&restored(bounds.context("nothing was restored")?))
}

fn restored(LogBounds { oldest, last }: LogBounds) -> String {
    if oldest > last {
        return format!("restored; there are no events, and the next has the id {oldest}\n");
    }
    format!("restored; the ids of events are now {oldest} to {last}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_without_events_has_no_range() {
        let shown = |oldest, last| restored(LogBounds { oldest, last });
        assert!(shown(1_001, 1_000).contains("no events, and the next has the id 1001"));
        assert!(shown(1_001, 1_001).contains("1001 to 1001"));
    }
}
