//! Pick lists as the feed tells them.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Pick lists by their names, as `GET /pick-lists/{pick_list_id}` shows them but for their status.
pub(super) fn replay(events: &[Value]) -> BTreeMap<String, Value> {
    let mut lists: BTreeMap<String, (Value, BTreeMap<u64, Value>)> = BTreeMap::new();
    for event in events {
        let data = &event["data"];
        let (Some(name), Some(number)) = (data["list"].as_str(), data["line"].as_u64()) else { continue };
        let (_, lines) = lists.entry(name.to_owned()).or_insert_with(|| (event["time"].clone(), BTreeMap::new()));
        if event["type"] == "allocation.pick.listed.v1" {
            let line = json!({
                "line": number, "reference": data["reference"], "sku": data["sku"], "order_id": data["order_id"],
                "qty": data["quantity"], "status": "open"
            });
            assert!(lines.insert(number, line).is_none(), "{event}");
            continue;
        }
        let line = lines.get_mut(&number).unwrap_or_else(|| panic!("a line that was not listed: {event}"));
        for name in ["reference", "sku", "order_id"] {
            assert_eq!(line[name], data[name], "{event}");
        }
        match event["type"].as_str().unwrap() {
            "allocation.pick.changed.v1" => line["qty"] = data["quantity"].clone(),
            "allocation.pick.withdrawn.v1" => line["status"] = json!("withdrawn"),
            "allocation.pick.picked.v1" => {
                (line["status"], line["picked"]) = (json!("picked"), data["quantity"].clone());
            }
            // What was found is told before.
            "allocation.pick.units_missing.v1" if line["status"] == "picked" => {}
            "allocation.pick.units_missing.v1" => (line["status"], line["picked"]) = (json!("missing"), json!(0)),
            "allocation.pick.shipped.v1" => line["status"] = json!("shipped"),
            other => panic!("{other} is not known: {event}"),
        }
    }
    let shown = |(name, (created_at, lines)): (String, (Value, BTreeMap<u64, Value>))| {
        let lines: Vec<Value> = lines.into_values().collect();
        (name.clone(), json!({"pick_list_id": name, "created_at": created_at, "lines": lines}))
    };
    lists.into_iter().map(shown).collect()
}
