//! A pick list as comma-separated values (RFC 4180).

use super::shown::PickList;

/// What begins a formula in spreadsheets, in forms of full width too.
const FORMULAS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

const HEADER: &str = "line,reference,sku,order_id,qty,status,picked\r\n";

/// The lines of a list with a header line.
pub(super) fn write(list: &PickList<'_>) -> String {
    let mut csv = HEADER.to_owned();
    for line in &list.lines {
        let picked = line.picked.map(|units| units.to_string()).unwrap_or_default();
        let cells = [
            line.line.to_string(),
            cell(line.reference),
            cell(line.sku),
            cell(line.order_id),
            line.qty.to_string(),
            line.status.to_owned(),
            picked,
        ];
        csv.push_str(&cells.join(","));
        csv.push_str("\r\n");
    }
    csv
}

/// A name as a cell. Callers choose names: one that a spreadsheet would run begins with an
/// apostrophe, which makes it a text.
fn cell(name: &str) -> String {
    let apostrophe = if name.starts_with(FORMULAS) { "'" } else { "" };
    let text = format!("{apostrophe}{name}");
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_cell_is_quoted_where_it_must_be() {
        assert_eq!(cell("RED CHAIR"), "RED CHAIR");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("3\" nail"), "\"3\"\" nail\"");
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("@SUM(A1,A2)"), "\"'@SUM(A1,A2)\"");
        for name in ["+1", "-1", "＝1", "＋1", "－1", "＠1"] {
            assert_eq!(cell(name), format!("'{name}"));
        }
        assert_eq!(cell("A-1"), "A-1");
    }
}
