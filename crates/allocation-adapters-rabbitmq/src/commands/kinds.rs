//! The kinds of commands, as senders see them.

use super::command::types;
use serde_json::{Value, json};

/// A kind of command: its type, what it does, and the members of its data.
pub(crate) struct CommandKind {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    members: &'static [(&'static str, Member)],
}

/// The values of a member.
#[derive(Clone, Copy)]
enum Member {
    Identifier(&'static str),
    /// A number of units, from a minimum on.
    Units(&'static str, u32),
    /// A date, null or absent for stock.
    OptionalDate(&'static str),
}

/// All kinds.
pub(crate) const COMMANDS: [CommandKind; 4] = [
    CommandKind {
        name: types::ALLOCATE,
        summary: "Allocate an order line",
        members: &[
            ("order_id", Member::Identifier("The order that the line belongs to.")),
            ("sku", Member::Identifier("The ordered SKU.")),
            ("qty", Member::Units("The ordered quantity.", 1)),
        ],
    },
    CommandKind {
        name: types::DEALLOCATE,
        summary: "Free the units that a line has of a batch",
        members: &[
            ("order_id", Member::Identifier("The order that the line belongs to.")),
            ("reference", Member::Identifier("The batch.")),
        ],
    },
    CommandKind {
        name: types::CHANGE_BATCH_QUANTITY,
        summary: "Correct the purchased quantity of a batch",
        members: &[
            ("reference", Member::Identifier("The batch.")),
            ("qty", Member::Units("The purchased quantity, possibly zero.", 0)),
        ],
    },
    CommandKind {
        name: types::ADD_BATCH,
        summary: "Add a batch",
        members: &[
            ("reference", Member::Identifier("The reference of the batch.")),
            ("sku", Member::Identifier("The SKU.")),
            ("purchased_quantity", Member::Units("The purchased quantity.", 1)),
            ("eta", Member::OptionalDate("The date from which the batch can be picked; null or absent for stock.")),
        ],
    },
];

impl CommandKind {
    /// Returns the JSON Schema of the data.
    pub(crate) fn data(&self) -> Value {
        let required: Vec<_> = self.members.iter().filter(|(_, it)| it.is_required()).map(|(name, _)| *name).collect();
        let members = self.members.iter().map(|(name, member)| ((*name).to_owned(), member.schema()));
        json!({
            "type": "object",
            "required": required,
            "properties": members.collect::<Value>(),
            "additionalProperties": false,
        })
    }
}

impl Member {
    const fn is_required(self) -> bool {
        !matches!(self, Self::OptionalDate(_))
    }

    fn schema(self) -> Value {
        match self {
            Self::Identifier(description) => {
                json!({ "description": description, "type": "string", "minLength": 1, "maxLength": 255 })
            }
            Self::Units(description, minimum) => {
                json!({ "description": description, "type": "integer", "minimum": minimum, "maximum": i32::MAX })
            }
            Self::OptionalDate(description) => {
                json!({ "description": description, "type": ["string", "null"], "format": "date" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::Command;
    use super::*;
    use serde_json::value::to_raw_value;

    /// Whether the parser of commands accepts data.
    fn is_accepted(kind: &CommandKind, data: &Value) -> bool {
        Command::parse(kind.name, &to_raw_value(data).unwrap()).is_ok()
    }

    fn example(member: Member) -> Value {
        match member {
            Member::Identifier(_) => "X-1".into(),
            Member::Units(_, minimum) => minimum.into(),
            Member::OptionalDate(_) => "2027-01-15".into(),
        }
    }

    #[test]
    fn the_parser_accepts_what_the_schemas_say_and_nothing_else() {
        for kind in &COMMANDS {
            let whole: Value = kind.members.iter().map(|(name, it)| ((*name).to_owned(), example(*it))).collect();
            assert!(is_accepted(kind, &whole), "{}: {whole}", kind.name);
            for (name, member) in kind.members {
                let mut lacking = whole.clone();
                lacking.as_object_mut().unwrap().remove(*name);
                assert_eq!(is_accepted(kind, &lacking), !member.is_required(), "{} without {name}", kind.name);
                let mut wrong = whole.clone();
                wrong[*name] = match member {
                    Member::Identifier(_) | Member::OptionalDate(_) => "".into(),
                    Member::Units(_, minimum) => (i64::from(*minimum) - 1).into(),
                };
                assert!(!is_accepted(kind, &wrong), "{} with {wrong}", kind.name);
            }
            let mut more = whole;
            more["more"] = 1.into();
            assert!(!is_accepted(kind, &more), "{} with {more}", kind.name);
        }
    }
}
