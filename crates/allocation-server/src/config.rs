//! Configuration, parsed once and passed down.

mod address;
mod commands;
mod dotenv;
mod dump;
mod edge;
mod given;
mod keys;
mod levels;
mod oidc;
mod secret;
mod tls;
mod traces;

use crate::build::LONG_VERSION;
use allocation_adapters_diesel::{DatabaseUrl, Store};
use allocation_adapters_rabbitmq::{AmqpUrl, BrokerName};
use allocation_app::Retention;
use allocation_domain::HoldDuration;
use allocation_http::{Calendar, EdgeSettings};
use allocation_ports::Access;
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
pub(crate) use dotenv::read_dotenv;
use edge::EdgeArgs;
pub(crate) use keys::{Expiry, KeysAction};
use levels::RUST_LOG;
pub(crate) use levels::{DEFAULT_LEVELS, given_levels};
use oidc::OidcArgs;
pub(crate) use oidc::{OidcIssuer, is_secure};
pub(crate) use secret::hide_values;
use secret::{Secret, given};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use tls::TlsArgs;
pub(crate) use tls::TlsPaths;
pub(crate) use traces::TraceArgs;

/// Decides which batch of stock serves which order line.
#[derive(Debug, Parser)]
#[command(
    name = "allocation",
    version = LONG_VERSION,
    about,
    after_help = "RUST_LOG sets what is logged: a level, or levels by module, such as info,allocation=debug"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: Settings,

    /// Print the effective settings and where each comes from, without secrets, and do nothing else
    #[arg(long, global = true)]
    dump_config: bool,

    /// The settings to print instead of running the command.
    #[arg(skip)]
    pub(crate) dump: Option<String>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Returns the command line, with all settings in the help of the program alone.
pub(crate) fn command() -> clap::Command {
    commands::with_settings_listed_once(Cli::command())
}

/// Parses a command line, with the environment behind it. `dotenv` has the variables that `.env` set.
///
/// # Errors
///
/// Returns the error to show, or the help that was requested.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    dotenv: &BTreeSet<String>,
) -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let settings = commands::without_empty_variables(Cli::command(), commands::is_empty_variable);
    let mut command = commands::with_settings_listed_once(settings);
    let matches = command.try_get_matches_from_mut(&arguments).map_err(|error| match error.kind() {
        // The help names empty variables, too.
        ErrorKind::DisplayHelp => self::command().try_get_matches_from(&arguments).err().unwrap_or(error),
        _ => error,
    })?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    cli.settings.given = given::settings(&command, &matches);
    cli.settings.unknown =
        given::unknown(&Cli::command(), std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()));
    cli.dump = cli.dump_config.then(|| dumped(&cli.settings, &command, &matches, dotenv));
    Ok(cli)
}

