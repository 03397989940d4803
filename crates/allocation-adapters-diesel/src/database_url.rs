//! The URL of the database.

use percent_encoding::percent_decode_str;
use std::fmt;
use std::path::{Path, PathBuf};

/// The address of a database, parsed from a URL.
///
/// `Debug` and `Display` never show a password.
///
/// ```
/// use allocation_adapters_diesel::DatabaseUrl;
///
/// assert_eq!(DatabaseUrl::parse("sqlite://data/stock.db")?.to_string(), "sqlite://data/stock.db");
/// let url = DatabaseUrl::parse("postgres://clerk:secret@db.example:5432/stock")?;
/// assert_eq!(url.to_string(), "postgres://db.example:5432/stock");
/// # Ok::<(), allocation_adapters_diesel::DatabaseUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file: `sqlite://path` is relative to the working directory, `sqlite:///path` is absolute.
    Sqlite(PathBuf),
    /// A server: `postgres://` or `postgresql://`, with everything that libpq supports.
    Postgres(PostgresUrl),
}

/// The URL of a PostgreSQL database, in libpq's format. It may name several hosts, which libpq tries in
/// order, and `target_session_attrs`.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// The reason why a text is not a [`DatabaseUrl`]. It never quotes the text, which may contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// The scheme is missing or names another database.
    #[error("must begin with sqlite:// or postgres://")]
    UnknownScheme,
    /// The path after `sqlite://` is empty.
    #[error("must name a file after sqlite://")]
    NoPath,
    /// The URL names an in-memory SQLite database, which each connection would have to itself.
    #[error("must name a file; SQLite in memory is not supported")]
    InMemory,
    /// The SQLite URL contains `?` or `#`.
    #[error("must be a plain path after sqlite://, without ? or #")]
    SqliteOptions,
    /// The URL contains a zero byte.
    #[error("must not hold a zero byte")]
    ZeroByte,
    /// The port is not a number.
    #[error("must have a number as port; percent-encode : / ? # @ in a user name or password")]
    Port,
    /// An `@` is misplaced, so that libpq would mistake a part of the password for something else.
    #[error("must have one @ at most, before the host; percent-encode : / ? # @ in a user name or password")]
    At,
    /// A `%` is not followed by two hexadecimal digits, or encodes a zero byte.
    #[error("must have two hexadecimal digits after each %, and not 00; a % itself is %25")]
    Percent,
    /// An IPv6 address has an unclosed bracket or is empty.
    #[error("must have an IPv6 address in brackets, as in postgres://[::1]:5432/DATABASE")]
    Brackets,
    /// The options are not `NAME=VALUE&NAME=VALUE`.
    #[error("must have options such as ?sslmode=require&connect_timeout=3 at its end")]
    Options,
}

impl DatabaseUrl {
    /// Returns whether this is a file that does not exist, which a connection would create.
    #[must_use]
    pub fn is_missing_file(&self) -> bool {
        match self {
            Self::Sqlite(path) => !path.exists(),
            Self::Postgres(_) => false,
        }
    }

    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// Returns [`DatabaseUrlError`] if the URL is not valid.
    pub fn parse(url: &str) -> Result<Self, DatabaseUrlError> {
        if url.contains('\0') {
            return Err(DatabaseUrlError::ZeroByte);
        }
        match url.split_once("://") {
            Some(("sqlite", path)) => parse_path(path).map(Self::Sqlite),
            Some(("postgres" | "postgresql", rest)) => {
                check_postgres(rest)?;
                Ok(Self::Postgres(PostgresUrl(url.to_owned())))
            }
            _ => Err(DatabaseUrlError::UnknownScheme),
        }
    }
}

fn parse_path(path: &str) -> Result<PathBuf, DatabaseUrlError> {
    if path.is_empty() {
        return Err(DatabaseUrlError::NoPath);
    }
    if path.starts_with(':') || path.contains("mode=memory") {
        return Err(DatabaseUrlError::InMemory);
    }
    if path.contains(['?', '#']) {
        return Err(DatabaseUrlError::SqliteOptions);
    }
    Ok(PathBuf::from(path))
}

