//! The effective settings and their sources, for `--dump-config`.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use std::collections::BTreeSet;
use std::ffi::OsStr;

/// What is printed instead of a secret.
const MASK: &str = "***";
/// What is printed for a setting without a value.
pub(super) const NONE: &str = "-";

/// A setting, its value, and where that comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Effective {
    name: String,
    value: String,
    source: String,
}

impl Effective {
    pub(super) fn new(name: &str, value: String, source: String) -> Self {
        Self { name: name.to_owned(), value, source }
    }
}

/// Returns the settings by name. `unset` has the values of those that are not given and have no fixed default. Settings
/// for tests are left out unless they are given.
pub(super) fn effective(
    command: &Command,
    matches: &ArgMatches,
    dotenv: &BTreeSet<String>,
    unset: &[(&str, &str)],
) -> Vec<Effective> {
    let is_setting = |argument: &&Arg| argument.is_global_set() && argument.get_id() != "dump_config";
    let given = command.get_arguments().filter(is_setting).filter_map(|it| one(it, matches, dotenv));
    let mut settings: Vec<_> = given.collect();
    for setting in settings.iter_mut().filter(|it| it.value == NONE) {
        if let Some((_, value)) = unset.iter().find(|(name, _)| *name == setting.name) {
            setting.value = (*value).to_owned();
        }
    }
    settings.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    settings
}

fn one(argument: &Arg, matches: &ArgMatches, dotenv: &BTreeSet<String>) -> Option<Effective> {
    let name = argument.get_long()?;
    let id = argument.get_id().as_str();
    let source = matches.value_source(id).unwrap_or(ValueSource::DefaultValue);
    let is_default = source == ValueSource::DefaultValue;
    if argument.is_hide_set() && is_default {
        return None;
    }
    let value = match matches.get_raw(id) {
        Some(_) if argument.is_hide_env_values_set() => MASK.to_owned(),
        Some(values) => values.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(","),
        None => NONE.to_owned(),
    };
    // A flag has no value on the command line.
    let value = if value.is_empty() { "true".to_owned() } else { value };
    let source = match source {
        ValueSource::EnvVariable => variable_source(argument.get_env()?.to_str()?, dotenv),
        _ if is_default => "default".to_owned(),
        _ => format!("--{name}"),
    };
    Some(Effective::new(name, value, source))
}

/// Returns where the value of a variable comes from.
pub(super) fn variable_source(name: &str, dotenv: &BTreeSet<String>) -> String {
    if dotenv.contains(name) { format!("{name} in .env") } else { name.to_owned() }
}

/// Returns the settings as aligned lines, and below them the variables that are none.
pub(super) fn table(settings: &[Effective], unknown: &[String]) -> String {
    let width = |of: fn(&Effective) -> &str| settings.iter().map(|it| of(it).chars().count()).max().unwrap_or(0);
    let (names, values) = (width(|it| &it.name), width(|it| &it.value));
    let lines = settings.iter().map(|it| format!("{:names$}  {:values$}  {}\n", it.name, it.value, it.source));
    let unknown = unknown.iter().map(|name| format!("{name} is not a setting\n"));
    lines.chain(unknown).collect()
}