/// Returns the effective settings as text.
fn dumped(settings: &Settings, command: &clap::Command, matches: &ArgMatches, dotenv: &BTreeSet<String>) -> String {
    let database = if settings.database_url_file.is_none() { DEFAULT_DATABASE } else { dump::NONE };
    let format = settings.log_format().to_possible_value().map_or_else(String::new, |it| it.get_name().to_owned());
    let unset = [("database-url", database), ("log-format", &*format)];
    let mut all = dump::effective(command, matches, dotenv, &unset);
    let levels = given_levels().ok().flatten();
    let source = levels.as_ref().map_or_else(|| "default".to_owned(), |_| dump::variable_source(RUST_LOG, dotenv));
    let levels = levels.unwrap_or_else(|| DEFAULT_LEVELS.to_owned());
    all.push(dump::Effective::new(RUST_LOG, levels, source));
    dump::table(&all, &settings.unknown)
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Serve the HTTP API (the default); brings the database's schema up to date first
    Serve,
    /// Migrate the database's schema, or show its state
    Migrate {
        #[command(subcommand)]
        direction: Direction,
    },
    /// Check that the server at the address is ready; for the health check of a container
    Health,
    /// Check settings, address, database, schema, rights, clock, keys and broker without changing anything; exit with 1
    /// if one of them would keep the service from working
    Doctor,
    /// Print the OpenAPI document of the HTTP API
    Openapi,
    #[command(about = "Print the AsyncAPI document of the events and commands over RabbitMQ")]
    Asyncapi,
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page of the program, or write the pages of all commands to a directory
    Man {
        /// The existing directory to write to
        directory: Option<PathBuf>,
    },
    /// Find timestamps in the future, wrong counters and contradictions; exit with 1 if there are any, with 2 if the
    /// database cannot be checked
    Check {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Repair the data that a wrong clock has left; servers may run meanwhile
    Repair {
        #[command(subcommand)]
        what: Repair,
    },
    /// Copy a SQLite database to a new file; servers may run meanwhile
    Backup {
        /// The file to write
        file: PathBuf,
    },
    /// Replace the database by a backup; stop all servers first. Events get new ids
    Restore {
        /// The backup of a SQLite database; none for a PostgreSQL database that was restored already
        file: Option<PathBuf>,
        /// Confirm: the present database is lost
        #[arg(long)]
        yes: bool,
    },
    /// Manage the keys of callers
    Keys {
        #[command(subcommand)]
        action: KeysAction,
    },
    /// Show or retry events on their way to the broker
    Outbox {
        #[command(subcommand)]
        action: OutboxAction,
    },
}

impl Command {
    /// Returns the exit code of a failure. A check that failed must not look like one that found something.
    pub(crate) const fn failure(&self) -> u8 {
        if matches!(self, Self::Check { .. }) { 2 } else { 1 }
    }

    /// Returns whether the command exists to change the database. The server serves with either access.
    pub(crate) const fn writes(&self) -> bool {
        match self {
            Self::Migrate { direction } => !matches!(direction, Direction::Status),
            Self::Repair { .. } | Self::Restore { .. } => true,
            Self::Keys { action } => !matches!(action, KeysAction::List { .. }),
            Self::Outbox { action } => matches!(action, OutboxAction::Retry { .. }),
            Self::Serve | Self::Health | Self::Doctor | Self::Check { .. } | Self::Backup { .. } => false,
            Self::Openapi | Self::Asyncapi | Self::Completions { .. } | Self::Man { .. } => false,
        }
    }
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Repair {
    /// Set timestamps in the future to the current time
    Clock {
        /// Confirm: timestamps are overwritten
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum OutboxAction {
    /// Show the progress of the relay, and the parked events with their reasons
    Status {
        /// The output format
        #[arg(long, default_value = "table")]
        format: OutputFormat,
    },
    /// Schedule parked events to be published again by the running relay
    Retry {
        /// Only the event at this position; can be repeated [default: all]
        #[arg(long = "position")]
        positions: Vec<u64>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Direction {
    /// Run all pending migrations
    Up,
    /// Revert the newest migrations and lose the data in what they added; stop all servers first
    Down {
        /// Confirm: what the migrations added is lost
        #[arg(long)]
        yes: bool,
        /// The number of migrations to revert
        #[arg(long, default_value = "1")]
        steps: NonZeroU32,
    },
    /// List the migrations and their state
    Status,
}

/// Every setting is a flag with an environment variable behind it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    #[arg(
        long,
        help = "sqlite://PATH, postgres://USER:PASSWORD@HOST/DATABASE, or memory: to try it out [default: sqlite://allocation.db]",
        global = true,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_parser = Secret::parse
    )]
    database_url: Option<Secret>,

    /// A file with the URL of the database, instead of --database-url
    #[arg(long, global = true, value_name = "FILE", env = "DATABASE_URL_FILE")]
    database_url_file: Option<PathBuf>,

    /// The address to listen on, as ADDRESS:PORT; :PORT means all addresses, and port 0 selects a free port
    #[arg(long, global = true, env = "ALLOCATION_ADDRESS", default_value = "127.0.0.1:8000", value_parser = address::parse)]
    pub(crate) address: SocketAddr,

    /// The address to serve metrics on, as ADDRESS:PORT [default: that of the API, at /metrics]
    #[arg(long, global = true, env = "ALLOCATION_METRICS_ADDRESS", value_parser = address::parse)]
    pub(crate) metrics_address: Option<SocketAddr>,

    /// Serve callers without a key on an address that other machines may reach, until the first key is created
    #[arg(long, global = true, env = "ALLOCATION_ALLOW_ANONYMOUS", value_parser = BoolishValueParser::new())]
    pub(crate) allow_anonymous: bool,

    /// The maximum number of database connections, from 2 to 1000; a broker needs three more
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_POOL_SIZE",
        default_value = "8",
        value_parser = clap::value_parser!(u32).range(2..=1000)
    )]
    pub(crate) pool_size: u32,

    /// Serve queries and events only, from a standby or another database that must not be changed: no writes,
    /// no migrations, no broker; other commands that would write are refused
    #[arg(long, global = true, env = "ALLOCATION_READ_ONLY", value_parser = BoolishValueParser::new())]
    read_only: bool,

    /// The seconds that a command may wait before it is rejected, from 1 to 60; fewer than clients wait for
    /// a response
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_MAX_COMMAND_AGE_SECONDS",
        default_value = "5",
        value_parser = clap::value_parser!(u64).range(1..=60)
    )]
    pub(crate) max_command_age_seconds: u64,

    /// The days for which events are retained, from 0 (forever) to 36500
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_RETAIN_EVENTS_DAYS",
        default_value = "30",
        value_parser = clap::value_parser!(u32).range(0..=36500)
    )]
    pub(crate) retain_events_days: u32,

    /// The seconds after a start before events are removed; for tests, which cannot wait so long
    #[arg(long, global = true, env = "ALLOCATION_RETENTION_GRACE_SECONDS", hide = true, default_value = "60")]
    retention_grace_seconds: u32,

    /// The longest hold that a request can ask for, in seconds, from 10 to 2592000 (30 days). Extensions together are
    /// limited to 30 days from the first line of the order
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_MAX_HOLD_SECONDS",
        default_value_t = HoldDuration::DAY.seconds(),
        value_parser = clap::value_parser!(u32).range(i64::from(HoldDuration::MIN)..=i64::from(HoldDuration::MAX))
    )]
    max_hold_seconds: u32,

    /// The days after which an order whose lines are all complete is moved to the archive, from 1 to 3650; none are moved
    /// unless it is set. It is still found by its id, but not listed
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_ARCHIVE_AFTER_DAYS",
        value_parser = clap::value_parser!(u32).range(1..=3650)
    )]
    archive_after_days: Option<u32>,

    /// The source of events: a URI reference, the same for all replicas
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_EVENT_SOURCE",
        default_value = "/allocation",
        value_parser = parse_source
    )]
    pub(crate) event_source: String,

    /// The IANA time zone of the stock: batches expected before the current day there are overdue
    #[arg(long, global = true, env = "ALLOCATION_TIME_ZONE", default_value = "UTC", value_parser = parse_time_zone)]
    pub(crate) time_zone: Tz,

    /// Pins the current day; for tests, which contain dates
    #[arg(long, global = true, env = "ALLOCATION_TODAY", hide = true)]
    pub(crate) today: Option<NaiveDate>,

    /// The seconds between two checks of invariants in the background, some products at a time; 0 for none
    #[arg(long, global = true, env = "ALLOCATION_CHECK_INTERVAL_SECONDS", default_value = "86400")]
    check_interval_seconds: u64,

    /// Log one of this many requests, with its status and duration; 0 logs none
    #[arg(long, global = true, env = "ALLOCATION_ACCESS_LOG", value_name = "N", default_value = "0")]
    pub(crate) access_log: u32,

    /// The format of the log [default: text on a terminal, else json]
    #[arg(long, global = true, env = "ALLOCATION_LOG_FORMAT")]
    pub(crate) log_format: Option<LogFormat>,

    /// Shifts the clock of the process by this many seconds; for tests of wrong clocks
    #[arg(long, global = true, hide = true, default_value = "0", allow_negative_numbers = true)]
    clock_offset_seconds: i32,

    #[command(flatten)]
    pub(crate) broker: BrokerSettings,

    #[command(flatten)]
    pub(crate) edge: EdgeArgs,

    #[command(flatten)]
    pub(crate) tls: TlsArgs,

    #[command(flatten)]
    pub(crate) oidc: OidcArgs,

    #[command(flatten)]
    pub(crate) traces: TraceArgs,

    /// The settings that were given, without secrets: see [`given::settings`].
    #[arg(skip)]
    pub(crate) given: String,

    /// The variables that look like settings and are none.
    #[arg(skip)]
    pub(crate) unknown: Vec<String>,
}

