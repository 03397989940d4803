/// Returns whether a text has 1 to `max_bytes` bytes without control characters.
pub(crate) fn is_plain(text: &str, max_bytes: usize) -> bool {
    (1..=max_bytes).contains(&text.len()) && !text.contains(char::is_control)
}
