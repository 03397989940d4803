//! Schemas of texts that have one of several values.

/// Declares the schema of a text from the names of its values.
macro_rules! choice_schema {
    ($(#[doc = $description:literal])+ $schema:ident as $name:literal: $names:expr) => {
        $(#[doc = $description])+
        pub(crate) struct $schema;

        impl utoipa::PartialSchema for $schema {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some([$($description.trim()),+].join(" ")))
                    .enum_values(Some($names.iter().copied()))
                    .into()
            }
        }

        impl utoipa::ToSchema for $schema {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed($name)
            }
        }
    };
}
pub(crate) use choice_schema;
