//! Every line that `docs/debugging.md` quotes is a text of the program.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use proc_macro2::{TokenStream, TokenTree};
use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// Adds the string literals of all sources below a folder. Placeholders are written `{}`.
fn add_texts(folder: &Path, texts: &mut HashSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add_texts(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            add_literals(fs::read_to_string(&path).unwrap().parse().unwrap(), texts);
        }
    }
}

fn add_literals(tokens: TokenStream, texts: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => add_literals(group.stream(), texts),
            TokenTree::Literal(literal) => {
                texts.insert(with_placeholders(&unescaped(&literal.to_string())));
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// Joins the lines of a literal and removes its quotes.
fn unescaped(literal: &str) -> String {
    let mut lines = literal.trim_matches('"').split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| text + line.trim_start())
}

/// Empties the braces of a format string.
fn with_placeholders(text: &str) -> String {
    let mut parts = text.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "{}" + part.split_once('}').map_or(part, |(_, rest)| rest))
}

/// Returns the quoted lines: the first cells of all tables that are code.
fn quoted(page: &str) -> Vec<String> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    cells.map(|cell| cell.trim_matches(['`', ' ']).replace(" `` ", "")).collect()
}

/// Writes the placeholders and times of the page like those of a format string.
fn as_text(line: &str) -> String {
    let is_end = |character: char| !character.is_ascii_alphanumeric() && character != '_';
    let is_placeholder = |word: &str| matches!(word, "N" | "NAME" | "ADDRESS" | "2" | "30");
    let words = line.strip_prefix("allocation: ").unwrap_or(line).split_inclusive(is_end).map(|word| {
        let name = word.trim_end_matches(is_end);
        if is_placeholder(name) { word.replacen(name, "{}", 1) } else { word.to_owned() }
    });
    words.collect()
}

#[test]
fn every_line_of_the_debugging_page_is_a_text_of_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts = HashSet::new();
    for folder in fs::read_dir(root.join("crates")).unwrap() {
        add_texts(&folder.unwrap().path().join("src"), &mut texts);
    }
    let page = fs::read_to_string(root.join("docs/debugging.md")).unwrap();
    let lines: Vec<_> = quoted(&page).into_iter().map(|line| as_text(&line)).collect();
    assert!(lines.len() > 40, "{lines:?}");
    // A component that fails, and the consequence, are texts of their own.
    let is_failure = |line: &str| {
        let parts = line.split_once(" failed, ");
        parts.is_some_and(|(component, consequence)| texts.contains(component) && texts.contains(consequence))
    };
    let is_known = |line: &&String| texts.iter().any(|text| text.contains(line.as_str())) || is_failure(line);
    let unknown: Vec<_> = lines.iter().filter(|line| !is_known(line)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}
