//! The file `.env`.

use anyhow::{Context, bail};
use std::path::Path;

/// Reads `.env` in the working directory alone: a file further up may be about something else. None at all is
/// no error; one that cannot be read is, and none of its lines is quoted, as any may hold a password.
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

/// The number of the line that holds this text, which may be a line or the rest of one, from 1.
fn line_number(path: &Path, line: &str) -> Option<usize> {
    let text = std::fs::read_to_string(path).ok()?;
    let first = line.lines().next()?;
    let place = text.lines().position(|one| one.contains(first.trim()))?;
    Some(place + 1)
}
