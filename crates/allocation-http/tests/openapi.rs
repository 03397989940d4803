//! The committed OpenAPI document is the one that the code makes.

use std::path::Path;

#[test]
fn the_committed_document_is_generated_by_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == allocation_http::openapi_json(),
        "docs/openapi.json is not current; refresh it with: cargo run -- openapi > docs/openapi.json"
    );
}
