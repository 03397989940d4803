//! The file `.env`.

use anyhow::{Context, bail};
use std::path::Path;

/// Reads `.env` in the working directory only: a file in a parent may belong to another project.
///
/// A missing file is no error. Messages never quote a line, because any line may hold a password.
pub(crate) fn read_dotenv() -> anyhow::Result<()> {
    let path = Path::new(".env");
    match dotenvy::from_path(path) {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
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
