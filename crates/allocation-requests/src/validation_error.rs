use serde::Serialize;
use std::fmt;

/// An error of a request: its location and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValidationError {
    /// The location.
    #[serde(flatten)]
    pub location: Location,
    /// What is wrong, as a predicate: `is missing`.
    pub detail: String,
}

/// The location of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// A JSON pointer (RFC 6901) into the body.
    Pointer(String),
    /// The name of a parameter beside the body.
    Parameter(String),
}

impl ValidationError {
    /// Creates an error in the body.
    pub fn in_body(pointer: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self { location: Location::Pointer(pointer.into()), detail: detail.to_string() }
    }

    /// Creates an error of a parameter.
    pub fn in_parameter(parameter: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self { location: Location::Parameter(parameter.into()), detail: detail.to_string() }
    }

    fn bytes(&self) -> usize {
        let (Location::Pointer(location) | Location::Parameter(location)) = &self.location;
        location.len() + self.detail.len()
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::Pointer(whole) if whole.is_empty() => f.write_str(&self.detail),
            Location::Pointer(location) | Location::Parameter(location) => write!(f, "{location} {}", self.detail),
        }
    }
}

/// All errors of a request.
#[derive(Debug, Default)]
pub struct ValidationErrors {
    listed: Vec<ValidationError>,
    /// The bytes of the listed errors.
    bytes: usize,
    /// The number of errors, listed or not.
    count: usize,
}

impl ValidationErrors {
    /// The size from which further errors are counted but not listed: hundreds of errors.
    ///
    /// The JSON pointers of a body full of errors could exhaust memory.
    const MAX_BYTES: usize = 64 * 1024;

    /// Creates the error of a whole value.
    pub fn of_value(detail: impl fmt::Display) -> Self {
        Self::at("", detail)
    }

    /// Creates an error at a JSON pointer.
    pub fn at(pointer: impl Into<String>, detail: impl fmt::Display) -> Self {
        ValidationError::in_body(pointer, detail).into()
    }

    /// Adds an error.
    pub fn push(&mut self, error: ValidationError) {
        self.push_with(|| error);
    }

    /// Adds an error, which is built only if it is listed.
    pub fn push_with(&mut self, error: impl FnOnce() -> ValidationError) {
        self.count += 1;
        if self.bytes < Self::MAX_BYTES {
            let error = error();
            self.bytes += error.bytes();
            self.listed.push(error);
        }
    }

    /// Appends other errors.
    pub fn append(&mut self, other: Self) {
        let unlisted = other.count - other.listed.len();
        other.listed.into_iter().for_each(|error| self.push(error));
        self.count += unlisted;
    }

    /// Returns the errors of a value as errors of its parent, which has the value at a JSON pointer.
    #[must_use]
    pub fn under(self, pointer: &str) -> Self {
        let mut errors = Self { count: self.count - self.listed.len(), ..Self::default() };
        for ValidationError { location, detail } in self.listed {
            errors.push_with(|| match location {
                Location::Pointer(below) => ValidationError::in_body(format!("{pointer}{below}"), detail),
                parameter @ Location::Parameter(_) => ValidationError { location: parameter, detail },
            });
        }
        errors
    }

    /// Returns the value if there are no errors.
    ///
    /// # Errors
    ///
    /// These errors, if there are any or there is no value.
    pub fn check<T>(self, found: Option<T>) -> Result<T, Self> {
        match found {
            Some(found) if self.count == 0 => Ok(found),
            _ => Err(self),
        }
    }

    /// Returns the value, or appends the errors and returns `None`.
    pub fn keep<T>(&mut self, found: Result<T, Self>) -> Option<T> {
        found.map_err(|errors| self.append(errors)).ok()
    }

    /// Returns whether there are no errors.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the number of errors, listed or not.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Returns the listed errors: all, unless they exceed 64 KiB.
    #[must_use]
    pub fn listed(&self) -> &[ValidationError] {
        &self.listed
    }

    /// Returns the listed errors: all, unless they exceed 64 KiB.
    #[must_use]
    pub fn into_listed(self) -> Vec<ValidationError> {
        self.listed
    }
}

impl From<ValidationError> for ValidationErrors {
    fn from(error: ValidationError) -> Self {
        let mut errors = Self::default();
        errors.push(error);
        errors
    }
}

impl fmt::Display for ValidationErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.listed.iter().enumerate() {
            write!(f, "{}{error}", if index > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}
