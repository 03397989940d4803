//! The kinds that migrations declare, checked against their statements.
//!
//! The first line of each `up.sql` is `-- kind: expand` or `-- kind: contract N`, where N is the oldest generation of
//! programs that may write from then on.

use super::BASELINE;
use crate::generation::GENERATION;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The generation that may write after the baseline.
const FIRST: i64 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Expand,
    Contract(i64),
}

/// Returns the kind that a migration declares.
fn declared(up: &str) -> Result<Kind, String> {
    let first = up.lines().next().unwrap_or_default();
    match first.strip_prefix("-- kind: ").map(|kind| kind.split_once(' ').unwrap_or((kind, ""))) {
        Some(("expand", "")) => Ok(Kind::Expand),
        Some(("contract", oldest)) => oldest.parse().map(Kind::Contract).map_err(|error| format!("{oldest}: {error}")),
        _ => Err(format!("the first line declares no kind: {first}")),
    }
}

/// Returns the statements without comments, with single spaces, in capitals.
fn statements(sql: &str) -> Vec<String> {
    let lines = sql.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    let code = lines.collect::<Vec<_>>().join(" ").to_uppercase();
    let words = |statement: &str| statement.split_whitespace().collect::<Vec<_>>().join(" ");
    code.split(';').map(words).filter(|statement| !statement.is_empty()).collect()
}

/// Returns the object that a statement creates or drops.
fn object<'a>(statement: &'a str, verb: &str) -> Option<&'a str> {
    let rest = statement.strip_prefix(verb)?.trim_start();
    let rest = rest.strip_prefix("IF EXISTS ").unwrap_or(rest);
    let (kind, name) = rest.split_once(' ')?;
    let name = name.split([' ', '(']).next()?;
    let is_replaceable = matches!(kind, "VIEW" | "TRIGGER" | "FUNCTION" | "INDEX");
    is_replaceable.then(|| &rest[..=kind.len() + name.len()])
}

/// Returns why an expanding statement may break the program before it. `all` are the statements of the migration, and
/// `down` those that revert it.
fn breaks(statement: &str, all: &[String], down: &[String]) -> Option<&'static str> {
    let has = |text: &str| statement.contains(text);
    let alters = statement.starts_with("ALTER TABLE");
    if statement.starts_with("DROP") {
        let dropped = object(statement, "DROP");
        let is_made_by = |statements: &[String]| statements.iter().any(|other| object(other, "CREATE") == dropped);
        // Without an index that is not unique, older programs are only slower in some lists. `object` does not recognize
        // `CREATE UNIQUE INDEX`, so a unique index stays.
        let is_plain_index = statement.starts_with("DROP INDEX") && is_made_by(down);
        let is_replaced = dropped.is_some() && (is_made_by(all) || is_plain_index);
        return (!is_replaced).then_some("it drops what older programs may use");
    }
    if has("SCHEMA_GENERATION") {
        return Some("only a contracting migration changes which programs may write");
    }
    if alters && (has(" DROP ") || has(" RENAME ") || has(" TYPE ") || has(" SET NOT NULL")) {
        return Some("it changes a column that older programs use");
    }
    if alters && has(" ADD ") && has(" NOT NULL") && !has(" DEFAULT ") {
        return Some("older programs do not write the new column");
    }
    if alters && (has(" CHECK ") || has(" ADD CONSTRAINT ")) && !has(" ADD COLUMN ") {
        return Some("older programs may write what the constraint rejects");
    }
    if statement.starts_with("CREATE UNIQUE INDEX") {
        let table = statement.split(" ON ").nth(1).and_then(|rest| rest.split([' ', '(']).next()).unwrap_or_default();
        let is_new = all.iter().any(|other| other.starts_with(&format!("CREATE TABLE {table} ")));
        return (!is_new).then_some("older programs may write what the index rejects");
    }
    (statement.starts_with("DELETE") || statement.starts_with("TRUNCATE")).then_some("it removes rows")
}

/// Checks a migration behind which programs from `before` on may write. Returns the generation that may write after it.
fn check(up: &str, down: &str, before: i64) -> Result<i64, String> {
    let (kind, up, down) = (declared(up)?, statements(up), statements(down));
    let sets = |statements: &[String], generation: i64| {
        let expected = format!("UPDATE SCHEMA_GENERATION SET GENERATION = {generation}");
        statements.contains(&expected)
    };
    match kind {
        Kind::Expand => match up.iter().find_map(|statement| Some((breaks(statement, &up, &down)?, statement))) {
            Some((why, statement)) => Err(format!("it does not expand, {why}: {statement}")),
            None => Ok(before),
        },
        Kind::Contract(oldest) if oldest <= before => Err(format!("generation {oldest} shuts no program out")),
        Kind::Contract(oldest) if oldest > GENERATION => Err(format!("generation {oldest} shuts this program out")),
        Kind::Contract(oldest) if !sets(&up, oldest) => Err(format!("up.sql does not set generation {oldest}")),
        Kind::Contract(_) if !sets(&down, before) => Err(format!("down.sql does not set generation {before}")),
        Kind::Contract(oldest) => Ok(oldest),
    }
}

