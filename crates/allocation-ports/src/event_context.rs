use crate::TraceParent;
use allocation_access::Actor;
use allocation_domain::Sku;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The id of the command that caused an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CausationId(Arc<str>);

impl CausationId {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 255;

    /// Parses an id of 1 to [`CausationId::MAX_CHARS`] characters, none of them a control character.
    /// Returns `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let valid = (1..=Self::MAX_CHARS).contains(&text.chars().count()) && !text.contains(char::is_control);
        valid.then(|| Self(text.into()))
    }

    /// Returns the id as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CausationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The context of a command, as recorded with its events. The default is that of a caller without credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventContext {
    /// The author of the command.
    pub actor: Actor,
    /// The trace that the request belongs to.
    pub traceparent: Option<TraceParent>,
    /// The id of the command, if it has one.
    pub causation_id: Option<CausationId>,
}

impl EventContext {
    /// The context of what the service does by itself.
    pub const SYSTEM: Self = Self { actor: Actor::System, traceparent: None, causation_id: None };

    /// Returns whether this is the default.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        matches!(self.actor, Actor::Anonymous) && self.traceparent.is_none() && self.causation_id.is_none()
    }
}

/// The contexts of a unit of work's events, as ranges of each product's events. Events with the default context
/// are left out; an empty map costs nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventContexts(BTreeMap<Sku, Vec<(Range<usize>, EventContext)>>);

impl EventContexts {
    /// Adds a range of a product's events, behind the ranges added before. Events with the default context need
    /// not be added.
    pub fn add(&mut self, sku: &Sku, events: Range<usize>, context: &EventContext) {
        if context.is_default() || events.is_empty() {
            return;
        }
        let Some(ranges) = self.0.get_mut(sku) else {
            self.0.insert(sku.clone(), vec![(events, context.clone())]);
            return;
        };
        match ranges.last_mut() {
            // Neighbours often have the same author, and nothing else.
            Some((last, known)) if last.end == events.start && known == context => last.end = events.end,
            _ => ranges.push((events, context.clone())),
        }
    }

    /// Returns the end of the last range of a product's events, 0 when it has none.
    #[must_use]
    pub fn end(&self, sku: &Sku) -> usize {
        self.0.get(sku).and_then(|ranges| ranges.last()).map_or(0, |(events, _)| events.end)
    }

    /// Returns the context of a product's event, `None` when it is the default. Events are counted from 0, as
    /// ordinals are.
    #[must_use]
    pub fn of(&self, sku: &Sku, ordinal: usize) -> Option<&EventContext> {
        let ranges = self.0.get(sku)?;
        let (events, context) = ranges.get(ranges.partition_point(|(events, _)| events.end <= ordinal))?;
        events.contains(&ordinal).then_some(context)
    }

    /// Returns whether every event has the default context.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_command_is_any_short_text() {
        assert_eq!(CausationId::parse("a b/ç").unwrap().as_str(), "a b/ç");
        assert!(CausationId::parse("").is_none() && CausationId::parse("a\n").is_none());
        assert!(CausationId::parse(&"é".repeat(255)).is_some() && CausationId::parse(&"é".repeat(256)).is_none());
    }

    #[test]
    fn each_event_has_the_origin_of_its_range() {
        let sku = |text| Sku::parse(text).unwrap();
        let from = |id| EventContext { causation_id: CausationId::parse(id), ..EventContext::default() };
        let mut contexts = EventContexts::default();
        contexts.add(&sku("LAMP"), 0..3, &EventContext::default());
        assert!(contexts.is_empty());
        contexts.add(&sku("LAMP"), 3..5, &from("one"));
        contexts.add(&sku("LAMP"), 5..5, &from("none"));
        contexts.add(&sku("LAMP"), 6..7, &from("two"));
        let told: Vec<_> = (0..8).map(|ordinal| contexts.of(&sku("LAMP"), ordinal).cloned()).collect();
        let (one, two) = (Some(from("one")), Some(from("two")));
        assert_eq!(told, [None, None, None, one.clone(), one, None, two, None]);
        assert_eq!(contexts.of(&sku("RUG"), 3), None);
        assert_eq!((contexts.end(&sku("LAMP")), contexts.end(&sku("RUG"))), (7, 0));
    }

    #[test]
    fn neighbours_with_the_same_context_are_one_range() {
        let lamp = Sku::parse("LAMP").unwrap();
        let mut contexts = EventContexts::default();
        for events in [0..1, 1..3, 3..4, 5..6] {
            contexts.add(&lamp, events, &EventContext::SYSTEM);
        }
        assert_eq!(contexts.0[&lamp], [(0..4, EventContext::SYSTEM), (5..6, EventContext::SYSTEM)]);
        assert_eq!(contexts.of(&lamp, 4), None);
    }
}
