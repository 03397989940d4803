//! Settings of the edge: names, origins, prefixes and connections.

use allocation_http::{AllowedHost, BasePath, CorsOrigin, EdgeSettings};
use clap::Args;
use clap::builder::BoolishValueParser;

/// The edge settings.
#[derive(Debug, Clone, Args)]
pub(crate) struct EdgeArgs {
    /// A name of the service, in addition to localhost and IP addresses: NAME, NAME:PORT, .DOMAIN for all
    /// names below it, or * for any; can be repeated, or separated by commas
    #[arg(
        long = "allowed-host",
        global = true,
        env = "ALLOCATION_ALLOWED_HOSTS",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = AllowedHost::parse
    )]
    allowed_hosts: Vec<AllowedHost>,

    #[arg(
        long = "cors-origin",
        help = "An origin whose pages may use the service from a browser, such as https://shop.example, or * for \
            any; can be repeated, or separated by commas [default: none but the service itself]",
        global = true,
        env = "ALLOCATION_CORS_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ',',
        value_parser = CorsOrigin::parse
    )]
    cors_origins: Vec<CorsOrigin>,

    /// The path under which clients see the service, such as /allocation, whether or not a proxy removes it
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_BASE_PATH",
        value_name = "PATH",
        default_value = "/",
        value_parser = BasePath::parse
    )]
    base_path: BasePath,

    /// Trust the header X-Forwarded-Prefix, in which a proxy names the prefix that it removed
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_TRUST_FORWARDED_PREFIX",
        value_parser = BoolishValueParser::new()
    )]
    trust_forwarded_prefix: bool,

    /// The maximum number of client connections; lower if the process has fewer descriptors
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_MAX_CONNECTIONS",
        value_name = "NUMBER",
        default_value = "4096",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) max_connections: u32,

    /// The maximum number of client connections from one address, or one IPv6 network
    #[arg(
        long,
        global = true,
        env = "ALLOCATION_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "NUMBER",
        default_value = "2048",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) max_connections_per_address: u32,
}

impl EdgeArgs {
    /// Returns these settings for the API.
    pub(crate) fn settings(&self) -> EdgeSettings {
        EdgeSettings {
            allowed_hosts: self.allowed_hosts.clone(),
            cors_origins: self.cors_origins.clone(),
            base_path: self.base_path.clone(),
            trusts_forwarded_prefix: self.trust_forwarded_prefix,
            is_read_only: false,
        }
    }
}