/// Returns the texts of the migrations behind the baseline by name: `up.sql` and `down.sql`.
fn migrations(database: &str) -> BTreeMap<String, [String; 2]> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(database);
    let named = fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let text = |file| fs::read_to_string(path.join(file)).unwrap();
        (path.file_name().unwrap().to_string_lossy().into_owned(), ["up.sql", "down.sql"].map(text))
    });
    named.filter(|(name, _)| !name.starts_with(BASELINE)).collect()
}

#[test]
fn each_migration_declares_its_kind_and_keeps_to_it() {
    for database in ["sqlite", "postgres"] {
        let mut oldest = FIRST;
        for (name, [up, down]) in migrations(database) {
            oldest = check(&up, &down, oldest).unwrap_or_else(|fault| panic!("{database}/{name}: {fault}"));
        }
    }
}

#[test]
fn both_databases_have_the_same_migrations_of_the_same_kinds() {
    let kinds = |database| {
        let kinds = migrations(database).into_iter().map(|(name, [up, _])| (name, declared(&up).unwrap()));
        kinds.collect::<Vec<_>>()
    };
    assert!(!kinds("sqlite").is_empty());
    assert_eq!(kinds("sqlite"), kinds("postgres"));
}

#[test]
fn a_migration_that_older_programs_fail_on_does_not_expand() {
    for statement in [
        "DROP TABLE orders",
        "DROP VIEW events",
        "alter table orders drop column priority",
        "ALTER TABLE orders RENAME COLUMN lines TO items",
        "ALTER TABLE orders RENAME TO sales_orders",
        "ALTER TABLE orders ALTER COLUMN lines TYPE jsonb",
        "ALTER TABLE orders ALTER COLUMN hold_seconds SET NOT NULL",
        "ALTER TABLE orders ADD COLUMN note text NOT NULL",
        "ALTER TABLE orders ADD CONSTRAINT orders_held CHECK (hold_seconds > 9)",
        "CREATE UNIQUE INDEX orders_by_lines ON orders (lines)",
        "DELETE FROM orders",
        "UPDATE schema_generation SET generation = 2",
    ] {
        let up = format!("-- kind: expand\n-- A comment; with -- marks.\n{statement};\n");
        assert!(check(&up, "", FIRST).is_err(), "{statement}");
    }
    for statements in [
        "ALTER TABLE orders ADD COLUMN note text",
        "ALTER TABLE orders ADD COLUMN rush INTEGER NOT NULL DEFAULT 0 CHECK (rush IN (0, 1))",
        "DROP VIEW events; CREATE VIEW events AS SELECT 1",
        "CREATE TABLE notes (id TEXT); CREATE UNIQUE INDEX notes_by_id ON notes (id)",
    ] {
        assert_eq!(check(&format!("-- kind: expand\n{statements};\n"), "", FIRST), Ok(FIRST), "{statements}");
    }
}

/// What reverts the migration tells what kind of index it was.
#[test]
fn an_index_that_is_not_unique_may_be_dropped() {
    let up = "-- kind: expand\nDROP INDEX orders_by_lines;\n";
    assert_eq!(check(up, "CREATE INDEX orders_by_lines ON orders (lines);", FIRST), Ok(FIRST));
    assert!(check(up, "CREATE UNIQUE INDEX orders_by_lines ON orders (lines);", FIRST).is_err());
    assert!(check(up, "CREATE INDEX orders_by_priority ON orders (priority);", FIRST).is_err());
}

#[test]
fn a_contracting_migration_sets_the_generation_that_it_declares() {
    let set = |generation: i64| format!("UPDATE schema_generation SET generation = {generation};\n");
    let up = |declared: i64, stored: i64| format!("-- kind: contract {declared}\nDROP TABLE old;\n{}", set(stored));
    assert_eq!(check(&up(2, 2), &set(1), FIRST), Ok(2));
    for (up, down) in [
        (up(2, 3), set(1)),
        (up(2, 2), set(2)),
        (up(1, 1), set(1)),
        (up(GENERATION + 1, GENERATION + 1), set(1)),
        ("DROP TABLE old;\n".to_owned(), String::new()),
        ("-- kind: change\nDROP TABLE old;\n".to_owned(), String::new()),
    ] {
        assert!(check(&up, &down, FIRST).is_err(), "{up}");
    }
}
