use std::borrow::Cow;
use std::time::{Duration, SystemTime};

/// Takes spans for distributed tracing. Its callers do not wait for it.
pub trait SpanSink: Send + Sync {
    /// Takes a span, or drops it.
    fn record(&self, span: Span);
}

/// A part of a trace that has ended, as `OpenTelemetry` defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The ids of the span.
    pub ids: SpanIds,
    /// Its role in the trace.
    pub kind: SpanKind,
    /// The name, one of few: it contains no id of an order and no SKU.
    pub name: Cow<'static, str>,
    /// When it began.
    pub began: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// Whether it failed.
    pub failed: bool,
    /// What else is known.
    pub attributes: Vec<SpanAttribute>,
    /// Spans of other traces that caused this one.
    pub links: Vec<SpanLink>,
    /// The number of further spans that caused this one.
    pub dropped_links: usize,
}

/// The ids of a span. None is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanIds {
    /// The id of the trace.
    pub trace: u128,
    /// The id of the span within the trace.
    pub span: u64,
    /// The id of the parent, if it has one.
    pub parent: Option<u64>,
}

/// The role of a span in its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// A step within this program.
    Internal,
    /// A request is handled.
    Server,
    /// A message is processed.
    Consumer,
}

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanAttribute {
    /// The name.
    pub key: &'static str,
    /// The value.
    pub value: AttributeValue,
}

/// The value of a [`SpanAttribute`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// A text.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
}

/// A span of another trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanLink {
    /// The id of the trace.
    pub trace: u128,
    /// The id of the span within the trace.
    pub span: u64,
}

impl SpanAttribute {
    /// Returns an attribute with a text.
    #[must_use]
    pub fn text(key: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        Self { key, value: AttributeValue::Text(value.into()) }
    }

    /// Returns an attribute with a number.
    #[must_use]
    pub const fn number(key: &'static str, value: i64) -> Self {
        Self { key, value: AttributeValue::Number(value) }
    }
}
