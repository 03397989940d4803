//! Settings that may hold a password, which no message quotes.

use anyhow::{Context, bail, ensure};
use clap::error::{ContextKind, ContextValue};
use std::convert::Infallible;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The maximum length of a file with a URL, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1_024;

/// A text that may hold a password. It accepts any argument, because clap would quote a rejected one.
#[derive(Clone)]
pub(crate) struct Secret(String);

/// The names of a setting and its file in messages.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) setting: &'static str,
    pub(super) file: &'static str,
}

impl Secret {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    // clap requires a result.
    #[expect(clippy::unnecessary_wraps, reason = "it is never wrong here")]
    pub(super) fn parse(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Reads a file, without trailing line breaks.
    fn read(path: &Path) -> anyhow::Result<Self> {
        let mut text = String::new();
        File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
        ensure!(u64::try_from(text.len())? <= MAX_FILE_BYTES, "it is longer than {MAX_FILE_BYTES} bytes");
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
        ensure!(!text.is_empty(), "it is empty");
        Ok(Self(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Returns a secret from its setting or its file, and the name of the source.
///
/// # Errors
///
/// Returns an error if both are set, or if the file cannot be read.
pub(super) fn given(
    secret: Option<&Secret>,
    file: Option<&Path>,
    names: Names,
) -> anyhow::Result<Option<(Secret, &'static str)>> {
    match (secret, file) {
        (Some(_), Some(_)) => bail!("give either {} or {}, not both", names.setting, names.file),
        (Some(secret), None) => Ok(Some((secret.clone(), names.setting))),
        (None, Some(path)) => {
            if looks_like_secret(&path.to_string_lossy()) {
                bail!("{} names a file, not a URL", names.file);
            }
            let read = Secret::read(path).with_context(|| format!("{} cannot be read", path.display()));
            Ok(Some((read.with_context(|| format!("check {}", names.file))?, names.file)))
        }
        (None, None) => Ok(None),
    }
}

/// Returns whether a text may be a key, or a URL with a password, where none belongs.
fn looks_like_secret(text: &str) -> bool {
    text.contains("://") || text.contains('@') || text.contains("alloc_")
}

/// Removes URLs and keys from an error of clap, which would quote a misplaced one with its secret.
pub(crate) fn hide_values(error: &mut clap::Error) {
    const QUOTED: [ContextKind; 4] =
        [ContextKind::InvalidArg, ContextKind::InvalidSubcommand, ContextKind::InvalidValue, ContextKind::PriorArg];
    let is_secret = |value: &ContextValue| looks_like_secret(&value.to_string());
    let hidden: Vec<_> = QUOTED.into_iter().filter(|kind| error.get(*kind).is_some_and(is_secret)).collect();
    for kind in &hidden {
        error.insert(*kind, ContextValue::String("***".to_owned()));
    }
    if !hidden.is_empty() {
        // Suggestions repeat the value.
        error.remove(ContextKind::Suggested);
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::SuggestedSubcommand);
        error.remove(ContextKind::SuggestedValue);
    }
}
