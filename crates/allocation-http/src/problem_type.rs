//! The catalogue of problem types, for people and programs.

use crate::permission::Permission;
use crate::prefix::Prefix;
use crate::problem::{Kind, Problem, document};
use crate::query::Query;
use crate::resource::Path;
use crate::respond;
use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

/// A type of problem.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemType {
    /// The relative reference that problems of this type have as `type`.
    #[schema(example = "/problems/out-of-stock")]
    r#type: String,
    /// A short summary of the type.
    #[schema(example = "Not enough stock")]
    title: &'static str,
    /// The HTTP status of responses with this problem.
    #[schema(value_type = i32, minimum = 400, maximum = 599, example = 409)]
    status: u16,
    /// When it occurs, and what to do about it.
    description: &'static str,
}

impl ProblemType {
    /// Returns a type with the URI that a client behind a prefix sees.
    fn at(prefix: &Prefix, kind: Kind) -> Self {
        Self {
            r#type: format!("{prefix}{}", kind.uri()),
            title: kind.title(),
            status: kind.status().as_u16(),
            description: kind.description(),
        }
    }
}

pub(crate) fn routes() -> [Path; 2] {
    [Path::new("/problems").get(Permission::Open, list), Path::new("/problems/{name}").get(Permission::Open, find)]
}

document!(ListProblemTypesProblems: Validation);
document!(FindProblemTypeProblems: Validation, NotFound);

/// List problem types
#[utoipa::path(
    get,
    path = "/problems",
    operation_id = "listProblemTypes",
    tag = "Problems",
    responses(
        (status = 200, description = "All types of problems", body = Vec<ProblemType>),
        ListProblemTypesProblems,
    ),
)]
pub(crate) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::none(&request)?;
    let prefix = Prefix::of(&request);
    let types: Vec<_> = Kind::ALL.iter().map(|kind| ProblemType::at(&prefix, *kind)).collect();
    respond::json(StatusCode::OK, &types)
}

/// Get a problem type
///
/// Problems have this path as their `type`.
#[utoipa::path(
    get,
    path = "/problems/{name}",
    operation_id = "getProblemType",
    tag = "Problems",
    params(("name" = String, Path, description = "The name of the type", example = "out-of-stock")),
    responses(
        (status = 200, description = "The type", body = ProblemType),
        FindProblemTypeProblems,
    ),
)]
pub(crate) async fn find(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::none(&request)?;
    let kind = request.match_info().get("name").and_then(Kind::named);
    let kind = kind.ok_or_else(|| Problem::of(Kind::NotFound))?;
    respond::json(StatusCode::OK, &ProblemType::at(&Prefix::of(&request), kind))
}

#[cfg(test)]
mod tests {
    use super::Kind;
    use crate::testing::{Ports, get};

    #[actix_web::test]
    async fn the_catalogue_lists_every_type_and_each_uri_resolves() {
        let api = Ports::new().api();
        let catalogue = get(&api, "/problems").await.json();
        let uris: Vec<_> = catalogue.as_array().unwrap().iter().map(|kind| kind["type"].as_str().unwrap()).collect();
        assert_eq!(uris, Kind::ALL.iter().map(|kind| kind.uri()).collect::<Vec<_>>());
        for (kind, listed) in Kind::ALL.iter().zip(catalogue.as_array().unwrap()) {
            let answer = get(&api, kind.uri()).await;
            assert_eq!((answer.status.as_u16(), &answer.json()), (200, listed));
            assert_eq!(listed["status"], kind.status().as_u16());
        }
        let answer = get(&api, "/problems/nothing").await;
        assert_eq!(answer.status, 404);
        answer.problem("not-found");
    }
}
