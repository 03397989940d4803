//! Shell completions and manual pages, generated from the command line.

use crate::{config, output};
use anyhow::Context;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use std::path::Path;

/// Prints the completions of a shell.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut command = without_hidden(&config::command());
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "allocation", &mut script);
    output::print(&String::from_utf8(script)?)
}

/// Returns a command without its hidden arguments, which completions would offer.
fn without_hidden(command: &Command) -> Command {
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set()).cloned();
    let visible = Command::new(command.get_name().to_owned())
        .args(arguments)
        .subcommands(command.get_subcommands().filter(|command| !command.is_hide_set()).map(without_hidden));
    let visible = match command.get_version() {
        Some(version) => visible.version(version.to_owned()),
        None => visible,
    };
    match command.get_about() {
        Some(about) => visible.about(about.clone()),
        None => visible,
    }
}

/// Prints the manual page of the program, or writes the pages of all commands to a directory.
pub(crate) fn manual(directory: Option<&Path>) -> anyhow::Result<()> {
    let Some(directory) = directory else {
        let mut page = Vec::new();
        Man::new(config::command().disable_help_subcommand(true)).render(&mut page)?;
        return output::print(&String::from_utf8(page)?);
    };
    clap_mangen::generate_to(config::command(), directory)
        .with_context(|| format!("the manual pages cannot be written to {}", directory.display()))
}
