//! The HTTP API of the Allocation Service: routes over the use cases, problems (RFC 9457) and the
//! OpenAPI document.
//!
//! [`app`] builds the application that the server runs and the tests call; [`serve`] runs it.
#![warn(missing_docs)]

mod accept;
mod access_log;
mod adjustment;
mod allocation;
mod api;
mod backorder;
mod batch;
mod blocking;
mod body;
mod body_memory;
mod bulk;
mod choice;
mod connection;
mod docs;
mod dry_run;
mod edge;
mod endpoint;
mod eta;
mod etag;
mod event;
mod event_context;
mod event_feed;
mod goods_return;
mod guarded;
mod health;
mod idempotency_key;
mod identifier;
mod instant;
mod key;
mod metrics;
mod metrics_route;
mod openapi;
mod operations;
mod order;
mod page;
mod path_identifier;
mod percent;
mod permission;
mod pick_list;
mod prefix;
mod problem;
mod problem_type;
mod product;
mod promises;
mod quantity;
mod query;
mod rate_limit;
mod repeat;
mod request_context;
mod request_failures;
mod request_id;
mod request_layer;
mod request_log;
mod requests;
mod resource;
mod respond;
mod routes;
mod server;
mod shipment;
mod side_server;
mod spans;
mod starting;
mod stock_count;
#[cfg(test)]
mod testing;
mod tls;
mod whoami;

pub use api::{Api, Calendar};
pub use blocking::BlockingLimits;
pub use connection::ConnectionLimits;
pub use edge::{AllowedHost, BasePath, CorsOrigin, EdgeSettings};
pub use endpoint::Endpoint;
pub use event_feed::EventFeed;
pub use metrics::{Build, MetricSources, Metrics, MetricsServer};
pub use openapi::{openapi, openapi_json};
pub use routes::app;
pub use server::serve;
pub use starting::Starting;
pub use tls::{ClientAuth, Tls, TlsConfig, TlsError, TlsFiles};
