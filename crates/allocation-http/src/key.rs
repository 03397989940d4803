//! The keys of callers, managed by administrators.

mod request;
mod response;

pub(crate) use request::NewKeySchema;
pub(crate) use response::{Key, NewKeyResponse, ScopeSchema};

use crate::api::Api;
use crate::problem::{Kind, Problem, document};
use crate::query::Query;
use crate::resource::Path;
use crate::{body, respond};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::{KeyId, Scope};
use allocation_app::{KeyError, NewKey};

pub(crate) fn routes() -> [Path; 2] {
    [
        Path::new("/keys").post(Scope::Admin, create).get(Scope::Admin, list),
        Path::new("/keys/{id}").delete(Scope::Admin, revoke),
    ]
}

document!(CreateKeyProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, TooManyKeys, Overloaded, SchemaNotCurrent,
    DatabaseUnavailable, InternalError,
);
document!(ListKeysProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);
document!(RevokeKeyProblems:
    Validation, KeyNotFound, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Create a key
///
/// The response has the key, which is shown only once. Once a key exists, requests without one are refused on every
/// replica within five seconds, for good: the first key should be that of an administrator. Each request creates a key.
#[utoipa::path(
    post,
    path = "/keys",
    operation_id = "createKey",
    tag = "Access",
    request_body(content = NewKeySchema, examples(
        ("administrator" = (summary = "The first key, to manage the others", value = json!({
            "name": "operator", "scopes": ["admin"]
        }))),
        ("shop" = (summary = "A key of a shop, with a rate", value = json!({
            "name": "web shop", "scopes": ["read", "orders:write"], "rate": "100/s"
        }))),
    )),
    responses(
        (status = 201, description = "The key was created", body = NewKeyResponse, example = json!({
            "id": "3kVdR0sUwQa", "key": "alloc_<id>_<secret>_<checksum>", "created_at": "2027-01-15T08:00:00Z"
        })),
        CreateKeyProblems,
    ),
)]
pub(crate) async fn create(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let new: NewKey = body::read(&request, payload).await?;
    let (control, keys) = api.keys()?.clone();
    let work = move || {
        let issued = keys.create(new)?;
        // This replica knows the key at once; if the reload fails, it does so seconds later.
        drop(control.reload());
        Ok::<_, KeyError>(issued)
    };
    let issued = api.gate.run(&request, work).await?;
    respond::json(StatusCode::CREATED, &NewKeyResponse::from(&issued))
}

/// List keys
///
/// Returns all keys in the order of their creation, revoked and expired ones included: at most 10,000. Secrets are
/// stored nowhere.
#[utoipa::path(
    get,
    path = "/keys",
    operation_id = "listKeys",
    tag = "Access",
    responses(
        (status = 200, description = "All keys", body = Vec<Key<'_>>, example = json!([{
            "id": "3kVdR0sUwQa", "name": "web shop", "scopes": ["read", "orders:write"], "rate": "100/s",
            "created_at": "2027-01-15T08:00:00Z", "last_used_on": "2027-01-16"
        }])),
        ListKeysProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (_, keys) = api.keys()?.clone();
    Query::none(&request)?;
    let keys = api.searches.run(&request, move || keys.list()).await?;
    respond::json(StatusCode::OK, &keys.iter().map(Key::from).collect::<Vec<_>>())
}

/// Revoke a key
///
/// Every replica refuses the key within five seconds. Revoking a revoked key changes nothing.
#[utoipa::path(
    delete,
    path = "/keys/{id}",
    operation_id = "revokeKey",
    tag = "Access",
    params(("id" = String, Path, description = "The id of the key, as `POST /keys` returned it")),
    responses((status = 204, description = "The key is revoked"), RevokeKeyProblems),
)]
pub(crate) async fn revoke(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (control, keys) = api.keys()?.clone();
    Query::none(&request)?;
    let id = request.match_info().get("id").and_then(|id| KeyId::parse(id).ok());
    let id = id.ok_or_else(|| Problem::of(Kind::KeyNotFound))?;
    let work = move || {
        keys.revoke(&id)?;
        drop(control.reload());
        Ok::<_, KeyError>(())
    };
    api.gate.run(&request, work).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests;
