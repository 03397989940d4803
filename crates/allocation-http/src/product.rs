//! Products: their totals and availability.

mod availability;
mod movements;
mod request;
mod totals;

pub(crate) use availability::{__path_availability, availability};
pub(crate) use movements::{__path_movements, movements};
pub(crate) use request::ProductSettingsSchema;
pub(crate) use totals::Product;

use crate::api::Api;
use crate::identifier::Identifier;
use crate::page::{self, PageParamsSchema, PageRequest, PageResponse, ProductCursor};
use crate::path_identifier::{self, PathIdentifiers};
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::resource::Path;
use crate::{body, dry_run, respond};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_domain::{Outcome, Sku};
use allocation_ports::Queries;
use allocation_requests::ProductSettings;
use chrono::{DateTime, Utc};

pub(crate) fn routes() -> [Path; 4] {
    [
        Path::new("/products").get(Scope::Read, list),
        Path::new("/products/{sku}").get(Scope::Read, find).put(Scope::BatchesWrite, register),
        Path::new("/products/{sku}/availability").get(Scope::Read, availability),
        Path::new("/products/{sku}/movements").get(Scope::Read, movements),
    ]
}

document!(ListProductsProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);
document!(RegisterProductProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, Overloaded, SchemaNotCurrent, DatabaseUnavailable,
    InternalError,
);
document!(FindProductProblems: Validation, ProductNotFound, Overloaded, DatabaseUnavailable, InternalError);

/// List products
///
/// Sorted by the bytes of their SKUs.
#[utoipa::path(
    get,
    path = "/products",
    operation_id = "listProducts",
    tag = "Products",
    params(PageParamsSchema),
    responses(
        (status = 200, description = "A page of products", body = Vec<Product<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([{
                "sku": "RED-CHAIR", "in_stock": 5, "on_its_way": 20, "allocated": 14, "held": 4, "backordered": 0,
                "available": 11
            }])),
        ListProductsProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let page = PageRequest::take(&mut query);
    query.finish()?;
    let page = api.search(&request, move |queries, now| read_page(queries, page, now)).await?;
    Ok(page.into())
}

/// Get a product
///
/// `in_stock` plus `on_its_way` equals `allocated` plus `picked` plus `available`. `held` is included in
/// `allocated`.
#[utoipa::path(
    get,
    path = "/products/{sku}",
    operation_id = "getProduct",
    tag = "Products",
    params(("sku" = Identifier, Path, description = "The product", example = "RED-CHAIR")),
    responses(
        (status = 200, description = "The product", body = Product<'_>, example = json!({
            "sku": "RED-CHAIR", "in_stock": 5, "on_its_way": 20, "allocated": 14, "held": 4, "backordered": 0,
            "available": 11
        })),
        FindProductProblems,
    ),
)]
pub(crate) async fn find(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let sku: Sku = path_identifier::in_path(&request, "sku")?;
    let read = move |queries: &dyn Queries, now| match queries.product(&sku, now)? {
        Some(row) => respond::bytes(&Product::from(&row)),
        None => Err(Problem::product_not_found(&sku)),
    };
    Ok(respond::builder(StatusCode::OK).body(api.read(&request, read).await?))
}

/// Register a product
///
/// Orders can then wait for the product before it has a batch. Adding a batch registers its product, too,
/// and a product stays registered after its last batch is deleted. Registering a product again changes only the
/// settings in the body, which can be empty.
///
/// With `promises`, lines move to an earlier batch when units of it come free (`fair`, the default), or keep the date
/// that they were promised (`stable`). A change to `fair` moves lines at once to units that are free already.
#[utoipa::path(
    put,
    path = "/products/{sku}",
    operation_id = "registerProduct",
    tag = "Products",
    params(
        ("sku" = Identifier, Path, description = "The product", example = "RED-CHAIR"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
    ),
    request_body(content = Option<ProductSettingsSchema>),
    responses(
        (status = 201, description = "The product was registered", body = Product<'_>, example = json!({
            "sku": "RED-CHAIR", "in_stock": 0, "on_its_way": 0, "allocated": 0, "held": 0, "backordered": 0,
            "available": 0
        })),
        (status = 200, description = "The product already exists; its current state. Or the product as it would be (`dry_run`)",
            body = Product<'_>,
            example = json!({
                "sku": "RED-CHAIR", "in_stock": 5, "on_its_way": 20, "allocated": 14, "held": 4, "backordered": 0,
                "available": 11
            })),
        RegisterProductProblems,
    ),
)]
pub(crate) async fn register(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let path = PathIdentifiers::beside(&request, query);
    let (sku, ProductSettings { promises }): (Sku, _) =
        body::read_optional_beside(path, "sku", &request, payload).await?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    let (status, product) = match api.gate.run(&request, move || use_cases.register_product(&sku, promises)).await? {
        Outcome::Changed(product) if !is_dry_run => (StatusCode::CREATED, product),
        Outcome::Changed(product) | Outcome::Unchanged(product) => (StatusCode::OK, product),
    };
    respond::json(status, &Product::from(&product))
}

fn read_page(
    queries: &dyn Queries,
    page: PageRequest<ProductCursor>,
    now: DateTime<Utc>,
) -> Result<PageResponse, Problem> {
    let read = |after: Option<ProductCursor>, size| queries.products(after.map(|ProductCursor(sku)| sku), size, now);
    let rows = read(page.after.clone(), page.size)?;
    let next = page::next(page.size, &rows, read)?;
    page.response("/products", &rows.iter().map(Product::from).collect::<Vec<_>>(), next)
}

#[cfg(test)]
mod tests;
