//! Defaults of optional members, in words.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema};

/// Describes the defaults of an object's optional members instead of declaring them: generators of clients take a
/// member with a default for one that is always there, and require it in requests.
pub(super) fn describe(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(Object { properties, required, .. })) = schema else { return };
    for (_, property) in properties.iter_mut().filter(|(name, _)| !required.contains(name)) {
        let RefOr::T(Schema::Object(property)) = property else { continue };
        if let Some(default) = property.default.take() {
            let described = property.description.take().unwrap_or_default();
            property.description = Some(format!("{described} Default: `{default}`."));
        }
    }
}
