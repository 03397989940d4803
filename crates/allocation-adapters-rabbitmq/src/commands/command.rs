//! The content of commands.

use super::problem::Problem;
use allocation_app::NewBatch;
use allocation_domain::{BatchReference, Eta, Event, IdentifierError, OrderId, OrderLine, Quantity, Sku, Units};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// The `type` values of commands.
pub(crate) mod types {
    pub(crate) const ALLOCATE: &str = "allocation.command.allocate.v1";
    pub(crate) const DEALLOCATE: &str = "allocation.command.deallocate.v1";
    pub(crate) const CHANGE_BATCH_QUANTITY: &str = "allocation.command.change_batch_quantity.v1";
    pub(crate) const ADD_BATCH: &str = "allocation.command.add_batch.v1";
}

/// A command whose data is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Allocate(OrderLine),
    Deallocate { order_id: OrderId, reference: BatchReference },
    ChangeBatchQuantity { reference: BatchReference, purchased: Units },
    AddBatch(NewBatch),
}

impl Command {
    /// Parses the data of a command of that type, as strictly as the HTTP API parses bodies.
    pub(crate) fn parse(kind: &str, data: &RawValue) -> Result<Self, Problem> {
        match kind {
            types::ALLOCATE => {
                let Allocate { order_id, sku, qty } = read(data)?;
                let line = OrderLine::new(order_id, sku, qty);
                line.map(Self::Allocate).map_err(|error| Problem::validation(format!("data: {error}")))
            }
            types::DEALLOCATE => {
                let Deallocate { order_id, reference } = read(data)?;
                Ok(Self::Deallocate { order_id, reference })
            }
            types::CHANGE_BATCH_QUANTITY => {
                let ChangeBatchQuantity { reference, qty: purchased } = read(data)?;
                Ok(Self::ChangeBatchQuantity { reference, purchased })
            }
            types::ADD_BATCH => {
                let AddBatch { reference, sku, purchased_quantity: purchased, eta } = read(data)?;
                Ok(Self::AddBatch(NewBatch { reference, sku, purchased, eta }))
            }
            _ => Err(Problem::validation("type: is not the type of a command")),
        }
    }

