//! The JSON Schema of each type of event.

use crate::permission::Permission;
use crate::problem::{Kind, Problem, document};
use crate::query::Query;
use crate::resource::Path;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use allocation_cloudevents::event_schema;

/// The media type of a JSON Schema.
const MEDIA_TYPE: &str = "application/schema+json";

pub(super) fn route() -> Path {
    Path::new("/events/schemas/{type}").get(Permission::Open, find)
}

document!(FindEventSchemaProblems: Validation, NotFound);

/// Get the schema of events
///
/// Returns the JSON Schema (draft 2020-12) of the events of a type. A type may gain members; any other change makes
/// a type with another name.
#[utoipa::path(
    get,
    path = "/events/schemas/{type}",
    operation_id = "getEventSchema",
    tag = "Events",
    params(("type" = String, Path, description = "The type of the events", example = "allocation.line.allocated.v1")),
    responses(
        (status = 200, description = "The schema", body = Object, content_type = "application/schema+json"),
        FindEventSchemaProblems,
    ),
)]
pub(crate) async fn find(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::none(&request)?;
    let schema = request.match_info().get("type").and_then(event_schema);
    let schema = schema.ok_or_else(|| Problem::of(Kind::NotFound))?;
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)));
    // The schema may change with the program.
    response.insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    Ok(response.body(schema))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Ports, get};
    use allocation_cloudevents::{TYPES, event_schema};

    #[actix_web::test]
    async fn the_published_schema_of_each_type_is_served_unchanged() {
        let api = Ports::new().api();
        for name in TYPES {
            let answer = get(&api, &format!("/events/schemas/{name}")).await;
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/schema+json")));
            assert_eq!(answer.body, event_schema(name).unwrap());
        }
        for unknown in ["allocation.line.allocated.v9", "allocated", "stream"] {
            let answer = get(&api, &format!("/events/schemas/{unknown}")).await;
            assert_eq!(answer.status, 404);
            answer.problem("not-found");
        }
    }
}
