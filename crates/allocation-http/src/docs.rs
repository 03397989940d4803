//! The documentation that the server hosts: Swagger UI, ReDoc and the OpenAPI document. None of it loads
//! from another server.

mod asset;

use crate::permission::Permission;
use crate::resource::Path;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use asset::Asset;
use std::future::ready;
use std::sync::{Arc, LazyLock};

/// The document as it is committed, which a test compares with the code. To generate it takes more memory than all else
/// that an idle server does.
const OPENAPI: &[u8] = include_bytes!("../../../docs/openapi.json");
const HTML: &str = "text/html; charset=utf-8";
const SWAGGER_UI: &str = include_str!("../assets/swagger-ui/index.html");
const REDOC: &str = include_str!("../assets/redoc/index.html");
const REDOC_BUNDLE: &[u8] = include_bytes!("../assets/redoc/redoc.standalone.js");
const SWAGGER_UI_FILES: [&str; 7] = [
    "swagger-ui.css",
    "index.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
    "favicon-16x16.png",
    "favicon-32x32.png",
];

/// All files, built once.
static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let mut assets = vec![
        Asset::new("/openapi.json", "application/json", OPENAPI),
        Asset::new("/docs", HTML, SWAGGER_UI.as_bytes()),
        Asset::new("/docs/", HTML, SWAGGER_UI.as_bytes()),
        Asset::new("/redoc", HTML, REDOC.as_bytes()),
        Asset::new("/redoc/", HTML, REDOC.as_bytes()),
        Asset::new("/redoc/redoc.standalone.js", "text/javascript", REDOC_BUNDLE),
    ];
    assets.extend(swagger_ui_files());
    assets
});

fn swagger_ui_files() -> impl Iterator<Item = Asset> {
    let config = utoipa_swagger_ui::Config::from("/openapi.json")
        .use_base_layout()
        .try_it_out_enabled(true)
        .display_request_duration(true)
        // By default, Swagger UI sends the document to an external validator.
        .validator_url("none");
    let config = Arc::new(config);
    SWAGGER_UI_FILES.into_iter().filter_map(move |name| {
        let file = utoipa_swagger_ui::serve(name, Arc::clone(&config)).ok().flatten()?;
        Some(Asset::new(format!("/docs/{name}"), file.content_type, file.bytes))
    })
}

pub(crate) fn routes() -> impl Iterator<Item = Path> {
    let redirect = || ready(HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, "/docs")).finish());
    let assets = ASSETS.iter().map(|asset| {
        Path::new(asset.path()).get(Permission::Open, move |request: HttpRequest| ready(asset.respond(&request)))
    });
    std::iter::once(Path::new("/").get(Permission::Open, redirect)).chain(assets)
}

#[cfg(test)]
mod tests;
