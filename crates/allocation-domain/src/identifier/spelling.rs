//! The spelling of identifiers: no two accepted names differ only by invisible characters.

use super::{CharacterAt, IdentifierError};
use unicode_joining_type::{JoiningType, get_joining_type};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';
/// The combining class of viramas, which end a syllable without a vowel.
const VIRAMA: u8 = 9;

/// Rejects texts that a reader cannot distinguish from others. ASCII, the usual case, has no such texts.
pub(super) fn check(text: &str) -> Result<(), IdentifierError> {
    if text.is_ascii() {
        return Ok(());
    }
    for (position, (index, character)) in (1..).zip(text.char_indices()) {
        let at = CharacterAt { character, position };
        match character.general_category() {
            GeneralCategory::Format if is_in_context(text, index, character) => {}
            GeneralCategory::Format => return Err(IdentifierError::Invisible(at)),
            GeneralCategory::SpaceSeparator | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator
                if character != ' ' =>
            {
                return Err(IdentifierError::OtherSpace(at));
            }
            GeneralCategory::Unassigned | GeneralCategory::PrivateUse => return Err(IdentifierError::Unassigned(at)),
            _ if is_blank(character) => return Err(IdentifierError::Invisible(at)),
            _ => {}
        }
    }
    check_normalization(text)
}

fn check_normalization(text: &str) -> Result<(), IdentifierError> {
    if unicode_normalization::is_nfc(text) {
        return Ok(());
    }
    let mut normalized = text.nfc();
    let differs = |(_, character): &(usize, char)| normalized.next() != Some(*character);
    let (position, character) = (1..).zip(text.chars()).find(differs).unwrap_or((1, char::REPLACEMENT_CHARACTER));
    Err(IdentifierError::NotNormalized(CharacterAt { character, position }))
}

/// Returns whether a character is invisible although it is a letter, mark or symbol. This covers
/// `Default_Ignorable_Code_Point` except format characters, and the empty Braille pattern.
const fn is_blank(character: char) -> bool {
    matches!(
        character,
        '\u{034F}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FFA0}'
            | '\u{E0100}'..='\u{E01EF}'
    )
}

/// Returns whether a format character is a joiner that changes the rendering: RFC 5892, appendix A.1 and
/// A.2.
fn is_in_context(text: &str, index: usize, character: char) -> bool {
    let (before, rest) = text.split_at(index);
    let after_virama = before.chars().next_back().is_some_and(|last| canonical_combining_class(last) == VIRAMA);
    match character {
        ZERO_WIDTH_JOINER => after_virama,
        ZERO_WIDTH_NON_JOINER => after_virama || breaks_a_connection(before, rest.chars().skip(1)),
        _ => false,
    }
}

/// Returns whether the letters on both sides would join, as in Arabic.
fn breaks_a_connection(before: &str, after: impl Iterator<Item = char>) -> bool {
    let left = joining_neighbour(before.chars().rev());
    let right = joining_neighbour(after);
    matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(right, Some(JoiningType::RightJoining | JoiningType::DualJoining))
}

fn joining_neighbour(characters: impl Iterator<Item = char>) -> Option<JoiningType> {
    characters.map(get_joining_type).find(|joining_type| *joining_type != JoiningType::Transparent)
}

#[cfg(test)]
mod tests;
