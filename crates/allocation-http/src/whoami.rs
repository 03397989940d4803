//! The caller as the service sees it.

use crate::instant::Instant;
use crate::key::ScopeSchema;
use crate::permission::Permission;
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::request_context::RequestContext;
use crate::resource::Path;
use crate::respond;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_app::Caller;
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) fn routes() -> [Path; 1] {
    [Path::new("/whoami").get(Permission::AnyKey, whoami)]
}

document!(WhoamiProblems: Validation);

/// A caller.
#[derive(Serialize, ToSchema)]
#[schema(as = Caller)]
pub(crate) struct CallerResponse {
    /// `key:` with the id of the key, `token:` with the subject of the token, or `anonymous` where neither is required.
    #[schema(example = "key:3kVdR0sUwQa")]
    actor: String,
    /// The name of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "web shop")]
    name: Option<String>,
    /// What the caller may do.
    #[schema(value_type = Vec<ScopeSchema>)]
    scopes: Vec<&'static str>,
    /// The number of requests that each replica accepts within a second, a minute or an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "100/s")]
    rate: Option<String>,
    /// When the key or the token expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, format = DateTime, example = "2028-01-15T08:00:00Z")]
    expires_at: Option<Instant>,
}

/// Get the caller
///
/// Returns which key or token the request has, and what it allows.
#[utoipa::path(
    get,
    path = "/whoami",
    operation_id = "getCaller",
    tag = "Access",
    responses(
        (status = 200, description = "The caller", body = CallerResponse, example = json!({
            "actor": "key:3kVdR0sUwQa", "name": "web shop", "scopes": ["read", "orders:write"], "rate": "100/s"
        })),
        WhoamiProblems,
    ),
)]
pub(crate) async fn whoami(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::none(&request)?;
    let caller = RequestContext::caller_of(&request);
    let (key, expires_at) = match &caller {
        Caller::Anonymous => (None, None),
        Caller::Key(entry, _) => (Some(entry.record()), entry.record().expires_at),
        Caller::Token(token) => (None, Some(token.expires_at())),
    };
    let response = CallerResponse {
        actor: caller.actor().to_string(),
        name: key.map(|key| key.name.to_string()),
        scopes: caller.scopes().iter().map(Scope::as_str).collect(),
        rate: key.and_then(|key| key.rate).map(|rate| rate.to_string()),
        expires_at: expires_at.map(Instant),
    };
    respond::json(StatusCode::OK, &response)
}
