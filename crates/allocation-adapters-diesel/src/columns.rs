//! Columns of a table, declared once for every statement that reads or writes them.

/// Columns that statements name together.
pub(crate) trait Columns {
    /// The SQL types of the columns, for [`statement!`](crate::statement).
    type SqlType;
    /// The names of the columns.
    const COLUMNS: &'static str;
    /// The names of the columns in a relation `w`.
    const OF_W: &'static str;
    /// As many nulls.
    const NULLS: &'static str;
}

/// The SQL types of columns.
pub(crate) type Sql<C> = <C as Columns>::SqlType;

/// Declares columns of a table.
///
/// ```text
/// columns! {
///     /// Docs.
///     struct Row<'a> [, set Rows<'a>] {
///         column [as "name"]: SqlType => RustType,
///     }
/// }
/// ```
///
/// The struct holds the columns of one row; a statement for SQLite binds them as one parameter. The set holds
/// a vector for each column of many rows; a statement for PostgreSQL binds them as the parameter of
/// `unnest`. A set borrows from the rows that it is collected from.
macro_rules! columns {
    (
        $(#[$meta:meta])*
        struct $row:ident $(<$lifetime:lifetime>)? $(, set $set:ident<$rows:lifetime>)? {
            $($(#[$docs:meta])* $column:ident $(as $name:literal)?: $sql_type:ty => $rust_type:ty,)+
        }
    ) => {
        $(#[$meta])*
        pub(crate) struct $row $(<$lifetime>)? {
            $($(#[$docs])* pub(crate) $column: $rust_type,)+
        }

        $crate::columns::columns!(@names $row $(<$lifetime>)? {
            $(($sql_type, $crate::columns::columns!(@name $column $($name)?)))+
        });
        $crate::columns::columns!(@set [$($set<$rows>)?] $row $(<$lifetime>)? {
            $($column: $sql_type => $rust_type,)+
        });
    };

    (@name $column:ident $name:literal) => { $name };
    (@name $column:ident) => { stringify!($column) };
    (@null $name:expr) => { ", NULL" };

    (@names $row:ident $(<$lifetime:lifetime>)? { $(($sql_type:ty, $name:expr))+ }) => {
        impl $(<$lifetime>)? $crate::columns::Columns for $row $(<$lifetime>)? {
            type SqlType = ($($sql_type,)+);
            const COLUMNS: &'static str = $crate::statement::joined!($(", ", $name),+).split_at(2).1;
            const OF_W: &'static str = $crate::statement::joined!($(", w.", $name),+).split_at(2).1;
            const NULLS: &'static str =
                $crate::statement::joined!($($crate::columns::columns!(@null $name)),+).split_at(2).1;
        }
    };

    (@set [] $row:ident $($rest:tt)*) => {};
    (@set [$set:ident<$rows:lifetime>] $row:ident $(<$lifetime:lifetime>)? {
        $($column:ident: $sql_type:ty => $rust_type:ty,)+
    }) => {
        /// The same columns of many rows.
        #[derive(Debug, Default)]
        pub(crate) struct $set<$rows> {
            $($column: Vec<&$rows $rust_type>,)+
        }

        impl<$rows> FromIterator<&$rows $row $(<$lifetime>)?> for $set<$rows> {
            fn from_iter<I: IntoIterator<Item = &$rows $row $(<$lifetime>)?>>(rows: I) -> Self {
                let rows = rows.into_iter();
                let count = rows.size_hint().0;
                let mut set = Self { $($column: Vec::with_capacity(count),)+ };
                for row in rows {
                    $(set.$column.push(&row.$column);)+
                }
                set
            }
        }

        impl<$rows> $crate::statement::Bind<diesel::pg::Pg> for $set<$rows> {
            fn bind<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                let mut separator = "";
                $(
                    out.push_sql(std::mem::replace(&mut separator, ", "));
                    out.push_bind_param::<diesel::sql_types::Array<$sql_type>, Vec<&$rows $rust_type>>(&self.$column)?;
                )+
                Ok(())
            }
        }

        impl $(<$lifetime>)? $crate::statement::Bind<diesel::sqlite::Sqlite> for $row $(<$lifetime>)? {
            fn bind<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
            ) -> diesel::QueryResult<()> {
                let mut separator = "";
                $(
                    out.push_sql(std::mem::replace(&mut separator, ", "));
                    out.push_bind_param::<$sql_type, $rust_type>(&self.$column)?;
                )+
                Ok(())
            }
        }
    };
}

pub(crate) use columns;
