//! The command `doctor`: what would keep the service from working, found out without changing anything.

mod checks;

use crate::config::Settings;
use crate::output;
use anyhow::bail;
use std::fmt;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The time limit of a check, above the limits of the connections that it opens.
const LIMIT: Duration = Duration::from_secs(20);

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The service works, as far as this is concerned.
    Good(String),
    /// The service works, but perhaps not as intended.
    Note(String),
    /// The service does not work.
    Bad(String),
}

/// The line of a check.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    subject: &'static str,
    verdict: Verdict,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, text) = match &self.verdict {
            Verdict::Good(text) => ("ok", text),
            Verdict::Note(text) => ("note", text),
            Verdict::Bad(text) => ("FAIL", text),
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(f, "{mark:4}  {:8}  {text}", self.subject)
    }
}

/// A check, and the subject that its line begins with if it does not end in time.
type Check = (&'static str, fn(&Settings) -> Vec<Line>);

const CHECKS: [Check; 5] = [
    ("settings", checks::settings),
    ("address", checks::address),
    ("database", checks::database),
    ("issuer", checks::issuer),
    ("broker", checks::broker),
];

/// Prints a line for each check as soon as it is known.
///
/// # Errors
///
/// Returns an error if something would keep the service from working.
pub(crate) fn doctor(settings: &Settings) -> anyhow::Result<()> {
    let mut bad = 0;
    for (subject, check) in CHECKS {
        for line in within(LIMIT, subject, settings, check) {
            bad += usize::from(matches!(line.verdict, Verdict::Bad(_)));
            output::print(&line.to_string())?;
        }
    }
    match bad {
        0 => Ok(()),
        1 => bail!("one check failed"),
        _ => bail!("{bad} checks failed"),
    }
}

/// Runs a check in a thread, which is left behind if it takes too long: name resolution, for example, has no limit.
fn within(limit: Duration, subject: &'static str, settings: &Settings, check: fn(&Settings) -> Vec<Line>) -> Vec<Line> {
    let (sender, receiver) = mpsc::channel();
    let settings = settings.clone();
    let failed = |text: String| vec![Line { subject, verdict: Verdict::Bad(text) }];
    let started = thread::Builder::new().name(subject.to_owned()).spawn(move || sender.send(check(&settings)));
    if let Err(error) = started {
        return failed(format!("the system starts no thread: {error}"));
    }
    receiver.recv_timeout(limit).unwrap_or_else(|_| failed(format!("no result within {} s", limit.as_secs())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Cli;
    use clap::Parser;

    #[test]
    fn a_check_that_does_not_end_fails() {
        let settings = Cli::try_parse_from(["allocation"]).unwrap().settings;
        let endless = |_: &Settings| loop {
            thread::park();
        };
        let lines = within(Duration::from_millis(1), "database", &settings, endless);
        assert_eq!(lines[0].to_string(), "FAIL  database  no result within 0 s\n");
    }
}
