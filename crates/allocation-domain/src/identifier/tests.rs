use super::*;

#[test]
fn scripts_slashes_and_inner_spaces_are_unchanged() {
    for text in ["RED-CHAIR", "a/b c", "ご注文 42", "🪑", "100%", "\"quoted\"", "...", "%2F"] {
        assert_eq!(Sku::parse(text).unwrap().as_str(), text);
    }
}

#[test]
fn an_invalid_identifier_is_rejected_with_the_broken_rule() {
    assert_eq!(OrderId::parse(""), Err(IdentifierError::Empty));
    assert_eq!(OrderId::parse(" a"), Err(IdentifierError::Padded));
    assert_eq!(OrderId::parse("a\u{2003}"), Err(IdentifierError::Padded));
    for (text, character, position) in [("a\nb", '\n', 2), ("a\0", '\0', 2), ("é\u{85}b", '\u{85}', 2)] {
        let at = CharacterAt { character, position };
        assert_eq!(OrderId::parse(text), Err(IdentifierError::ControlCharacter(at)));
    }
    assert_eq!(OrderId::parse(".."), Err(IdentifierError::DotSegment));
    assert_eq!(OrderId::parse("."), Err(IdentifierError::DotSegment));
}

#[test]
fn length_is_counted_in_characters_not_bytes() {
    assert!(BatchReference::parse("🪑".repeat(255)).is_ok());
    assert_eq!(BatchReference::parse("é".repeat(256)), Err(IdentifierError::TooLong(256)));
}

/// Identifiers that an earlier version accepted must not make a database unreadable.
#[test]
fn only_identifiers_that_an_earlier_version_accepted_are_restored() {
    for stored in ["LA\u{AD}MP", "e\u{301}", "\u{FEFF}A", "a\u{A0}b", "\u{E000}"] {
        assert!(Sku::parse(stored).is_err(), "{stored:?}");
        assert_eq!(Sku::restore(stored).unwrap().as_str(), stored);
    }
    for never in ["", " a", "a\n", ".", &"x".repeat(256)] {
        assert_eq!(Sku::restore(never), Sku::parse(never));
        assert!(Sku::restore(never).is_err(), "{never:?}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn an_event_of_an_earlier_version_keeps_its_identifiers() {
    let sku: Sku = serde_json::from_str("\"LA\\u00adMP\"").unwrap();
    assert_eq!(sku.as_str(), "LA\u{AD}MP");
    assert_eq!(serde_json::to_string(&sku).unwrap(), "\"LA\u{AD}MP\"");
    assert!(serde_json::from_str::<Sku>("\"\"").is_err());
}
