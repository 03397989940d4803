use super::{FromJson, Json, MAX_CHILDREN, Text};
use crate::validation_error::{ValidationError, ValidationErrors};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The longest member name that is read, in bytes: error messages repeat names.
const MAX_NAME_BYTES: usize = 1_024;

/// The members for which there is room at once: most objects have no more.
const USUAL_MEMBERS: usize = 8;

/// An object whose members are taken one by one. A member that remains is unknown.
///
/// ```
/// use allocation_domain::{Quantity, Sku};
/// use allocation_requests::{FromJson, Json, ValidationErrors};
///
/// struct Item {
///     sku: Sku,
///     qty: Option<Quantity>,
/// }
///
/// impl FromJson for Item {
///     fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
///         let mut item = json.object()?;
///         let (sku, qty) = (item.required("sku"), item.optional("qty"));
///         item.finish(|| Some(Self { sku: sku?, qty }))
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Object<'a> {
    members: Vec<Member<'a>>,
    /// The number of all members, read or not.
    count: usize,
    /// The length of the longest name that was read, in bytes.
    longest_name: usize,
    /// The names that were taken.
    known: Vec<&'static str>,
    missing: Vec<&'static str>,
    has_repeated: bool,
}

#[derive(Debug)]
struct Member<'a> {
    name: Cow<'a, str>,
    value: Json<'a>,
    state: State,
}

#[derive(Debug)]
enum State {
    NotTaken,
    Valid,
    Invalid(ValidationErrors),
}

impl<'a> Object<'a> {
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, Json<'a>)> {
        self.members.iter().map(|member| (&*member.name, member.value))
    }

    /// Returns why the object is too large to read.
    pub(crate) fn excess(&self) -> Option<String> {
        if self.count > MAX_CHILDREN {
            return Some(format!("has {} members, more than the {MAX_CHILDREN} that are read", self.count));
        }
        let has_long_name = self.longest_name > MAX_NAME_BYTES;
        has_long_name
            .then(|| format!("has a member name of {} bytes; the limit is {MAX_NAME_BYTES}", self.longest_name))
    }

    /// Takes a member; `None` if it is missing or invalid, which is an error.
    pub fn required<T: FromJson>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        let taken = self.take(name);
        if taken.is_none() {
            self.missing.push(name);
        }
        taken.flatten()
    }

    /// Takes a member; `None` if it is absent, or invalid, which is an error.
    pub fn optional<T: FromJson>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        self.take(name).flatten()
    }

    /// Takes a required member that has an alias; `None` if it is missing or invalid, which is an error.
    pub fn required_or_alias<T: FromJson>(&mut self, name: &'static str, alias: &str) -> Option<T> {
        let has = |name: &str| self.members.iter().any(|member| member.name == name);
        match (has(name), has(alias)) {
            (_, false) => self.required(name),
            (false, true) => {
                self.known.push(name);
                self.take(alias).flatten()
            }
            (true, true) => {
                for member in self.members.iter_mut().filter(|member| member.name == alias) {
                    let rule = format!("is another name of {name}: give one of them");
                    member.state = State::Invalid(ValidationErrors::at(format!("/{alias}"), rule));
                }
                self.required(name)
            }
        }
    }

    /// Takes all members of a name; the result is `None` if there is none.
    fn take<T: FromJson>(&mut self, name: &str) -> Option<Option<T>> {
        let mut taken = None;
        for member in self.members.iter_mut().filter(|member| member.name == name) {
            self.has_repeated |= taken.is_some();
            taken = Some(match T::from_json(member.value) {
                Ok(value) => {
                    member.state = State::Valid;
                    Some(value)
                }
                Err(errors) => {
                    member.state = State::Invalid(errors.under(&format!("/{name}")));
                    None
                }
            });
        }
        taken
    }

    /// Builds a value from the members that were taken.
    ///
    /// # Errors
    ///
    /// All errors of the object: in the order of the text, then missing members.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, ValidationErrors> {
        let mut errors = ValidationErrors::default();
        let is_valid = self.members.iter().all(|member| matches!(member.state, State::Valid));
        for Member { name, state, .. } in self.members {
            match state {
                State::Valid => {}
                State::Invalid(found) => errors.append(found),
                State::NotTaken => errors.push_with(|| {
                    let rule = match &*self.known {
                        [] => "is not known; there are no members".to_owned(),
                        known => format!("is not known; known are {}", known.join(", ")),
                    };
                    ValidationError::in_body(format!("/{}", escape(&name)), rule)
                }),
            }
        }
        for name in self.missing {
            errors.push(ValidationError::in_body(format!("/{name}"), "is missing"));
        }
        errors.check(build().filter(|_| is_valid && !self.has_repeated))
    }
}

/// Escapes a member name for a JSON pointer.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut members, mut longest_name) = (Vec::with_capacity(USUAL_MEMBERS), 0);
                while members.len() < MAX_CHILDREN
                    && longest_name <= MAX_NAME_BYTES
                    && let Some((Text(name), value)) = map.next_entry::<Text<'_>, &RawValue>()?
                {
                    longest_name = longest_name.max(name.len());
                    members.push(Member { name, value: Json::new(value), state: State::NotTaken });
                }
                let mut count = members.len();
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    count += 1;
                }
                let (known, missing) = (Vec::new(), Vec::new());
                Ok(Object { members, count, longest_name, known, missing, has_repeated: false })
            }
        }

        deserializer.deserialize_map(Members)
    }
}