/// Where events go, and commands come from.
#[derive(Debug, Clone, Args)]
pub(crate) struct BrokerSettings {
    #[arg(
        long,
        help = "amqp://USER:PASSWORD@HOST:PORT/VHOST of a RabbitMQ [default: none; events are not relayed, no commands consumed]",
        global = true,
        env = "ALLOCATION_AMQP_URL",
        hide_env_values = true,
        value_parser = Secret::parse
    )]
    amqp_url: Option<Secret>,

    /// A file with the URL of the broker, instead of --amqp-url
    #[arg(long, global = true, value_name = "FILE", env = "ALLOCATION_AMQP_URL_FILE")]
    amqp_url_file: Option<PathBuf>,

    /// A PEM file with authorities to trust for amqps://, in addition to those of the system [default: none]
    #[arg(long, global = true, value_name = "FILE", env = "ALLOCATION_AMQP_CA")]
    pub(crate) amqp_ca: Option<PathBuf>,

    /// The topic exchange that events are published to
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_AMQP_EXCHANGE",
        default_value = "allocation.events",
        value_parser = BrokerName::parse
    )]
    pub(crate) amqp_exchange: BrokerName,

    /// The queue that commands are consumed from; rejected ones go to the queue with .dead appended
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_AMQP_QUEUE",
        default_value = "allocation.commands",
        value_parser = BrokerName::parse
    )]
    pub(crate) amqp_queue: BrokerName,
}

