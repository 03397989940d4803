use crate::config::{Direction, Settings};
use crate::output;
use allocation_adapters_diesel::MigrationStatus;
use anyhow::bail;

/// Runs, reverts or lists migrations.
pub(crate) fn migrate(settings: &Settings, direction: Direction) -> anyhow::Result<()> {
    // Only `up` creates a missing database.
    let store = match direction {
        Direction::Up => settings.connect()?,
        Direction::Down { .. } | Direction::Status => settings.connect_existing()?,
    };
    let migrations = store.migrations();
    match direction {
        Direction::Down { yes: false, .. } => {
            bail!("what the migrations added is lost; stop all servers, make a backup, then add --yes")
        }
        Direction::Up => output::print(&list("run", &migrations.up()?)),
        Direction::Down { steps, .. } => {
            output::print(&list("undone", &migrations.down(usize::try_from(steps.get())?)?))
        }
        Direction::Status => output::print(&table(&migrations.status()?)),
    }
}

fn list(what: &str, names: &[String]) -> String {
    if names.is_empty() {
        return "nothing to do\n".to_owned();
    }
    names.iter().map(|name| format!("{what}: {name}\n")).collect()
}

fn table(status: &MigrationStatus) -> String {
    let known = status.migrations.iter();
    let known = known.map(|(name, applied)| format!("{}: {name}\n", if *applied { "applied" } else { "pending" }));
    let unknown = status.unknown.iter().map(|version| format!("applied, but not known to this program: {version}\n"));
    known.chain(unknown).collect()
}
