//! The program `allocation`: command line, wiring of adapters into ports, life of the process.

mod broker;
mod config;
mod logging;
mod migrate;
mod outbox;
mod serve;
mod stop;

use clap::Parser;
use config::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Of the working directory alone: a file further up may be about something else.
    let dotenv = dotenvy::from_path(".env");
    let cli = Cli::parse();
    match config::check_dotenv(dotenv).and_then(|()| run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, causes included, whatever lines a library broke it into.
            let line = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
            eprintln!("allocation: {line}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(&cli.settings),
        Command::Migrate { direction } => migrate::migrate(&cli.settings, direction),
        Command::Outbox { action } => outbox::outbox(&cli.settings, &action),
        Command::Openapi => {
            print!("{}", allocation_http::openapi_json());
            Ok(())
        }
    }
}