    /// Returns the type of the event that records the effect of this kind of command.
    pub(crate) const fn effect(&self) -> &'static str {
        match self {
            Self::Allocate(_) => "allocated",
            Self::Deallocate { .. } => "deallocated",
            Self::ChangeBatchQuantity { .. } => "batch_changed",
            Self::AddBatch(_) => "batch_added",
        }
    }

    /// Returns whether an event, caused by a command of the same id, is the effect of this command.
    ///
    /// The id alone does not identify a command: two senders may use the same one.
    pub(crate) fn has_effect(&self, event: &Event) -> bool {
        match (self, event) {
            (Self::Allocate(line), Event::Allocated { order_id, sku, line_quantity, .. }) => {
                (line.order_id(), line.sku(), line.quantity()) == (order_id, sku, *line_quantity)
            }
            (
                Self::Deallocate { order_id, reference },
                Event::Deallocated { order_id: freed, reference: freed_of, .. },
            ) => (order_id, reference) == (freed, freed_of),
            (
                Self::ChangeBatchQuantity { reference, purchased },
                Event::BatchChanged { reference: changed, purchased_quantity, .. },
            ) => (reference, purchased) == (changed, purchased_quantity),
            (Self::AddBatch(batch), Event::BatchAdded { reference, sku, purchased_quantity, eta }) => {
                let NewBatch { reference: asked, sku: of, purchased, eta: due } = batch;
                (asked, of, purchased, due) == (reference, sku, purchased_quantity, eta)
            }
            _ => false,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allocate {
    #[serde(deserialize_with = "identifier")]
    order_id: OrderId,
    #[serde(deserialize_with = "identifier")]
    sku: Sku,
    qty: Quantity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deallocate {
    #[serde(deserialize_with = "identifier")]
    order_id: OrderId,
    #[serde(deserialize_with = "identifier")]
    reference: BatchReference,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeBatchQuantity {
    #[serde(deserialize_with = "identifier")]
    reference: BatchReference,
    qty: Units,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddBatch {
    #[serde(deserialize_with = "identifier")]
    reference: BatchReference,
    #[serde(deserialize_with = "identifier")]
    sku: Sku,
    purchased_quantity: Quantity,
    #[serde(default = "in_stock", deserialize_with = "eta")]
    eta: Eta,
}

fn read<'a, T: Deserialize<'a>>(data: &'a RawValue) -> Result<T, Problem> {
    // serde would accept an array for a struct.
    if data.get().starts_with('[') {
        return Err(Problem::validation("data: must be an object"));
    }
    serde_json::from_str(data.get()).map_err(|error| Problem::validation(format!("data: {error}")))
}

/// Reads an identifier by the current rules. Identifiers in old events may break them; new input may not.
fn identifier<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<String, Error = IdentifierError>,
{
    T::try_from(String::deserialize(deserializer)?).map_err(de::Error::custom)
}

const fn in_stock() -> Eta {
    Eta::InStock
}

/// Reads a date in the exact form YYYY-MM-DD, or null.
fn eta<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Eta, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(Eta::InStock) };
    // There is no year 0. Formatting the date again reveals any other form.
    let exact = |date: &NaiveDate| date.year() > 0 && text.len() == 10 && date.to_string() == text;
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().filter(exact);
    let rule = "must be a date of the calendar, written YYYY-MM-DD, or null";
    let date = date.ok_or_else(|| <D::Error as de::Error>::custom(rule))?;
    Eta::new(Some(date)).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocation_domain::AllocationReason;

    fn parse(kind: &str, data: &str) -> Result<Command, Problem> {
        Command::parse(kind, &RawValue::from_string(data.to_owned()).unwrap())
    }

    #[test]
    fn commands_are_read_into_what_the_use_cases_take() {
        let line = OrderLine::new("O-1".parse().unwrap(), "LAMP".parse().unwrap(), Quantity::new(3).unwrap());
        assert_eq!(
            parse(types::ALLOCATE, r#"{"order_id":"O-1","sku":"LAMP","qty":3}"#).unwrap(),
            Command::Allocate(line.unwrap())
        );
        assert_eq!(
            parse(types::DEALLOCATE, r#"{"order_id":"O-1","reference":"B-1"}"#).unwrap(),
            Command::Deallocate { order_id: "O-1".parse().unwrap(), reference: "B-1".parse().unwrap() }
        );
        assert_eq!(
            parse(types::CHANGE_BATCH_QUANTITY, r#"{"reference":"B-1","qty":0}"#).unwrap(),
            Command::ChangeBatchQuantity { reference: "B-1".parse().unwrap(), purchased: Units::ZERO }
        );
        let batch = |eta| {
            Command::AddBatch(NewBatch {
                reference: "B-1".parse().unwrap(),
                sku: "LAMP".parse().unwrap(),
                purchased: Quantity::new(5).unwrap(),
                eta,
            })
        };
        let data = r#"{"reference":"B-1","sku":"LAMP","purchased_quantity":5"#;
        assert_eq!(parse(types::ADD_BATCH, &format!("{data}}}")).unwrap(), batch(Eta::InStock));
        assert_eq!(parse(types::ADD_BATCH, &format!(r#"{data},"eta":null}}"#)).unwrap(), batch(Eta::InStock));
        let due = NaiveDate::from_ymd_opt(2027, 1, 15).map(Eta::Due).unwrap();
        assert_eq!(parse(types::ADD_BATCH, &format!(r#"{data},"eta":"2027-01-15"}}"#)).unwrap(), batch(due));
    }

    #[test]
    fn data_is_an_object() {
        for data in [r#"["O-1","LAMP",3]"#, "[]", "3", "null", r#""O-1""#] {
            assert!(parse(types::ALLOCATE, data).is_err(), "{data}");
        }
    }

    #[test]
    fn only_what_was_asked_for_is_an_effect() {
        let allocated = Event::Allocated {
            order_id: "O-1".parse().unwrap(),
            sku: "LAMP".parse().unwrap(),
            reference: "B-1".parse().unwrap(),
            quantity: Quantity::new(1).unwrap(),
            line_quantity: Quantity::new(3).unwrap(),
            reason: AllocationReason::NewLine,
        };
        let line = |order_id: &str, sku: &str, qty: u32| {
            let data = format!(r#"{{"order_id":"{order_id}","sku":"{sku}","qty":{qty}}}"#);
            parse(types::ALLOCATE, &data).unwrap().has_effect(&allocated)
        };
        // The line spans two batches.
        assert!(line("O-1", "LAMP", 3));
        assert!(!line("O-1", "LAMP", 1) && !line("O-2", "LAMP", 3) && !line("O-1", "RUG", 3));
        let added = Event::BatchAdded {
            reference: "B-1".parse().unwrap(),
            sku: "LAMP".parse().unwrap(),
            purchased_quantity: Quantity::new(5).unwrap(),
            eta: Eta::InStock,
        };
        let batch = |reference: &str, qty: u32, eta: &str| {
            let data = format!(r#"{{"reference":"{reference}","sku":"LAMP","purchased_quantity":{qty},"eta":{eta}}}"#);
            parse(types::ADD_BATCH, &data).unwrap().has_effect(&added)
        };
        assert!(batch("B-1", 5, "null"));
        assert!(!batch("B-2", 5, "null") && !batch("B-1", 6, "null") && !batch("B-1", 5, r#""2027-01-15""#));
    }

    #[test]
    fn what_breaks_a_rule_of_the_api_is_refused() {
        let long = "x".repeat(256);
        for data in [
            r#"{}"#,
            r#"[]"#,
            r#"null"#,
            r#"{"order_id":"O-1","sku":"LAMP"}"#,
            r#"{"order_id":"O-1","sku":"LAMP","qty":0}"#,
            r#"{"order_id":"O-1","sku":"LAMP","qty":-1}"#,
            r#"{"order_id":"O-1","sku":"LAMP","qty":1.0}"#,
            r#"{"order_id":"O-1","sku":"LAMP","qty":"1"}"#,
            r#"{"order_id":"O-1","sku":"LAMP","qty":2147483648}"#,
            r#"{"order_id":"O-1","sku":"LAMP","qty":99999999999999999999}"#,
            r#"{"order_id":" O-1","sku":"LAMP","qty":1}"#,
            r#"{"order_id":"","sku":"LAMP","qty":1}"#,
            r#"{"order_id":"..","sku":"LAMP","qty":1}"#,
            r#"{"order_id":"O-1","sku":"LA\u00adMP","qty":1}"#,
            r#"{"order_id":"O-1\u200b","sku":"LAMP","qty":1}"#,
            r#"{"order_id":"O-1","sku":"Mo\u0308bel","qty":1}"#,
            r#"{"order_id":1,"sku":"LAMP","qty":1}"#,
            r#"{"order_id":"O-1","sku":"LAMP","qty":1,"more":1}"#,
            r#"{"order_id":"O-1","sku":"LAMP","qty":1,"qty":2}"#,
            r#"{"order_id":"\ud800","sku":"LAMP","qty":1}"#,
            &format!(r#"{{"order_id":"{long}","sku":"LAMP","qty":1}}"#),
        ] {
            assert!(parse(types::ALLOCATE, data).is_err(), "{data}");
        }
        assert!(parse(types::CHANGE_BATCH_QUANTITY, r#"{"reference":"B-1","qty":-1}"#).is_err());
        assert!(parse(types::CHANGE_BATCH_QUANTITY, r#"{"reference":"\ufeffB-1","qty":1}"#).is_err());
        assert!(parse(types::DEALLOCATE, r#"{"order_id":"O-1","reference":"B\u20601"}"#).is_err());
        for eta in [
            "2027-1-5",
            "2027-02-30",
            "+2027-01-01",
            "0000-01-01",
            "2027-01-15T00:00:00Z",
            "12345-01-01",
            "1999-12-31",
            "3000-01-01",
        ] {
            let data = format!(r#"{{"reference":"B-1","sku":"LAMP","purchased_quantity":5,"eta":"{eta}"}}"#);
            assert!(parse(types::ADD_BATCH, &data).is_err(), "{eta}");
        }
        assert!(parse("allocation.command.allocate.v2", r#"{"order_id":"O-1","sku":"LAMP","qty":1}"#).is_err());
    }
}