/// Rejects a URL that libpq would reject or misread. Errors of libpq quote the text, which may be a
/// password that was not percent-encoded.
fn check_postgres(rest: &str) -> Result<(), DatabaseUrlError> {
    let (address, options) = rest.split_once('?').map_or((rest, None), |(address, options)| (address, Some(options)));
    let (authority, database) = address.split_once('/').unwrap_or((address, ""));
    check_hosts(authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts))?;
    if authority.matches('@').count() > 1 || database.contains('@') {
        return Err(DatabaseUrlError::At);
    }
    if options.is_some_and(|options| !options.split('&').all(is_option)) {
        return Err(DatabaseUrlError::Options);
    }
    if is_percent_encoded(rest) { Ok(()) } else { Err(DatabaseUrlError::Percent) }
}

fn check_hosts(hosts: &str) -> Result<(), DatabaseUrlError> {
    for host in hosts.split(',') {
        let after_address = match host.strip_prefix('[') {
            Some(address) => match address.split_once(']') {
                Some((address, port)) if !address.is_empty() && (port.is_empty() || port.starts_with(':')) => port,
                _ => return Err(DatabaseUrlError::Brackets),
            },
            None => host,
        };
        let port = after_address.split_once(':').map_or("", |(_, port)| port);
        if !port.chars().all(|c| c.is_ascii_digit()) {
            return Err(DatabaseUrlError::Port);
        }
    }
    Ok(())
}

/// Returns whether libpq can separate the name of an option from its value.
fn is_option(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, value)| !name.is_empty() && !value.contains('='))
}

fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2).unwrap_or_default();
        digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit) && digits != b"00"
    })
}

impl PostgresUrl {
    /// Returns the URL with its password, and with timeouts for a silent server unless the URL sets them.
    pub(crate) fn with_timeouts(&self) -> String {
        const TIMEOUTS: [(&str, u32); 5] = [
            ("connect_timeout", 3),
            ("keepalives_idle", 10),
            ("keepalives_interval", 5),
            ("keepalives_count", 3),
            ("tcp_user_timeout", 15_000),
        ];
        let mut url = self.0.clone();
        for (name, value) in TIMEOUTS {
            if !self.options().any(|(set, _)| set == name) {
                let separator = if url.contains('?') { '&' } else { '?' };
                url.push_str(&format!("{separator}{name}={value}"));
            }
        }
        url
    }

