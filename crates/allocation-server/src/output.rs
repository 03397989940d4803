//! Standard output.

use anyhow::Context;
use std::io::{self, ErrorKind, Write};

/// Prints a text. A closed pipe is no error: readers such as `head` stop early.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("standard output cannot be written"),
        _ => Ok(()),
    }
}
