use crate::json::{Json, ParseError, malformed};
use crate::validation_error::ValidationErrors;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Range;

/// The maximum number of items in a text.
pub const MAX_ITEMS: usize = 10_000;

/// The way in which a text separates its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemFormat {
    /// The elements of a JSON array.
    Array,
    /// One item on each line (NDJSON). Blank lines do not count.
    Lines,
}

/// Returns the place of each item in a text, in bytes. The items themselves are not parsed yet.
///
/// # Errors
///
/// [`ParseError::Malformed`] for an array that is not JSON; a line that is not JSON is an item like the others.
/// [`ParseError::Invalid`] if the text has no item or more than [`MAX_ITEMS`], or is no array.
pub fn split_items(text: &[u8], format: ItemFormat) -> Result<Vec<Range<usize>>, ParseError> {
    let found = match format {
        ItemFormat::Array => elements(text)?,
        ItemFormat::Lines => lines(text),
    };
    match found.count {
        1..=MAX_ITEMS => Ok(found.places),
        count => {
            let rule = format!("must have from 1 to {MAX_ITEMS} items, not {count}");
            Err(ParseError::Invalid(ValidationErrors::of_value(rule)))
        }
    }
}

/// The places of the items. Beyond the maximum, items are only counted.
#[derive(Default)]
struct Items {
    places: Vec<Range<usize>>,
    count: usize,
}

impl Items {
    fn push(&mut self, place: Range<usize>) {
        self.count += 1;
        if self.count <= MAX_ITEMS {
            self.places.push(place);
        }
    }
}

fn lines(text: &[u8]) -> Items {
    let mut items = Items::default();
    let mut begin = 0;
    for line in text.split(|byte| *byte == b'\n') {
        let from = begin + line.len() - line.trim_ascii_start().len();
        let item = line.trim_ascii();
        if !item.is_empty() {
            items.push(from..from + item.len());
        }
        begin += line.len() + 1;
    }
    items
}

fn elements(text: &[u8]) -> Result<Items, ParseError> {
    let text = std::str::from_utf8(text).map_err(malformed)?;
    let whole = Json::new(serde_json::from_str::<&RawValue>(text).map_err(malformed)?);
    if whole.kind() != "an array" {
        return Err(ParseError::Invalid(whole.is_not("an array of items")));
    }
    let mut parser = serde_json::Deserializer::from_str(text);
    Places(text).deserialize(&mut parser).map_err(malformed)
}

/// Reads the places of the elements of an array in this text.
struct Places<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Places<'de> {
    type Value = Items;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Items, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Places<'de> {
    type Value = Items;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Items, A::Error> {
        let mut items = Items::default();
        while items.count < MAX_ITEMS
            && let Some(element) = array.next_element::<&RawValue>()?
        {
            // The element borrows from the text, so the difference of their addresses is its place.
            let from = element.get().as_ptr().addr() - self.0.as_ptr().addr();
            items.push(from..from + element.get().len());
        }
        while array.next_element::<IgnoredAny>()?.is_some() {
            items.count += 1;
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::{ItemFormat, MAX_ITEMS, split_items};
    use crate::ParseError;
    use proptest::prelude::*;

    fn split(text: &str, format: ItemFormat) -> Result<Vec<&str>, String> {
        let places = split_items(text.as_bytes(), format).map_err(|error| error.to_string())?;
        Ok(places.into_iter().map(|place| &text[place]).collect())
    }

    #[test]
    fn each_line_that_is_not_blank_is_an_item() {
        let text = "\r\n{\"a\": 1}\r\n\n  no json \t\n[2]";
        assert_eq!(split(text, ItemFormat::Lines).unwrap(), ["{\"a\": 1}", "no json", "[2]"]);
        assert_eq!(split_items(b"\xff\xfe\n{}\n", ItemFormat::Lines).unwrap(), [0..2, 3..5]);
    }

    #[test]
    fn each_element_of_an_array_is_an_item() {
        let text = " [ {\"a\": [1, 2]} , 7,\n\"\u{1fa91}\", null ] ";
        assert_eq!(split(text, ItemFormat::Array).unwrap(), ["{\"a\": [1, 2]}", "7", "\"\u{1fa91}\"", "null"]);
    }

    #[test]
    fn an_array_is_read_only_if_all_of_it_is_json() {
        for text in ["", "[{}", "[{},]", "[{} {}]", "[1]]", "[1] 2", "{}{}", "[\"\\x\"]"] {
            assert!(matches!(split_items(text.as_bytes(), ItemFormat::Array), Err(ParseError::Malformed(_))), "{text}");
        }
        assert!(matches!(split_items(b"[\"\xff\"]", ItemFormat::Array), Err(ParseError::Malformed(_))));
        assert_eq!(split("{\"a\": 1}", ItemFormat::Array).unwrap_err(), "must be an array of items, not an object");
    }

    #[test]
    fn the_number_of_items_has_a_limit() {
        for (format, open, between, close) in [(ItemFormat::Array, "[", ",", "]"), (ItemFormat::Lines, "", "\n", "\n")]
        {
            let text = |count: usize| format!("{open}{}{close}", vec!["7"; count].join(between));
            assert_eq!(split(&text(MAX_ITEMS), format).unwrap().len(), MAX_ITEMS);
            let count_of = |count: usize| format!("must have from 1 to 10000 items, not {count}");
            assert_eq!(split(&text(0), format).unwrap_err(), count_of(0));
            assert_eq!(split(&text(MAX_ITEMS + 1), format).unwrap_err(), count_of(MAX_ITEMS + 1));
            assert_eq!(split(&text(2 * MAX_ITEMS), format).unwrap_err(), count_of(2 * MAX_ITEMS));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_crash_the_splitting(text in proptest::collection::vec(any::<u8>(), 0..64)) {
            for format in [ItemFormat::Array, ItemFormat::Lines] {
                if let Ok(places) = split_items(&text, format) {
                    prop_assert!(places.iter().all(|place| place.start < place.end && place.end <= text.len()));
                }
            }
        }

        #[test]
        fn an_array_has_the_items_of_its_lines(items in proptest::collection::vec("[1-9][0-9]{0,4}", 1..9)) {
            let (array, lines) = (format!("[{}]", items.join(" ,\t")), items.join("\n"));
            prop_assert_eq!(split(&array, ItemFormat::Array).unwrap(), split(&lines, ItemFormat::Lines).unwrap());
        }
    }
}
