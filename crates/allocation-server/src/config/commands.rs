//! The command line as clap sees it: the derived one, adapted to the environment and to readers of `--help`.

use clap::{Arg, Command};
use std::ffi::OsStr;

/// What the help of a subcommand says instead of repeating all settings.
const SETTINGS: &str = "Settings such as --database-url apply here, too; `allocation --help` lists them";

/// Treats empty variables as unset.
pub(super) fn without_empty_variables(command: Command, is_empty: impl Fn(&OsStr) -> bool) -> Command {
    command.mut_args(|argument| match argument.get_env() {
        Some(name) if is_empty(name) => argument.env(None::<&'static str>),
        _ => argument,
    })
}

/// Returns whether a variable is set, but to nothing.
pub(crate) fn is_empty_variable(name: &OsStr) -> bool {
    std::env::var_os(name).is_some_and(|value| value.is_empty())
}

/// Lists the settings in the help of the program alone. Every subcommand still accepts them.
pub(crate) fn with_settings_listed_once(command: Command) -> Command {
    let hidden: Vec<Arg> = command.get_arguments().filter(|it| it.is_global_set()).cloned().collect();
    let hidden: Vec<Arg> = hidden.into_iter().map(|argument| argument.hide(true)).collect();
    command.mut_subcommands(|subcommand| hide(subcommand, &hidden))
}

fn hide(command: Command, hidden: &[Arg]) -> Command {
    command.args(hidden.to_vec()).after_help(SETTINGS).mut_subcommands(|subcommand| hide(subcommand, hidden))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Cli;
    use clap::{CommandFactory, FromArgMatches};

    #[test]
    fn an_empty_variable_is_no_setting() {
        let settings: Vec<_> = Cli::command().get_arguments().filter_map(Arg::get_env).map(OsStr::to_owned).collect();
        let command = without_empty_variables(Cli::command(), |name| name != "ALLOCATION_ADDRESS");
        let left: Vec<_> = command.get_arguments().filter_map(Arg::get_env).collect();
        assert_eq!(left, ["ALLOCATION_ADDRESS"]);
        assert!(settings.len() > 20);
    }

    #[test]
    fn settings_are_listed_once_and_accepted_everywhere() {
        let mut command = with_settings_listed_once(Cli::command());
        command.build();
        let mut pending = vec![&command];
        let mut subcommands = 0;
        while let Some(one) = pending.pop() {
            pending.extend(one.get_subcommands().filter(|it| it.get_name() != "help"));
            let help = one.clone().render_long_help().to_string();
            let is_root = one.get_name() == "allocation";
            assert_eq!(help.contains("--pool-size <"), is_root, "{help}");
            assert_eq!(help.contains("`allocation --help`"), !is_root, "{help}");
            subcommands += 1;
        }
        assert!(subcommands > 15, "{subcommands}");
        for arguments in [
            ["allocation", "--pool-size", "9", "outbox", "status"],
            ["allocation", "outbox", "--pool-size", "9", "status"],
            ["allocation", "outbox", "status", "--pool-size", "9"],
        ] {
            let matches = with_settings_listed_once(Cli::command()).get_matches_from(arguments);
            assert_eq!(Cli::from_arg_matches(&matches).unwrap().settings.pool_size, 9);
        }
    }
}
