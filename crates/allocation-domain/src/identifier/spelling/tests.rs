use super::*;
use crate::{OrderId, PickListId, Sku};
use proptest::prelude::*;

fn refusal(text: &str) -> IdentifierError {
    check(text).unwrap_err()
}

const fn at(character: char, position: usize) -> CharacterAt {
    CharacterAt { character, position }
}

/// Each of these makes an identifier that looks like another one.
#[test]
fn invisible_characters_are_rejected_with_their_position() {
    assert!(Sku::parse("CHAIR").is_ok());
    for invisible in [
        '\u{AD}',    // soft hyphen
        '\u{61C}',   // Arabic letter mark
        '\u{200B}',  // zero-width space
        '\u{200C}',  // zero-width non-joiner
        '\u{200D}',  // zero-width joiner
        '\u{200E}',  // left-to-right mark
        '\u{202E}',  // right-to-left override
        '\u{2060}',  // word joiner
        '\u{2066}',  // left-to-right isolate
        '\u{FEFF}',  // byte-order mark
        '\u{E0041}', // tag
        '\u{34F}',   // combining grapheme joiner
        '\u{3164}',  // Hangul filler
        '\u{FFA0}',  // halfwidth Hangul filler
        '\u{180B}',  // Mongolian variation selector
        '\u{FE0F}',  // variation selector
        '\u{E0100}', // variation selector of the supplement
        '\u{2800}',  // empty Braille pattern
    ] {
        for (text, position) in [
            (format!("CHAIR{invisible}"), 6),
            (format!("CH{invisible}AIR"), 3),
            (format!("{invisible}CHAIR"), 1),
            (format!("ä🪑{invisible}"), 3),
        ] {
            assert_eq!(refusal(&text), IdentifierError::Invisible(at(invisible, position)), "{text:?}");
            assert_eq!(Sku::parse(text.as_str()), Err(IdentifierError::Invisible(at(invisible, position))));
            assert!(OrderId::parse(text.as_str()).is_err() && PickListId::parse(text.as_str()).is_err());
        }
    }
}

#[test]
fn text_that_is_not_in_nfc_is_rejected_where_it_differs() {
    assert!(check("Möbel").is_ok());
    assert_eq!(refusal("Mo\u{308}bel"), IdentifierError::NotNormalized(at('o', 2)));
    // A singleton (the Kelvin sign is a K), marks out of order, and Hangul that is not composed.
    assert_eq!(refusal("5 \u{212A}"), IdentifierError::NotNormalized(at('\u{212A}', 3)));
    assert_eq!(refusal("q\u{307}\u{323}"), IdentifierError::NotNormalized(at('\u{307}', 2)));
    assert_eq!(refusal("\u{1112}\u{1161}"), IdentifierError::NotNormalized(at('\u{1112}', 1)));
    // Without a composed form, this is NFC already.
    assert!(check("q\u{323}\u{307}").is_ok());
}

#[test]
fn the_only_white_space_is_the_space() {
    for space in ['\u{A0}', '\u{1680}', '\u{2009}', '\u{202F}', '\u{3000}', '\u{2028}', '\u{2029}'] {
        assert_eq!(refusal(&format!("a{space}b")), IdentifierError::OtherSpace(at(space, 2)));
    }
    assert!(check("ä b").is_ok());
}

#[test]
fn unassigned_code_points_are_rejected() {
    for code in ['\u{E000}', '\u{F8FF}', '\u{10FFFD}', '\u{FDD0}', '\u{FFFE}', '\u{10FFFF}', '\u{378}'] {
        assert_eq!(refusal(&format!("a{code}")), IdentifierError::Unassigned(at(code, 2)));
    }
}

/// RFC 5892, appendix A.1 and A.2.
#[test]
fn joiners_are_accepted_where_they_have_a_visible_effect() {
    // After a virama, both; in Devanagari they choose the form of a conjunct.
    assert!(check("क\u{94D}\u{200D}ष").is_ok());
    assert!(check("क\u{94D}\u{200C}ष").is_ok());
    // Between letters that would join, only the non-joiner, as in the Persian plural. Marks do not count.
    assert!(check("کتاب\u{200C}ها").is_ok());
    assert!(check("می\u{200C}خواهم").is_ok());
    assert!(check("می\u{650}\u{200C}\u{650}خواهم").is_ok());
    assert_eq!(refusal("می\u{200D}خواهم"), IdentifierError::Invisible(at(ZERO_WIDTH_JOINER, 3)));
    // Alef does not join to its left, nothing follows, and two joiners look like one.
    assert!(check("ا\u{200C}ب").is_err());
    assert!(check("می\u{200C}").is_err());
    assert!(check("می\u{200C}\u{200C}خواهم").is_err());
    // A reader cannot distinguish an emoji joined from two from other emoji.
    assert!(check("👩\u{200D}🚀").is_err());
}

#[test]
fn letters_of_any_script_and_look_alikes_stay_accepted() {
    for text in
        ["Стул", "а", "כיסא", "كرسي", "เก้าอี้", "椅子", "의자", "ქართული", "ß", "№ 5", "½", "🪑🏽", "a\u{308}\u{323}x"]
    {
        let normalized: String = text.nfc().collect();
        assert!(check(&normalized).is_ok(), "{text}");
    }
}

#[test]
fn all_tables_are_of_one_version_of_unicode() {
    let (major, minor, _) = unicode_properties::UNICODE_VERSION;
    let (normalization_major, normalization_minor, _) = unicode_normalization::UNICODE_VERSION;
    assert_eq!((major, minor), (u64::from(normalization_major), u64::from(normalization_minor)));
}

proptest! {
    #[test]
    fn accepted_text_is_normalized_and_visible(text in "[ -~ä-üА-я\u{200B}-\u{200F}\u{300}-\u{310}\u{AD}क\u{94D}]{1,12}") {
        if check(&text).is_ok() {
            prop_assert_eq!(text.nfc().collect::<String>(), text.clone());
            let unseen = |c: &char| c.general_category() == GeneralCategory::Format && !"\u{200C}\u{200D}".contains(*c);
            prop_assert!(!text.chars().any(|c| unseen(&c)));
        }
    }

    #[test]
    fn no_text_crashes_the_check(text: String) {
        let _any = check(&text);
    }
}
