use crate::config::{Direction, Settings};

/// Runs, undoes or lists migrations.
pub(crate) fn migrate(settings: &Settings, direction: Direction) -> anyhow::Result<()> {
    let migrations = settings.connect()?.migrations();
    match direction {
        Direction::Up => list("run", &migrations.up()?),
        Direction::Down { steps } => list("undone", &migrations.down(usize::try_from(steps.get())?)?),
        Direction::Status => {
            let status = migrations.status()?;
            for (name, applied) in status.migrations {
                println!("{}: {name}", if applied { "applied" } else { "pending" });
            }
            for version in status.unknown {
                println!("applied, but not known to this program: {version}");
            }
        }
    }
    Ok(())
}

fn list(what: &str, names: &[String]) {
    for name in names {
        println!("{what}: {name}");
    }
    if names.is_empty() {
        println!("nothing to do");
    }
}
