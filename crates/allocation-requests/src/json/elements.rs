use super::{Json, MAX_CHILDREN};
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use std::fmt;

/// The elements of an array. Beyond the longest array of a valid request, elements are only counted.
#[derive(Debug)]
pub struct Elements<'a> {
    read: Vec<Json<'a>>,
    count: usize,
}

impl Elements<'_> {
    /// Returns the number of all elements, read or not.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }
}

impl<'a> IntoIterator for Elements<'a> {
    type Item = Json<'a>;
    type IntoIter = std::vec::IntoIter<Json<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.read.into_iter()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;

        impl<'de> Visitor<'de> for Array {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while read.len() < MAX_CHILDREN
                    && let Some(element) = array.next_element()?
                {
                    read.push(Json::new(element));
                }
                let mut count = read.len();
                while array.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Elements { read, count })
            }
        }

        deserializer.deserialize_seq(Array)
    }
}
