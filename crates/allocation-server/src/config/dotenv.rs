//! The file `.env`.

use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::path::Path;

/// Reads `.env` in the working directory only: a file in a parent may belong to another project.
///
/// Returns the names of the variables that it set; those of the environment take precedence. A missing file is no
/// error. Messages never quote a line, because any line may hold a password.
pub(crate) fn read_dotenv() -> anyhow::Result<BTreeSet<String>> {
    let path = Path::new(".env");
    let Some(names) = read(path, names(path))? else { return Ok(BTreeSet::new()) };
    let set = names.into_iter().filter(|name| std::env::var_os(name).is_none()).collect();
    read(path, dotenvy::from_path(path))?;
    Ok(set)
}

fn names(path: &Path) -> dotenvy::Result<BTreeSet<String>> {
    dotenvy::from_path_iter(path)?.map(|pair| pair.map(|(name, _)| name)).collect()
}

/// Returns what was read, or `None` if there is no file.
fn read<T>(path: &Path, result: dotenvy::Result<T>) -> anyhow::Result<Option<T>> {
    match result {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.not_found() => Ok(None),
        Err(dotenvy::Error::LineParse(line, _)) => match line_number(path, &line) {
            Some(number) => bail!(".env cannot be read: line {number} is not NAME=value"),
            None => bail!(".env cannot be read: a line is not NAME=value"),
        },
        Err(error) => Err(error).context(".env cannot be read"),
    }
}

/// Returns the number, from 1, of the line that contains the start of a text.
fn line_number(path: &Path, line: &str) -> Option<usize> {
    let text = std::fs::read_to_string(path).ok()?;
    let first = line.lines().next()?;
    let place = text.lines().position(|one| one.contains(first.trim()))?;
    Some(place + 1)
}
