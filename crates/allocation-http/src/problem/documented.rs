//! The error responses of operations in the OpenAPI document.

use super::operation::Operation;
use super::{Kind, MEDIA_TYPE, examples, schema};
use crate::etag;
use crate::permission::Permission;
use std::collections::BTreeMap;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::Operation as Documented;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Ref, Schema, Type};
use utoipa::openapi::{ContentBuilder, OpenApi, RefOr, Response, ResponseBuilder};

/// Declares the error responses of an operation from the problems it can raise.
macro_rules! document {
    ($(#[$docs:meta])* $name:ident: $($kind:ident),+ $(,)?) => {
        $(#[$docs])*
        pub(crate) struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                crate::problem::responses(&[$(crate::problem::Kind::$kind),+])
            }
        }
    };
}
pub(crate) use document;

/// Returns the responses for problems, by status.
pub(crate) fn responses(kinds: &[Kind]) -> BTreeMap<String, RefOr<Response>> {
    let operation = Operation::raising(kinds);
    let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    // Database access can time out, and a body can arrive too slowly.
    let busy = kinds.contains(&Kind::DatabaseUnavailable) && !kinds.contains(&Kind::NotReady);
    let busy = busy.then_some(Kind::DatabaseBusy);
    let slow = operation.has_body.then_some(Kind::RequestTimeout);
    for kind in kinds.iter().chain(&busy).chain(&slow) {
        by_status.entry(kind.status().as_u16()).or_default().push(*kind);
    }
    by_status.into_iter().map(|(status, kinds)| (status.to_string(), response(&kinds, operation).into())).collect()
}

/// Adds the problems that the edge can return before an operation starts.
///
/// Any operation rejects an unknown `Host`. Writes also reject cross-site pages, preconditions on resources
/// without versions, and any request to a read-only server.
pub(crate) fn document_edge(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let changing = [&mut item.post, &mut item.patch, &mut item.put, &mut item.delete];
        for operation in changing.into_iter().flatten() {
            add(operation, &[Kind::CrossSiteRequest, Kind::ReadOnly]);
        }
        let has_versions = path.starts_with("/batch/") || path.starts_with("/orders/");
        let with_versions = [&mut item.patch, &mut item.delete].into_iter().filter(|_| !has_versions);
        let post = [&mut item.post].into_iter().filter(|_| !etag::is_versioned_action(path));
        let without_versions = post.chain([&mut item.put]).chain(with_versions);
        without_versions.flatten().for_each(|operation| add(operation, &[Kind::PreconditionFailed]));
        if !matches!(&**path, "/livez" | "/readyz") {
            let all = [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete];
            all.into_iter().flatten().for_each(|operation| add(operation, &[Kind::HostNotAllowed]));
        }
    }
}

/// The responses that all operations with a key share, by name.
const SHARED: [(&str, &[Kind]); 2] =
    [("Unauthorized", &[Kind::KeyRequired, Kind::KeyRefused]), ("TooManyRequests", &[Kind::RateLimited])];

/// Returns the responses that [`document_refusals`] refers to, by name.
pub(crate) fn shared_refusals() -> impl Iterator<Item = (String, RefOr<Response>)> {
    SHARED.into_iter().map(|(name, kinds)| (name.to_owned(), response(kinds, Operation::default()).into()))
}

/// Adds the problems of callers who may not use an operation.
pub(crate) fn document_refusals(operation: &mut Documented, needs: Permission) {
    if needs == Permission::Open {
        return;
    }
    for (name, kinds) in SHARED {
        operation.responses.responses.insert(status(kinds), Ref::from_response_name(name).into());
    }
    add(operation, &[Kind::NotReady]);
    if let Permission::Scope(_) = needs {
        add(operation, &[Kind::MissingScope]);
    }
}

/// Adds problems of one status to the response that documents that status.
fn add(to: &mut Documented, kinds: &[Kind]) {
    let status = status(kinds);
    let mut all = Vec::new();
    if let Some(RefOr::T(known)) = to.responses.responses.get(&status)
        && let Some(RefOr::T(content)) = known.content.get(MEDIA_TYPE)
    {
        all.extend(content.examples.keys().filter_map(|name| Kind::named(name)));
    }
    all.extend_from_slice(kinds);
    to.responses.responses.insert(status, response(&all, Operation::default()).into());
}

/// Returns the status that problems share.
fn status(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.status().as_u16().to_string()).next().unwrap_or_default()
}

/// Returns the response for problems of one status.
fn response(kinds: &[Kind], operation: Operation) -> Response {
    let titles: Vec<_> = kinds.iter().map(|kind| format!("{} (`{}`)", kind.title(), kind.uri())).collect();
    let examples = kinds.iter().map(|kind| {
        let example = ExampleBuilder::new().summary(kind.title()).value(Some(examples::of(*kind, operation)));
        (kind.name(), example.build())
    });
    let content = ContentBuilder::new().schema(Some(schema_of(kinds, operation))).examples_from_iter(examples).build();
    let response = ResponseBuilder::new().description(titles.join("; ")).content(MEDIA_TYPE, content);
    if kinds.iter().all(|kind| kind.retry_after().is_some()) {
        return response.header("Retry-After", retry_after()).build();
    }
    response.build()
}

fn schema_of(kinds: &[Kind], operation: Operation) -> RefOr<Schema> {
    let mut names: Vec<_> = kinds.iter().map(|kind| schema::name(*kind, operation)).collect();
    names.dedup();
    match &*names {
        [name] => Ref::from_schema_name(name).into(),
        _ => {
            let any = names.into_iter().fold(AnyOfBuilder::new(), |any, name| any.item(Ref::from_schema_name(name)));
            any.into()
        }
    }
}

fn retry_after() -> Header {
    let mut header = Header::new(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)));
    header.description = Some("The seconds after which to retry.".to_owned());
    header
}
