//! The content of commands.

use super::problem::{Kind, Problem};
use allocation_domain::{BatchReference, Event, OrderId, OrderLine, Units};
use allocation_requests::{AddBatch, FromJson, Json, ParseError, ValidationErrors, parse};
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
    AddBatch(AddBatch),
}

impl Command {
    /// Parses the data of a command of that type.
    pub(crate) fn parse(kind: &str, data: &RawValue) -> Result<Self, Problem> {
        match kind {
            types::ALLOCATE => parse_data(data).map(Self::Allocate),
            types::DEALLOCATE => {
                let Deallocate { order_id, reference } = parse_data(data)?;
                Ok(Self::Deallocate { order_id, reference })
            }
            types::CHANGE_BATCH_QUANTITY => {
                let ChangeBatchQuantity { reference, purchased } = parse_data(data)?;
                Ok(Self::ChangeBatchQuantity { reference, purchased })
            }
            types::ADD_BATCH => parse_data(data).map(Self::AddBatch),
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
            (
                Self::AddBatch(AddBatch { sku: of, batch }),
                Event::BatchAdded { reference, sku, purchased_quantity, eta, .. },
            ) => (of, &batch.reference, &batch.purchased, &batch.eta) == (sku, reference, purchased_quantity, eta),
            _ => false,
        }
    }
}

struct Deallocate {
    order_id: OrderId,
    reference: BatchReference,
}

impl FromJson for Deallocate {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut data = json.object()?;
        let (order_id, reference) = (data.required("order_id"), data.required("reference"));
        data.finish(|| Some(Self { order_id: order_id?, reference: reference? }))
    }
}

struct ChangeBatchQuantity {
    reference: BatchReference,
    purchased: Units,
}

impl FromJson for ChangeBatchQuantity {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut data = json.object()?;
        let (reference, purchased) = (data.required("reference"), data.required("qty"));
        data.finish(|| Some(Self { reference: reference?, purchased: purchased? }))
    }
}

/// Parses data with the parser of the HTTP API.
fn parse_data<T: FromJson>(data: &RawValue) -> Result<T, Problem> {
    parse(data.get().as_bytes()).map_err(|error| match error {
        ParseError::Malformed(error) => Problem::of(Kind::MalformedJson, format!("data: {error}")),
        ParseError::Invalid(errors) => Problem::validation(errors.under("data").to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocation_domain::{AllocationReason, Eta, NewBatch, Quantity};
    use chrono::NaiveDate;

    fn parse(kind: &str, data: &str) -> Result<Command, Problem> {
        Command::parse(kind, &RawValue::from_string(data.to_owned()).unwrap())
    }

    #[test]
    fn commands_are_parsed_into_the_arguments_of_use_cases() {
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
            let batch = NewBatch::new("B-1".parse().unwrap(), Quantity::new(5).unwrap(), eta);
            Command::AddBatch(AddBatch { sku: "LAMP".parse().unwrap(), batch })
        };
        let data = r#"{"reference":"B-1","sku":"LAMP","purchased_quantity":5"#;
        assert_eq!(parse(types::ADD_BATCH, &format!("{data}}}")).unwrap(), batch(Eta::InStock));
        assert_eq!(parse(types::ADD_BATCH, &format!(r#"{data},"eta":null}}"#)).unwrap(), batch(Eta::InStock));
        let due = NaiveDate::from_ymd_opt(2027, 1, 15).map(Eta::Due).unwrap();
        assert_eq!(parse(types::ADD_BATCH, &format!(r#"{data},"eta":"2027-01-15"}}"#)).unwrap(), batch(due));
    }

    #[test]
    fn an_integer_may_be_written_with_a_fraction_or_an_exponent() {
        for qty in ["10", "10.0", "1e1"] {
            let data = format!(r#"{{"order_id":"O-1","sku":"LAMP","qty":{qty}}}"#);
            let Ok(Command::Allocate(line)) = parse(types::ALLOCATE, &data) else { panic!("{qty}") };
            assert_eq!(line.quantity().get(), 10, "{qty}");
        }
    }

    #[test]
    fn a_problem_lists_every_error_of_the_data() {
        let problem = parse(types::ALLOCATE, r#"{"order_id":"","qty":0}"#).unwrap_err().to_string();
        let detail = "data/order_id must not be empty; data/qty must be an integer from 1 to 2147483647; \
            data/sku is missing";
        assert!(problem.contains(detail), "{problem}");
    }

    #[test]
    fn data_is_an_object() {
        for data in [r#"["O-1","LAMP",3]"#, "[]", "3", "null", r#""O-1""#] {
            assert!(parse(types::ALLOCATE, data).is_err(), "{data}");
        }
    }

    #[test]
    fn only_the_requested_change_is_an_effect() {
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
            origin: None,
        };
        let batch = |reference: &str, qty: u32, eta: &str| {
            let data = format!(r#"{{"reference":"{reference}","sku":"LAMP","purchased_quantity":{qty},"eta":{eta}}}"#);
            parse(types::ADD_BATCH, &data).unwrap().has_effect(&added)
        };
        assert!(batch("B-1", 5, "null"));
        assert!(!batch("B-2", 5, "null") && !batch("B-1", 6, "null") && !batch("B-1", 5, r#""2027-01-15""#));
    }

    #[test]
    fn data_that_breaks_a_rule_of_the_api_is_rejected() {
        let long = "x".repeat(256);
        for data in [
            r#"{}"#,
            r#"[]"#,
            r#"null"#,
            r#"{"order_id":"O-1","sku":"LAMP"}"#,
            r#"{"order_id":"O-1","sku":"LAMP","qty":0}"#,
            r#"{"order_id":"O-1","sku":"LAMP","qty":-1}"#,
            r#"{"order_id":"O-1","sku":"LAMP","qty":1.5}"#,
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
