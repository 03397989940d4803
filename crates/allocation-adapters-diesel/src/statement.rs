//! SQL statements that a connection prepares once and caches.
//!
//! diesel prepares its own updates and `sql_query` again for each run. A type with its own SQL text is
//! cached by that type.

/// Defines a statement by its SQL text, in which `?` is the placeholder for the next parameter.
///
/// ```text
/// statement! {
///     /// Docs.
///     Name<'a>(parameter: SqlType => RustType, ...) on Backend [-> (types of the columns of a row)]
///     "SELECT ..."
/// }
/// ```
macro_rules! statement {
    (
        $(#[$docs:meta])*
        $name:ident<$lifetime:lifetime>($($parameter:ident: $sql_type:ty => $rust_type:ty),* $(,)?) on $backend:ident $(-> $row:ty)?,
        $sql:expr
    ) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy)]
        pub(super) struct $name<$lifetime> {
            $(pub(super) $parameter: &$lifetime $rust_type,)*
        }

        impl<$lifetime> diesel::query_builder::QueryFragment<$backend> for $name<$lifetime> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, $backend>,
            ) -> diesel::QueryResult<()> {
                let mut texts = $sql.split('?');
                out.push_sql(texts.next().ok_or_else($crate::statement::miscounted)?);
                $(
                    out.push_bind_param::<$sql_type, $rust_type>(self.$parameter)?;
                    out.push_sql(texts.next().ok_or_else($crate::statement::miscounted)?);
                )*
                texts.next().is_none().then_some(()).ok_or_else($crate::statement::miscounted)
            }
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        $(
            impl diesel::query_builder::Query for $name<'_> {
                type SqlType = $row;
            }
        )?

        impl<C> diesel::RunQueryDsl<C> for $name<'_> {}
    };
}

/// Returns the error for a statement whose numbers of placeholders and parameters differ.
pub(crate) fn miscounted() -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError("a statement has a parameter for each place".into())
}

pub(crate) use statement;
