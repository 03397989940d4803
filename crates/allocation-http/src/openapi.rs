//! The OpenAPI document.

mod defaults;

use crate::permission::Permission;
use crate::problem::{document_edge, document_refusals, schema, shared_refusals};
use crate::{
    adjustment, allocation, backorder, batch, bulk, event, goods_return, health, key, metrics_route, operations, order,
    pick_list, problem_type, product, shipment, stock_count, whoami,
};
use actix_web::http::Method;
use allocation_access::Scope;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr, Required};

/// The operations whose body may be missing.
const OPTIONAL_BODIES: [&str; 3] = ["confirmOrder", "shipPickList", "closeCount"];

/// The name of the security scheme.
const KEY: &str = "key";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Allocation Service",
        description = include_str!("openapi/conventions.md"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "The server that this document comes from")),
    tags(
        (name = "Batches", description = "Stock, in the warehouse or inbound."),
        (name = "Adjustments", description = "Units that were damaged, lost, found or counted."),
        (name = "Counts", description = "Stock takes while business goes on."),
        (name = "Allocations", description = "Which batch serves which order line."),
        (name = "Orders", description = "Lines that are placed, held, confirmed and cancelled together."),
        (name = "Pick lists", description = "Units that the warehouse picks and ships, with shipments or list by list."),
        (name = "Returns", description = "Shipped units that come back."),
        (name = "Products", description = "The totals and the availability of each SKU."),
        (name = "Events", description = "All changes, in one order."),
        (name = "Access", description = "Keys and their scopes."),
        (name = "Problems", description = "The types of errors."),
        (name = "Service", description = "The state of the service itself."),
    ),
    paths(
        batch::add,
        bulk::add_batches,
        batch::list,
        batch::find,
        batch::change,
        batch::receive,
        batch::remove,
        adjustment::adjust,
        stock_count::open,
        stock_count::list,
        stock_count::find,
        stock_count::enter,
        stock_count::close,
        stock_count::abandon,
        batch::history,
        allocation::allocate,
        bulk::allocate_lines,
        allocation::list,
        allocation::deallocate,
        order::place,
        bulk::place_orders,
        order::list,
        order::find,
        order::change,
        order::remove_line,
        order::cancel,
        order::close,
        order::confirm,
        order::extend,
        order::history,
        backorder::list,
        pick_list::make,
        pick_list::list,
        pick_list::find,
        pick_list::pick,
        pick_list::put_back,
        shipment::create,
        shipment::list,
        shipment::find,
        shipment::of_order,
        pick_list::ship,
        pick_list::release_line,
        pick_list::release,
        goods_return::take_back,
        product::list,
        product::find,
        product::register,
        product::availability,
        product::movements,
        event::list,
        event::stream,
        event::find,
        problem_type::list,
        problem_type::find,
        key::create,
        key::list,
        key::revoke,
        whoami::whoami,
        health::livez,
        health::readyz,
        metrics_route::metrics,
    ),
    components(schemas(
        allocation::Part<'_>,
        pick_list::FormatSchema,
        schema::ProblemSchema,
        schema::ValidationErrorSchema,
        schema::ShortageSchema,
        schema::ExcessReturnSchema,
        schema::FailedCheckSchema,
    )),
)]
struct Document;

/// Returns the OpenAPI document of this API.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = Document::openapi();
    document_edge(&mut document);
    document_access(&mut document);
    document_optional_bodies(&mut document);
    let components = document.components.get_or_insert_default();
    components.schemas.extend(schema::all());
    components.schemas.values_mut().for_each(defaults::describe);
    document
}

/// Documents which bodies may be missing. An `Option` as content would allow null as a body, too.
fn document_optional_bodies(document: &mut OpenApi) {
    let actions = document.paths.paths.values_mut().filter_map(|item| item.post.as_mut());
    let is_optional =
        |action: &&mut Operation| action.operation_id.as_deref().is_some_and(|id| OPTIONAL_BODIES.contains(&id));
    for body in actions.filter(is_optional).filter_map(|action| action.request_body.as_mut()) {
        if let RefOr::T(body) = body {
            body.required = Some(Required::False);
        }
    }
}

/// Documents the key that each operation needs, as its route is registered.
fn document_access(document: &mut OpenApi) {
    let names = Scope::ALL.map(|scope| format!("`{scope}`")).join(", ");
    let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("alloc_<id>_<secret>_<checksum>");
    let key = key.description(Some(format!(
        "A key, once there is one, or a token of the issuer that the service trusts. Its scopes are among {names}; \
         `admin` includes the others."
    )));
    let components = document.components.get_or_insert_default();
    components.responses.extend(shared_refusals());
    components.add_security_scheme(KEY, SecurityScheme::Http(key.build()));
    for path in operations::all() {
        let Some(item) = document.paths.paths.get_mut(path.template()) else { continue };
        for (method, needs) in path.methods() {
            let Some(operation) = operation(item, method) else { continue };
            document_refusals(operation, *needs);
            operation.security = match needs {
                Permission::Open => None,
                Permission::AnyKey => Some(vec![SecurityRequirement::new(KEY, std::iter::empty::<&str>())]),
                Permission::Scope(scope) => Some(vec![SecurityRequirement::new(KEY, [scope.as_str()])]),
            };
        }
    }
}

fn operation<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Operation> {
    match *method {
        Method::GET => item.get.as_mut(),
        Method::POST => item.post.as_mut(),
        Method::PUT => item.put.as_mut(),
        Method::PATCH => item.patch.as_mut(),
        Method::DELETE => item.delete.as_mut(),
        _ => None,
    }
}

/// Returns the OpenAPI document as indented JSON with a trailing newline.
#[must_use]
#[expect(clippy::expect_used, reason = "serialising the document into memory does not fail")]
pub fn openapi_json() -> String {
    let mut json = openapi().to_pretty_json().expect("the document is JSON");
    json.push('\n');
    json
}

#[cfg(test)]
mod tests;
