//! Pick lists as CSV (RFC 4180).

use super::response::PickList;
use std::borrow::Cow;

/// Characters that start a formula in spreadsheets: signs, their full-width forms, and characters that
/// spreadsheets skip.
const FORMULAS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Characters that end a cell for readers with separators other than the comma.
const OTHER_SEPARATORS: [char; 4] = [';', '\t', '\r', '\n'];

/// Marks the text as UTF-8 for spreadsheets.
const BYTE_ORDER_MARK: char = '\u{feff}';

const HEADER: &str = "line,reference,sku,order_id,qty,status,picked\r\n";

/// The intended reader of a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A spreadsheet, which needs a byte order mark and must not find a formula.
    Spreadsheet,
    /// A program, which needs every identifier unchanged.
    Program,
}

/// Formats the lines of a list, after a header line.
pub(super) fn write(list: &PickList<'_>, reader: Reader) -> String {
    let mut csv = String::new();
    if reader == Reader::Spreadsheet {
        csv.push(BYTE_ORDER_MARK);
    }
    csv.push_str(HEADER);
    for line in &list.lines {
        let picked = line.picked.map(|units| units.to_string()).unwrap_or_default();
        let cells = [
            line.line.to_string(),
            cell(line.reference.0, reader),
            cell(line.sku.0, reader),
            cell(line.order_id.0, reader),
            line.qty.to_string(),
            line.status.to_owned(),
            picked,
        ];
        csv.push_str(&cells.join(","));
        csv.push_str("\r\n");
    }
    csv
}

/// Formats an identifier as a cell, quoted if any reader could split it.
fn cell(name: &str, reader: Reader) -> String {
    let text = match reader {
        Reader::Spreadsheet => guarded(name),
        Reader::Program => Cow::Borrowed(name),
    };
    let quoted = text.contains(['"', ',']) || text.contains(OTHER_SEPARATORS);
    if quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into_owned() }
}

/// Puts an apostrophe before everything that a spreadsheet could evaluate: callers choose identifiers.
///
/// Readers that expect semicolons or tabs ignore quotes within a cell, so text after such a separator is
/// guarded, too.
fn guarded(name: &str) -> Cow<'_, str> {
    let mut guarded = String::new();
    let mut done = 0;
    for (place, _) in name.char_indices().filter(|(place, _)| begins_cell(name, *place)) {
        if name[place..].trim_start_matches([' ', '"']).starts_with(FORMULAS) {
            guarded.push_str(&name[done..place]);
            guarded.push('\'');
            done = place;
        }
    }
    if done == 0 && guarded.is_empty() {
        return Cow::Borrowed(name);
    }
    guarded.push_str(&name[done..]);
    Cow::Owned(guarded)
}

/// Returns whether some reader starts a new cell at this position.
fn begins_cell(name: &str, place: usize) -> bool {
    name[..place].chars().next_back().is_none_or(|before| OTHER_SEPARATORS.contains(&before))
}

#[cfg(test)]
mod tests {
    use super::{BYTE_ORDER_MARK, OTHER_SEPARATORS, Reader, cell};
    use proptest::prelude::*;

    fn shown(name: &str) -> String {
        cell(name, Reader::Spreadsheet)
    }

    #[test]
    fn a_cell_is_quoted_where_it_must_be() {
        assert_eq!(shown("RED CHAIR"), "RED CHAIR");
        assert_eq!(shown("a,b"), "\"a,b\"");
        assert_eq!(shown("a;b"), "\"a;b\"");
        assert_eq!(shown("a\tb"), "\"a\tb\"");
        assert_eq!(shown("3\" nail"), "\"3\"\" nail\"");
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(shown("=1+1"), "'=1+1");
        assert_eq!(shown("@SUM(A1,A2)"), "\"'@SUM(A1,A2)\"");
        for name in ["+1", "-1", "＝1", "＋1", "－1", "＠1"] {
            assert_eq!(shown(name), format!("'{name}"));
        }
        assert_eq!(shown("\t=1"), "\"'\t'=1\"");
        assert_eq!(shown("\r=1"), "\"'\r'=1\"");
        assert_eq!(shown("A-1"), "A-1");
    }

    #[test]
    fn no_identifier_becomes_a_formula_behind_another_separator() {
        assert_eq!(shown("x;=1+1"), "\"x;'=1+1\"");
        assert_eq!(shown("x;@a;+b"), "\"x;'@a;'+b\"");
        assert_eq!(shown("x; \"=1"), "\"x;' \"\"=1\"");
        assert_eq!(shown("x;y=1"), "\"x;y=1\"");
        assert_eq!(shown("x\t-1"), "\"x\t'-1\"");
    }

    #[test]
    fn raw_cells_have_unchanged_names() {
        assert_eq!(cell("=1+1", Reader::Program), "=1+1");
        assert_eq!(cell("x;=\"1\"", Reader::Program), "\"x;=\"\"1\"\"\"");
    }

    /// Reads a cell as RFC 4180 specifies.
    fn read(cell: &str) -> String {
        match cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => cell.to_owned(),
        }
    }

    proptest! {
        #[test]
        fn no_identifier_becomes_a_formula(name in "[-=+@＝;,\t\r\n \"a]{1,12}") {
            let shown = shown(&name);
            for cell in read(&shown).split(OTHER_SEPARATORS).chain(shown.split(OTHER_SEPARATORS)) {
                let cell = cell.trim_start_matches([' ', '"']);
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '＝']), "{shown:?}");
            }
        }

        #[test]
        fn raw_cells_round_trip(name in "[-=+@;,\t \"'a]{1,12}") {
            prop_assert_eq!(read(&cell(&name, Reader::Program)), name);
        }
    }

    #[test]
    fn the_byte_order_mark_is_three_bytes() {
        assert_eq!(BYTE_ORDER_MARK.to_string().as_bytes(), b"\xef\xbb\xbf");
    }
}
