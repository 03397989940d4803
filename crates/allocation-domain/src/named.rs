//! The names of enum values in events, databases and APIs.

/// An error for a text that is not the name of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {}", .0.join(", "))]
pub struct UnknownName(pub(crate) &'static [&'static str]);

/// Names each value of an enum.
macro_rules! named {
    ($named:ident: $($value:ident = $name:literal),+ $(,)?) => {
        impl $named {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The names of all values.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// Returns the name of the value.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }
        }

        impl std::str::FromStr for $named {
            type Err = $crate::UnknownName;

            fn from_str(name: &str) -> Result<Self, $crate::UnknownName> {
                match name {
                    $($name => Ok(Self::$value),)+
                    _ => Err($crate::UnknownName(Self::NAMES)),
                }
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $named {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $named {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::named::NameVisitor(std::marker::PhantomData))
            }
        }
    };
}
pub(crate) use named;

/// Parses a name without copying it.
#[cfg(feature = "serde")]
pub(crate) struct NameVisitor<T>(pub(crate) std::marker::PhantomData<T>);

#[cfg(feature = "serde")]
impl<T: std::str::FromStr<Err = UnknownName>> serde::de::Visitor<'_> for NameVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<T, E> {
        name.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::{OnShortage, OrderStatus};

    #[test]
    fn every_name_is_parsed_into_its_value() {
        for status in OrderStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
            #[cfg(feature = "serde")]
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert_eq!(OrderStatus::PartiallyAllocated.as_str(), "partially_allocated");
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_names() {
        let error = "Reject".parse::<OnShortage>().unwrap_err();
        assert_eq!(error.to_string(), "must be one of reject, backorder");
        #[cfg(feature = "serde")]
        assert!(serde_json::from_str::<OnShortage>("\"Reject\"").is_err());
    }
}
