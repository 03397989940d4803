//! Pick lists as printable pages.

use super::response::{Line, PickList};
use std::fmt::Write;

/// The content security policy: the page loads nothing but its inline style.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "\
    body { font-family: sans-serif; margin: 2em }
    table { border-collapse: collapse; width: 100% }
    th, td { border: 1px solid #999; padding: .4em .6em; text-align: left; overflow-wrap: anywhere }
    td.number { text-align: right }
    tr.withdrawn { text-decoration: line-through }
    input { width: 1.2em; height: 1.2em }
    @media print { body { margin: 0 } nav { display: none } thead { display: table-header-group } tr { break-inside: avoid } }
";

/// Links to the other formats. They are relative, so that they work behind any prefix.
const LINKS: &str = "<nav><a href=\"?format=csv\">For a spreadsheet (CSV)</a> \
    <a href=\"?format=csv&amp;raw=true\">For a program (CSV)</a> <a href=\"?format=json\">JSON</a></nav>\n";

/// Formats a list as a page. Callers choose identifiers, so all text is escaped.
pub(super) fn write(list: &PickList<'_>) -> String {
    let (name, status, created_at) = (escape(list.pick_list_id.0), list.status, list.created_at);
    let rows: String = list.lines.iter().map(row).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Pick list {name}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>Pick list {name}</h1>\n\
         <p>Made at {created_at}, {status}</p>\n{LINKS}<table>\n<thead>\n<tr><th>Done</th><th>Line</th><th>Batch</th>\
         <th>SKU</th><th>Order</th><th>Units</th><th>Picked</th></tr>\n</thead>\n<tbody>\n{rows}</tbody>\n\
         </table>\n</body>\n</html>\n"
    )
}

fn row(line: &Line<'_>) -> String {
    let Line { line: number, qty, status, .. } = line;
    let mut row = format!("<tr class=\"{status}\"><td>");
    let done = match (*status, line.picked) {
        ("open", _) => format!("<input type=\"checkbox\" aria-label=\"Line {number} is picked\">"),
        _ => (*status).to_owned(),
    };
    row.push_str(&done);
    let picked = line.picked.map(|units| units.to_string()).unwrap_or_default();
    for (class, text) in [
        ("number", number.to_string()),
        ("name", escape(line.reference.0)),
        ("name", escape(line.sku.0)),
        ("name", escape(line.order_id.0)),
        ("number", qty.to_string()),
        ("number", picked),
    ] {
        // Writing to a string does not fail.
        let _ = write!(row, "</td><td class=\"{class}\">{text}");
    }
    row.push_str("</td></tr>\n");
    row
}

/// Escapes text for content and attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn names_are_escaped() {
        assert_eq!(escape("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
        assert_eq!(escape("字 A-1"), "字 A-1");
    }
}
