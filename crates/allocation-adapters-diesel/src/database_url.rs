//! Which database to use.

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
    /// A file: `sqlite://path` is relative to the working directory, `sqlite:///path` absolute.
    Sqlite(PathBuf),
    /// A server: `postgres://` or `postgresql://`, with all that libpq understands.
    Postgres(PostgresUrl),
}

/// The URL of a PostgreSQL database, as libpq takes it.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// Why a text is not a [`DatabaseUrl`]. It never quotes the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// No scheme, or one of another database.
    #[error("must begin with sqlite:// or postgres://")]
    UnknownScheme,
    /// Nothing follows `sqlite://`.
    #[error("must name a file after sqlite://")]
    NoPath,
    /// SQLite in memory: every connection would have a database of its own.
    #[error("must name a file; SQLite in memory is not supported")]
    InMemory,
    /// `?` or `#` in a SQLite URL.
    #[error("must be a plain path after sqlite://, without ? or #")]
    SqliteOptions,
    /// A zero byte.
    #[error("must not hold a zero byte")]
    ZeroByte,
    /// What stands where the port belongs is not a number.
    #[error("must have a number as port; percent-encode : / ? # @ in a user name or password")]
    Port,
}

impl DatabaseUrl {
    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// [`DatabaseUrlError`] says what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, DatabaseUrlError> {
        if url.contains('\0') {
            return Err(DatabaseUrlError::ZeroByte);
        }
        match url.split_once("://") {
            Some(("sqlite", path)) => parse_path(path).map(Self::Sqlite),
            Some(("postgres" | "postgresql", rest)) => {
                check_ports(rest)?;
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

/// Refuses what is not a port where one belongs: mostly the rest of a password that was not
/// percent-encoded, which libpq would quote in its error.
fn check_ports(rest: &str) -> Result<(), DatabaseUrlError> {
    let authority = rest.split_once(['/', '?']).map_or(rest, |(authority, _)| authority);
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let is_port = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let fine = hosts.split(',').all(|host| {
        let after_address = host.rsplit_once(']').map_or(host, |(_, port)| port);
        after_address.split_once(':').is_none_or(|(_, port)| is_port(port))
    });
    if fine { Ok(()) } else { Err(DatabaseUrlError::Port) }
}

impl PostgresUrl {
    /// The URL with its password, and with limits on how long to wait for a server that is silent,
    /// unless it sets them itself.
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
            if !self.0.contains(&format!("{name}=")) {
                let separator = if url.contains('?') { '&' } else { '?' };
                url.push_str(&format!("{separator}{name}={value}"));
            }
        }
        url
    }

    /// Host, port and database, without user, password and options.
    fn place(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        match place.rsplit_once('@') {
            Some((_, place)) => place,
            // A password that holds a question mark: better to show nothing.
            None if options.contains('@') => "***",
            None => place,
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", Path::display(path)),
            Self::Postgres(url) => write!(f, "postgres://{}", url.place()),
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
        write!(f, "PostgresUrl({})", self.place())
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
    fn what_names_no_file_is_refused() {
        assert_eq!(DatabaseUrl::parse("sqlite://"), Err(DatabaseUrlError::NoPath));
        for url in ["sqlite://:memory:", "sqlite://file:x?mode=memory", "sqlite://x?mode=memory&cache=shared"] {
            assert_eq!(DatabaseUrl::parse(url), Err(DatabaseUrlError::InMemory), "{url}");
        }
        assert_eq!(DatabaseUrl::parse("sqlite://stock.db?mode=rwc"), Err(DatabaseUrlError::SqliteOptions));
        assert_eq!(DatabaseUrl::parse("sqlite://a\0b"), Err(DatabaseUrlError::ZeroByte));
    }

    #[test]
    fn other_databases_are_refused() {
        for url in ["", "stock.db", "sqlite:stock.db", "mysql://localhost/stock", "postgres:stock", "SQLITE://x"] {
            assert_eq!(DatabaseUrl::parse(url), Err(DatabaseUrlError::UnknownScheme), "{url}");
        }
    }

    #[test]
    fn what_libpq_understands_is_accepted() {
        for url in [
            "postgres://localhost",
            "postgresql://clerk:pass%2Fword@db:5432/stock?sslmode=require",
            "postgres://a:1,b:2,c/stock",
            "postgres://clerk@[::1]:5432/stock",
            "postgres://%2Fvar%2Frun/stock",
            "postgres:///stock?host=/var/run",
        ] {
            assert!(DatabaseUrl::parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_password_that_is_not_encoded_is_refused_rather_than_quoted() {
        assert_eq!(DatabaseUrl::parse("postgres://clerk:pa/ss@db/stock"), Err(DatabaseUrlError::Port));
        assert_eq!(DatabaseUrl::parse("postgres://clerk:pa?ss@db/stock"), Err(DatabaseUrlError::Port));
    }

    #[test]
    fn no_password_is_ever_shown() {
        for url in [
            "postgres://clerk:hunter2@db:5432/stock",
            "postgres://clerk:hunter2@db/stock?password=hunter2",
            "postgres://db/stock?password=hunter2@x",
            "postgres://clerk:hunter2:hunter2@db/stock",
            "postgres://clerk:12345?hunter2@db/stock",
        ] {
            let parsed = DatabaseUrl::parse(url).unwrap();
            for shown in [parsed.to_string(), format!("{parsed:?}")] {
                assert!(!shown.contains("hunter2"), "{shown}");
                assert!(!shown.contains("clerk:"), "{shown}");
            }
        }
    }

    #[test]
    fn timeouts_are_added_unless_they_are_set() {
        let DatabaseUrl::Postgres(url) = DatabaseUrl::parse("postgres://db/stock?connect_timeout=60").unwrap() else {
            panic!("not PostgreSQL")
        };
        let url = url.with_timeouts();
        assert!(url.starts_with("postgres://db/stock?connect_timeout=60&keepalives_idle=10&"), "{url}");
        assert_eq!(url.matches("connect_timeout").count(), 1);
    }
}
