use crate::json::{FromJson, Json};
use crate::validation_error::{ValidationError, ValidationErrors};
use allocation_access::{KeyName, Rate, Scope, Scopes};
use allocation_app::NewKey;
use chrono::{DateTime, SubsecRound, Utc};
use std::fmt::Display;
use std::str::FromStr;

/// A key as it is requested: name and scopes, with or without a rate and an expiry.
impl FromJson for NewKey {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut key = json.object()?;
        let (name, scopes) = (key.required("name"), key.required("scopes"));
        let rate = key.optional::<Option<Rate>>("rate").flatten();
        let expires_at = key.optional::<Option<Expiry>>("expires_at").flatten().map(|Expiry(at)| at);
        key.finish(|| Some(Self { name: name?, scopes: scopes?, rate, expires_at }))
    }
}

/// Parses a string; a value of another type violates the rule of the string, too.
fn string<T, E: Display>(json: Json<'_>, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, ValidationErrors> {
    parse(&json.string().unwrap_or_default()).map_err(ValidationErrors::of_value)
}

impl FromJson for KeyName {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        string(json, Self::parse)
    }
}

impl FromJson for Rate {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        string(json, Self::from_str)
    }
}

impl FromJson for Scope {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        string(json, Self::from_str)
    }
}

impl FromJson for Scopes {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let elements = json.elements().ok_or_else(|| json.is_not("an array of scopes"))?;
        let (mut errors, mut scopes) = (ValidationErrors::default(), Vec::new());
        if !(1..=Scope::ALL.len()).contains(&elements.count()) {
            let rule = format!("must have from 1 to {} elements", Scope::ALL.len());
            errors.push(ValidationError::in_body("", rule));
        }
        for (index, element) in elements.into_iter().enumerate() {
            let scope = Scope::from_json(element).map_err(|errors| errors.under(&format!("/{index}")));
            scopes.extend(errors.keep(scope));
        }
        errors.check(Some(scopes.into_iter().collect()))
    }
}

/// An instant in RFC 3339.
struct Expiry(DateTime<Utc>);

impl FromJson for Expiry {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let rule = "must be an instant in RFC 3339, such as 2027-01-15T08:00:00Z";
        let parse = |text: &str| DateTime::parse_from_rfc3339(text).map_err(|_| rule);
        string(json, parse).map(|at| Self(at.to_utc().trunc_subsecs(6)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{ParseError, parse};

    #[test]
    fn a_key_has_a_name_and_scopes_and_may_have_a_rate_and_an_expiry() {
        let plain: NewKey = parse(br#"{"name": "shop", "scopes": ["read"], "rate": null}"#).unwrap();
        let scopes = Scopes::from_iter([Scope::Read]);
        let expected = NewKey { name: KeyName::parse("shop").unwrap(), scopes, rate: None, expires_at: None };
        assert_eq!(plain, expected);
        let text = br#"{"name": "shop", "scopes": ["read", "orders:write"], "rate": "10/m",
            "expires_at": "2027-01-15T09:00:00+01:00"}"#;
        let full: NewKey = parse(text).unwrap();
        assert_eq!(full.scopes, Scopes::from_iter([Scope::Read, Scope::OrdersWrite]));
        assert_eq!(full.rate, "10/m".parse().ok());
        assert_eq!(full.expires_at, "2027-01-15T08:00:00Z".parse().ok());
    }

    #[test]
    fn every_error_is_reported_at_its_place() {
        let text = br#"{"name": 7, "scopes": ["read", "write", 1], "rate": "10", "expires_at": "tomorrow", "key": ""}"#;
        let Err(ParseError::Invalid(errors)) = parse::<NewKey>(text) else { panic!("it is not valid") };
        let errors = errors.to_string();
        for place in ["/name", "/scopes/1", "/scopes/2", "/rate", "/expires_at", "/key"] {
            assert!(errors.contains(place), "{place}: {errors}");
        }
        for text in [&br#"{"name": "shop", "scopes": []}"#[..], br#"{"name": "shop"}"#, br#"{"scopes": "read"}"#] {
            assert!(parse::<NewKey>(text).is_err());
        }
    }
}