const DATABASE_URL: secret::Names =
    secret::Names { setting: "DATABASE_URL or --database-url", file: "DATABASE_URL_FILE or --database-url-file" };
const AMQP_URL: secret::Names =
    secret::Names { setting: "ALLOCATION_AMQP_URL or --amqp-url", file: "ALLOCATION_AMQP_URL_FILE or --amqp-url-file" };
/// The URL of a database in the memory of the server.
const IN_MEMORY: &str = "memory:";
/// The default database.
const DEFAULT_DATABASE: &str = "sqlite://allocation.db";

impl BrokerSettings {
    /// Returns the broker's URL, if one is set.
    pub(crate) fn url(&self) -> anyhow::Result<Option<AmqpUrl>> {
        let Some((url, source)) = given(self.amqp_url.as_ref(), self.amqp_url_file.as_deref(), AMQP_URL)? else {
            ensure!(self.amqp_ca.is_none(), "--amqp-ca needs --amqp-url");
            return Ok(None);
        };
        let url = AmqpUrl::parse(url.expose()).with_context(|| format!("check {source}"))?;
        ensure!(self.amqp_ca.is_none() || url.has_tls(), "--amqp-ca needs an amqps:// URL: check {source}");
        Ok(Some(url))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object per line, for machines
    Json,
}

/// Rejects only texts that cannot be a URI reference.
fn parse_source(text: &str) -> Result<String, &'static str> {
    let valid = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if valid { Ok(text.to_owned()) } else { Err("must be a URI reference, such as /allocation") }
}

fn parse_time_zone(text: &str) -> Result<Tz, &'static str> {
    text.parse().map_err(|_| "must be a name of the IANA time zone database, such as UTC or Europe/Berlin")
}

impl Settings {
    /// Returns the calendar of the stock's location.
    pub(crate) fn calendar(&self) -> impl Calendar + use<> {
        let (zone, today) = (self.time_zone, self.today);
        move |at: DateTime<Utc>| today.unwrap_or_else(|| at.with_timezone(&zone).date_naive())
    }