    /// Returns the ports that a connection may use.
    pub(crate) fn ports(&self) -> Vec<u16> {
        const DEFAULT: u16 = 5432;
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts).split(',');
        let named = hosts.filter_map(|host| host.rsplit_once(':')).map(|(_, port)| port);
        let options = self.options().filter(|(name, _)| *name == "port").flat_map(|(_, ports)| ports.split(','));
        let environment = std::env::var("PGPORT").ok();
        let ports = named.chain(options).chain(environment.as_deref()).filter_map(|port| port.parse().ok());
        ports.chain([DEFAULT]).collect()
    }

    /// Returns the options after the question mark, undecoded.
    fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        let options = self.0.split_once('?').map_or("", |(_, options)| options);
        options.split('&').filter_map(|option| option.split_once('='))
    }

    /// Removes secrets and quoted parts of the URL from a message of libpq.
    ///
    /// It removes every secret. Quoted parts stay only in a message about a connection attempt; in others,
    /// they come from the URL itself.
    pub(crate) fn without_secrets(&self, message: &str) -> String {
        let mut message = message.to_owned();
        for secret in self.secrets() {
            message = message.replace(&secret, "***");
        }
        if message.contains("connection to server") || message.contains("could not translate host name") {
            return message;
        }
        let parts = message.split('"').enumerate();
        parts.map(|(index, part)| if index % 2 == 0 { part } else { "***" }).collect::<Vec<_>>().join("\"")
    }

    /// Returns the passwords in the URL, both undecoded and decoded.
    fn secrets(&self) -> Vec<String> {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let login = authority.split_once('@').map_or("", |(login, _)| login);
        let password = login.split_once(':').map(|(_, password)| password);
        let is_secret = |name: &str| name.contains("pass") || name.contains("secret");
        let options = self.options().filter(|(name, _)| is_secret(name)).map(|(_, value)| value);
        let mut secrets = Vec::new();
        for secret in password.into_iter().chain(options).filter(|secret| !secret.is_empty()) {
            secrets.push(secret.to_owned());
            secrets.push(percent_decode_str(secret).decode_utf8_lossy().into_owned());
        }
        secrets
    }

    /// Returns host, port and database, without user, password and options.
    fn location(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let (location, options) = rest.split_once('?').unwrap_or((rest, ""));
        match location.rsplit_once('@') {
            Some((_, location)) => location,
            // The password contains a question mark, so the host cannot be shown safely.
            None if options.contains('@') => "***",
            None => location,
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The path contains a user and a password, meant for another scheme.
            Self::Sqlite(path) if path.to_string_lossy().contains('@') => f.write_str("sqlite://***"),
            Self::Sqlite(path) => write!(f, "sqlite://{}", Path::display(path)),
            Self::Postgres(url) => write!(f, "postgres://{}", url.location()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({})", self.location())
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(url: &str) -> Result<Self, DatabaseUrlError> {
        Self::parse(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_url_names_a_relative_or_an_absolute_file() {
        assert_eq!(DatabaseUrl::parse("sqlite://stock.db"), Ok(DatabaseUrl::Sqlite("stock.db".into())));
        assert_eq!(DatabaseUrl::parse("sqlite:///var/stock.db"), Ok(DatabaseUrl::Sqlite("/var/stock.db".into())));
    }

    #[test]
    fn a_sqlite_url_without_a_file_is_rejected() {
        assert_eq!(DatabaseUrl::parse("sqlite://"), Err(DatabaseUrlError::NoPath));
        for url in ["sqlite://:memory:", "sqlite://file:x?mode=memory", "sqlite://x?mode=memory&cache=shared"] {
            assert_eq!(DatabaseUrl::parse(url), Err(DatabaseUrlError::InMemory), "{url}");
        }
        assert_eq!(DatabaseUrl::parse("sqlite://stock.db?mode=rwc"), Err(DatabaseUrlError::SqliteOptions));
        assert_eq!(DatabaseUrl::parse("sqlite://a\0b"), Err(DatabaseUrlError::ZeroByte));
    }

    #[test]
    fn other_databases_are_rejected() {
        for url in ["", "stock.db", "sqlite:stock.db", "mysql://localhost/stock", "postgres:stock", "SQLITE://x"] {
            assert_eq!(DatabaseUrl::parse(url), Err(DatabaseUrlError::UnknownScheme), "{url}");
        }
    }

    #[test]
    fn every_url_that_libpq_understands_is_accepted() {
        for url in [
            "postgres://localhost",
            "postgresql://clerk:pass%2Fword@db:5432/stock?sslmode=require",
            "postgres://a:1,b:2,c/stock",
            "postgres://clerk@[::1]:5432/stock",
            "postgres://%2Fvar%2Frun/stock",
            "postgres:///stock?host=/var/run",
            "postgres://clerk:pass%2Fword@a:1,[::1]:2,c/stock?target_session_attrs=read-write&sslmode=require",
        ] {
            assert!(DatabaseUrl::parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn an_unencoded_password_is_rejected_and_not_quoted() {
        assert_eq!(DatabaseUrl::parse("postgres://clerk:pa/ss@db/stock"), Err(DatabaseUrlError::Port));
        assert_eq!(DatabaseUrl::parse("postgres://clerk:pa?ss@db/stock"), Err(DatabaseUrlError::Port));
        for (url, error) in [
            ("postgres://clerk:pa@ss@db/stock", DatabaseUrlError::At),
            ("postgres://clerk:12/ss@db/stock", DatabaseUrlError::At),
            ("postgres://clerk:12?ss@db/stock", DatabaseUrlError::Options),
            ("postgres://db/stock?hunter2", DatabaseUrlError::Options),
            ("postgres://db/stock?password=hunter=2", DatabaseUrlError::Options),
            ("postgres://db/stock?=hunter2", DatabaseUrlError::Options),
            ("postgres://db/stock?sslmode=require&", DatabaseUrlError::Options),
            ("postgres://clerk:hunter%2@db/stock", DatabaseUrlError::Percent),
            ("postgres://clerk:hunter2%@db/stock", DatabaseUrlError::Percent),
            ("postgres://clerk:hunter%002@db/stock", DatabaseUrlError::Percent),
            ("postgres://clerk:hunter2@[::1/stock", DatabaseUrlError::Brackets),
            ("postgres://clerk:hunter2@[]/stock", DatabaseUrlError::Brackets),
            ("postgres://clerk:hunter2@[::1]x/stock", DatabaseUrlError::Brackets),
        ] {
            assert_eq!(DatabaseUrl::parse(url), Err(error), "{url}");
            assert!(!error.to_string().contains("hunter"), "{error}");
        }
    }

    fn postgres(url: &str) -> PostgresUrl {
        match DatabaseUrl::parse(url).unwrap() {
            DatabaseUrl::Postgres(url) => url,
            DatabaseUrl::Sqlite(_) => panic!("not PostgreSQL"),
        }
    }

    #[test]
    fn a_message_of_libpq_loses_every_secret() {
        let url = postgres("postgres://clerk:hunter%32@db/stock?sslpassword=swordfish&sslmode=prefer");
        for message in [
            "connection to server at \"db\", port 5432 failed: FATAL: no hunter2 for \"clerk\"",
            "connection to server at \"db\", port 5432 failed: hunter%32 swordfish",
            "invalid sslmode value: \"hunter2\"",
            "invalid URI query parameter: \"hunter\"",
            "an unfinished \"hunter",
        ] {
            let shown = url.without_secrets(message);
            assert!(!shown.contains("hunter") && !shown.contains("swordfish"), "{shown}");
        }
        let message = "could not translate host name \"db\" to address: Name or service not known";
        assert_eq!(url.without_secrets(message), message);
    }

    #[test]
    fn no_password_is_ever_shown() {
        for url in [
            "postgres://clerk:hunter2@db:5432/stock",
            "postgres://clerk:hunter2@db/stock?password=hunter2",
            "postgres://db/stock?password=hunter2@x",
            "postgres://clerk:hunter2:hunter2@db/stock",
        ] {
            let parsed = DatabaseUrl::parse(url).unwrap();
            for shown in [parsed.to_string(), format!("{parsed:?}")] {
                assert!(!shown.contains("hunter2"), "{shown}");
                assert!(!shown.contains("clerk:"), "{shown}");
            }
        }
    }

    #[test]
    fn one_port_applies_to_all_hosts() {
        let ports = |url| postgres(url).ports();
        assert_eq!(ports("postgres://clerk:12345@db/stock")[..], [5432]);
        assert_eq!(ports("postgres://a:1,[::1]:2,b/stock?target_session_attrs=read-write")[..], [1, 2, 5432]);
        assert_eq!(ports("postgres:///stock?host=/run&port=7")[..], [7, 5432]);
    }

    #[test]
    fn timeouts_are_added_unless_they_are_set() {
        let url = postgres("postgres://db/stock?connect_timeout=60").with_timeouts();
        assert!(url.starts_with("postgres://db/stock?connect_timeout=60&keepalives_idle=10&"), "{url}");
        assert_eq!(url.matches("connect_timeout").count(), 1);
        let in_the_password = postgres("postgres://u:connect_timeout=@db/stock").with_timeouts();
        assert!(in_the_password.ends_with(
            "stock?connect_timeout=3&keepalives_idle=10&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=15000"
        ));
    }
}
