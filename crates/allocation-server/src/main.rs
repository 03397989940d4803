//! The program `allocation`: command line, wiring of adapters into ports, process lifecycle.
//!
//! `print!` and similar macros panic on a closed pipe and block on a stalled reader; [`output`] and [`logging`] do not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod access;
mod background;
mod backup;
mod broker;
mod build;
mod check;
mod config;
mod connections;
mod database;
mod doctor;
mod generated;
mod health;
mod https;
mod keys;
mod logging;
mod migrate;
mod oidc;
mod outbox;
mod output;
mod serve;
mod stop;
mod tls;
mod traces;

use allocation_ports::Access;
use anyhow::bail;
use check::Findings;
use config::{Cli, Command};
use logging::LogWriter;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

/// The time to flush the log before the process exits.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let Ok(log) = LogWriter::start(io::stderr()) else { return ExitCode::FAILURE };
    logging::log_panics(&log);
    let dotenv = config::read_dotenv();
    let from_dotenv = dotenv.as_ref().cloned().unwrap_or_default();
    let code = match config::parse(std::env::args_os(), &from_dotenv) {
        Ok(cli) => {
            let failure = cli.command.as_ref().map_or(1, Command::failure);
            match dotenv.and_then(|_| run(cli, &log)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    report(&error, &log);
                    if error.is::<Findings>() { ExitCode::FAILURE } else { ExitCode::from(failure) }
                }
            }
        }
        Err(error) => usage(error, &log),
    };
    log.flush(FLUSH_TIMEOUT);
    code
}

/// Writes an error and its causes in one line, even if a library formatted it in several.
fn report(error: &anyhow::Error, log: &LogWriter) {
    let line = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
    log.line(&format!("allocation: {line}"));
}

/// Shows help, or the error in the command line.
fn usage(mut error: clap::Error, log: &LogWriter) -> ExitCode {
    config::hide_values(&mut error);
    let coloured = |terminal: bool| {
        let text = error.render();
        if terminal { text.ansi().to_string() } else { text.to_string() }
    };
    if error.use_stderr() {
        log.line(coloured(io::stderr().is_terminal()).trim_end());
    } else if let Err(error) = output::print(&coloured(io::stdout().is_terminal())) {
        report(&error, log);
        return ExitCode::FAILURE;
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
}

fn run(cli: Cli, log: &LogWriter) -> anyhow::Result<()> {
    if let Some(settings) = cli.dump {
        return output::print(&settings);
    }
    let command = cli.command.unwrap_or(Command::Serve);
    if cli.settings.access() == Access::ReadOnly && command.writes() {
        bail!("this command changes the database, which --read-only or ALLOCATION_READ_ONLY forbids");
    }
    match command {
        Command::Serve => serve::serve(&cli.settings, log),
        Command::Migrate { direction } => migrate::migrate(&cli.settings, direction),
        Command::Check { json } => check::check(&cli.settings, json),
        Command::Backup { file } => backup::back_up(&cli.settings, &file),
        Command::Restore { file, yes } => backup::restore(&cli.settings, file.as_deref(), yes),
        Command::Repair { what } => check::repair(&cli.settings, what),
        Command::Outbox { action } => outbox::outbox(&cli.settings, &action),
        Command::Keys { action } => keys::keys(&cli.settings, action),
        Command::Health => health::health(&cli.settings),
        Command::Doctor => doctor::doctor(&cli.settings),
        Command::Openapi => output::print(&allocation_http::openapi_json()),
        Command::Asyncapi => output::print(&allocation_adapters_rabbitmq::asyncapi_json()),
        Command::Completions { shell } => generated::completions(shell),
        Command::Man { directory } => generated::manual(directory.as_deref()),
    }
}