    /// Returns the clock error to simulate in tests.
    pub(crate) fn clock_offset(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.clock_offset_seconds))
    }

    /// Returns what the process may do with its database.
    pub(crate) const fn access(&self) -> Access {
        if self.read_only { Access::ReadOnly } else { Access::ReadWrite }
    }

    /// Returns the edge settings of the API.
    pub(crate) fn edge_settings(&self) -> EdgeSettings {
        EdgeSettings { is_read_only: self.read_only, ..self.edge.settings() }
    }

    /// Returns the interval between checks of invariants, if there are any.
    pub(crate) fn check_interval(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.check_interval_seconds)).filter(|interval| !interval.is_zero())
    }

    /// Returns the retention of events.
    pub(crate) fn retention(&self) -> Retention {
        let age = Some(TimeDelta::days(i64::from(self.retain_events_days))).filter(|age| !age.is_zero());
        Retention { age, grace: Duration::from_secs(u64::from(self.retention_grace_seconds)) }
    }

    /// Returns the longest hold that a request can ask for.
    pub(crate) fn longest_hold(&self) -> HoldDuration {
        HoldDuration::from_seconds(self.max_hold_seconds).unwrap_or(HoldDuration::DAY)
    }

    /// Returns after which time orders are archived, if they are.
    pub(crate) fn archive_after(&self) -> Option<TimeDelta> {
        self.archive_after_days.map(|days| TimeDelta::days(i64::from(days)))
    }

    /// Returns the database's URL as it was given, and the name of its setting.
    fn given_database_url(&self) -> anyhow::Result<(Secret, &'static str)> {
        let given = given(self.database_url.as_ref(), self.database_url_file.as_deref(), DATABASE_URL)?;
        Ok(given.unwrap_or_else(|| (Secret::new(DEFAULT_DATABASE), DATABASE_URL.setting)))
    }

    /// Returns whether the server keeps its data in memory.
    pub(crate) fn is_in_memory(&self) -> anyhow::Result<bool> {
        Ok(self.given_database_url()?.0.expose() == IN_MEMORY)
    }

    /// Returns the database's URL, and the name of its setting.
    pub(crate) fn database_url(&self) -> anyhow::Result<(DatabaseUrl, &'static str)> {
        let (url, source) = self.given_database_url()?;
        if url.expose() == IN_MEMORY {
            bail!("only the server itself can use a database in memory; check {source}");
        }
        let url = DatabaseUrl::parse(url.expose()).with_context(|| format!("check {source}"))?;
        Ok((url, source))
    }

    /// Connects to an existing database; a missing SQLite file is an error.
    pub(crate) fn connect_existing(&self) -> anyhow::Result<Store> {
        let (url, source) = self.database_url()?;
        if url.is_missing_file() {
            bail!("there is no database {url}; check {source}");
        }
        match self.access() {
            Access::ReadWrite => self.connect(),
            Access::ReadOnly => self.connect_read_only(),
        }
    }

    pub(crate) fn connect(&self) -> anyhow::Result<Store> {
        self.connect_with(0)
    }

    /// Connects with `more` connections in addition to the configured pool.
    pub(crate) fn connect_with(&self, more: u32) -> anyhow::Result<Store> {
        let (url, source) = self.database_url()?;
        Store::connect(&url, self.pool_size + more).with_context(|| format!("check {source}"))
    }

    /// Connects to an existing database only for reads.
    pub(crate) fn connect_read_only(&self) -> anyhow::Result<Store> {
        if self.is_in_memory()? {
            bail!("a read-only server cannot use a database in memory; use a SQLite file or a PostgreSQL database");
        }
        let (url, source) = self.database_url()?;
        Store::connect_read_only(&url, self.pool_size).with_context(|| format!("check {source}"))
    }

    pub(crate) fn log_format(&self) -> LogFormat {
        self.log_format
            .unwrap_or_else(|| if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_depends_on_the_time_zone() {
        let calendar = |arguments: &[&str]| {
            let arguments = ["allocation"].iter().chain(arguments);
            Cli::try_parse_from(arguments).unwrap().settings.calendar()
        };
        let midnight: DateTime<Utc> = "2027-01-15T23:30:00Z".parse().unwrap();
        let day = |arguments: &[&str]| calendar(arguments).day_of(midnight).to_string();
        assert_eq!(day(&[]), "2027-01-15");
        assert_eq!(day(&["--time-zone", "Europe/Berlin"]), "2027-01-16");
        assert_eq!(day(&["--time-zone", "America/New_York"]), "2027-01-15");
        assert_eq!(day(&["--today", "2026-12-01"]), "2026-12-01");
        // Daylight saving time begins at 01:00 UTC, when local time jumps to 03:00.
        let summer = "2027-03-28T22:30:00Z".parse().unwrap();
        assert_eq!(calendar(&["--time-zone", "Europe/Berlin"]).day_of(summer).to_string(), "2027-03-29");
        assert!(Cli::try_parse_from(["allocation", "--time-zone", "Mars/Base"]).is_err());
    }
}
