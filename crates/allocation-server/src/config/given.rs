//! The settings that differ from their defaults, for the log.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// Returns the settings of the command line and the environment, as `name=value` by name. The value of a secret is
/// `***`.
pub(super) fn settings(command: &Command, matches: &ArgMatches) -> String {
    let given = command.get_arguments().filter_map(|argument| {
        let name = argument.get_long()?;
        let id = argument.get_id().as_str();
        let source = matches.value_source(id)?;
        if source == ValueSource::DefaultValue {
            return None;
        }
        if argument.is_hide_env_values_set() {
            return Some(format!("{name}=***"));
        }
        let values = matches.get_raw(id)?.map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>();
        // A value that is the default changes nothing.
        let defaults = argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned());
        let values = (!values.iter().cloned().eq(defaults)).then_some(values)?;
        Some(if values.is_empty() { name.to_owned() } else { format!("{name}={}", values.join(",")) })
    });
    let mut given: Vec<String> = given.collect();
    given.sort_unstable();
    given.join(" ")
}

/// Returns the variables that begin like settings and are none, such as misspelt ones.
pub(super) fn unknown(command: &Command, variables: impl Iterator<Item = String>) -> Vec<String> {
    let is_setting = |name: &String| {
        command.get_arguments().filter_map(|argument| argument.get_env()).any(|known| known == name.as_str())
    };
    let mut unknown: Vec<String> =
        variables.filter(|name| name.starts_with("ALLOCATION_") && !is_setting(name)).collect();
    unknown.sort_unstable();
    unknown
}

#[cfg(test)]
mod tests {
    use super::unknown;
    use crate::config::{Cli, parse};
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    fn given(arguments: &[&str]) -> String {
        let arguments = ["allocation"].iter().chain(arguments).map(Into::into);
        parse(arguments, &BTreeSet::new()).unwrap().settings.given
    }

    #[test]
    fn defaults_are_left_out_and_secrets_are_hidden() {
        let all = given(&["--read-only", "--pool-size", "9", "--database-url", "postgres://u:hunter2@h/d", "serve"]);
        assert!(all.contains("pool-size=9") && all.contains("read-only"), "{all}");
        assert!(all.contains("database-url=***") && !all.contains("hunter2"), "{all}");
        assert!(!given(&["serve", "--pool-size", "8"]).contains("pool-size"));
    }

    #[test]
    fn variables_that_are_no_settings_are_named() {
        let variables = ["ALLOCATION_POOL_SIZE", "ALLOCATION_POOLSIZE", "PATH", "ALLOCATION_ADRESS"];
        let found = unknown(&Cli::command(), variables.into_iter().map(str::to_owned));
        assert_eq!(found, ["ALLOCATION_ADRESS", "ALLOCATION_POOLSIZE"]);
    }
}
