//! Columns of a table, declared once for every statement that reads or writes them.

/// Columns that statements name together.
pub(crate) trait Columns {
    /// The SQL types of the columns, for [`statement!`](crate::statement).
    type SqlType;
    /// The names of the columns.
    const COLUMNS: &'static str;
}

/// The SQL types of columns.
pub(crate) type Sql<C> = <C as Columns>::SqlType;

/// Declares columns of a table.
///
/// ```text
/// columns! {
///     /// Docs.
///     struct Row<'a> {
///         column [as "name"]: SqlType => RustType,
///     }
/// }
/// ```
///
/// The struct holds the columns of one row.
macro_rules! columns {
    (
        $(#[$meta:meta])*
        struct $row:ident $(<$lifetime:lifetime>)? {
            $($(#[$docs:meta])* $column:ident $(as $name:literal)?: $sql_type:ty => $rust_type:ty,)+
        }
    ) => {
        $(#[$meta])*
        pub(crate) struct $row $(<$lifetime>)? {
            $($(#[$docs])* pub(crate) $column: $rust_type,)+
        }

        $crate::columns::columns!(@names $row $(<$lifetime>)? { $(($sql_type, $crate::columns::columns!(@name $column $($name)?)))+ });
    };

    (@name $column:ident $name:literal) => { $name };
    (@name $column:ident) => { stringify!($column) };

    (@names $row:ident $(<$lifetime:lifetime>)? { $(($sql_type:ty, $name:expr))+ }) => {
        impl $(<$lifetime>)? $crate::columns::Columns for $row $(<$lifetime>)? {
            type SqlType = ($($sql_type,)+);
            const COLUMNS: &'static str = $crate::statement::joined!($(", ", $name),+).split_at(2).1;
        }
    };
}

pub(crate) use columns;
