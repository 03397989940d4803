//! SQL statements that a connection prepares once and caches.
//!
//! diesel prepares its own updates and `sql_query` again for each run. A type with its own SQL text is
//! cached by that type. The text is put together and split at its placeholders at compile time, so a run
//! only binds values.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::AstPass;

/// Defines a statement by its SQL text, in which `?` is the placeholder for the next parameter.
///
/// ```text
/// statement! {
///     /// Docs.
///     Name<'a>(parameter: SqlType => RustType, columns: Columns, ...) on Backend [-> types of the columns of a row],
///     "SELECT ", Row::COLUMNS, " FROM ..."
/// }
/// ```
///
/// The text is one or more constants, which are joined. A parameter without an SQL type is a set of
/// [`columns`](crate::columns): its placeholder stands for all of them, separated by commas. A statement
/// whose numbers of placeholders and parameters differ does not compile.
macro_rules! statement {
    (
        $(#[$docs:meta])*
        $name:ident<$lifetime:lifetime>($($parameter:ident: $type:ty $(=> $rust_type:ty)?),* $(,)?)
            on $backend:ident $(-> $row:ty)?,
        $($sql:expr),+ $(,)?
    ) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name<$lifetime> {
            $(pub(crate) $parameter: &$lifetime $crate::statement::statement!(@type $type $(=> $rust_type)?),)*
        }

        impl $name<'_> {
            /// The text in front of the first placeholder, then the text behind each.
            const TEXTS: [&'static str; 1 + [$(stringify!($parameter)),*].len()] =
                $crate::statement::split($crate::statement::joined!($($sql),+));
        }

        impl<$lifetime> diesel::query_builder::QueryFragment<$backend> for $name<$lifetime> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, $backend>,
            ) -> diesel::QueryResult<()> {
                let [begin, $($parameter),*] = Self::TEXTS;
                out.push_sql(begin);
                $(
                    $crate::statement::statement!(@bind out, self.$parameter, $type $(=> $rust_type)?);
                    out.push_sql($parameter);
                )*
                Ok(())
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
    (@type $sql_type:ty => $rust_type:ty) => { $rust_type };
    (@type $columns:ty) => { $columns };
    (@bind $out:ident, $value:expr, $sql_type:ty => $rust_type:ty) => {
        $out.push_bind_param::<$sql_type, $rust_type>($value)?
    };
    (@bind $out:ident, $value:expr, $columns:ty) => { $crate::statement::Bind::bind($value, $out.reborrow())? };
}

/// Joins constants at compile time.
macro_rules! joined {
    ($($text:expr),+ $(,)?) => {
        const {
            const TEXTS: &[&str] = &[$($text),+];
            const BYTES: [u8; $crate::statement::length(TEXTS)] = $crate::statement::join(TEXTS);
            $crate::statement::text(&BYTES)
        }
    };
}

pub(crate) use {joined, statement};

/// Columns that a statement binds as one parameter.
pub(crate) trait Bind<DB: Backend> {
    /// Binds all columns, separated by commas.
    fn bind<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

/// Returns the total length of texts.
pub(crate) const fn length(mut texts: &[&str]) -> usize {
    let mut length = 0;
    while let [text, rest @ ..] = texts {
        length += text.len();
        texts = rest;
    }
    length
}

/// Joins texts of a known total length.
pub(crate) const fn join<const LENGTH: usize>(mut texts: &[&str]) -> [u8; LENGTH] {
    let mut joined = [0; LENGTH];
    let mut left: &mut [u8] = &mut joined;
    while let [text, rest @ ..] = texts {
        let (begin, end) = left.split_at_mut(text.len());
        begin.copy_from_slice(text.as_bytes());
        (left, texts) = (end, rest);
    }
    joined
}

/// Converts joined texts back to a text.
pub(crate) const fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("joined texts are a text"),
    }
}

/// Splits the text of a statement at its placeholders, of which there is one less than parts.
pub(crate) const fn split<const PARTS: usize>(mut sql: &str) -> [&str; PARTS] {
    let mut parts = [""; PARTS];
    let mut left: &mut [&str] = &mut parts;
    let mut length = 0;
    while length < sql.len() {
        if sql.as_bytes().split_at(length).1[0] == b'?' {
            let [part, rest @ ..] = left else { panic!("a statement has a parameter for each placeholder") };
            let (begin, end) = sql.split_at(length);
            (*part, sql, left, length) = (begin, end.split_at(1).1, rest, 0);
        } else {
            length += 1;
        }
    }
    match left {
        [last] => *last = sql,
        [] => panic!("a statement has a parameter for each placeholder"),
        _ => panic!("a statement has a placeholder for each parameter"),
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_joined_and_split_at_their_placeholders() {
        assert_eq!(joined!("SELECT ", "ü", "", " = ?"), "SELECT ü = ?");
        assert_eq!(split(""), [""]);
        assert_eq!(split("a = ? AND b = ?"), ["a = ", " AND b = ", ""]);
        assert_eq!(split("??"), ["", "", ""]);
    }

    #[test]
    #[should_panic(expected = "a parameter for each placeholder")]
    fn a_statement_with_too_few_parameters_does_not_compile() {
        let [_, _] = split("? = ?");
    }

    #[test]
    #[should_panic(expected = "a placeholder for each parameter")]
    fn a_statement_with_too_many_parameters_does_not_compile() {
        let [_, _, _] = split("= ?");
    }
}
