//! Rules for names and labels. Names of rules and artifacts become parts of paths.

/// Longest artifact name: it becomes part of a file name.
pub const ARTIFACT_NAME_BYTES_MAX: usize = 64;
/// Longest media type, as RFC 6838 recommends for each of its two parts together.
pub const MEDIA_TYPE_BYTES_MAX: usize = 127;
/// Longest name of a schema.
pub const SCHEMA_BYTES_MAX: usize = 255;

/// Longest name or version of a rule: both become parts of file names.
const RULE_NAME_BYTES_MAX: usize = 64;
/// Longest licence or source.
const NOTE_BYTES_MAX: usize = 1_024;
/// Longest layout, `"0.38"` with room to grow.
const LAYOUT_BYTES_MAX: usize = 16;

/// True for 1 to 64 characters of a-z, 0-9, `-`, `_` and `.`, starting with a letter or a digit.
pub fn is_artifact_name(name: &str) -> bool {
    is_plain(name, ARTIFACT_NAME_BYTES_MAX, b"-_.")
}

/// True for `type/subtype` in at most 127 visible characters; parameters may also hold spaces.
pub fn is_media_type(media_type: &str) -> bool {
    is_visible(media_type, MEDIA_TYPE_BYTES_MAX)
        && media_type.split_once('/').is_some_and(|(kind, subtype)| !kind.is_empty() && !subtype.is_empty())
}

/// True for 1 to 255 visible characters.
pub fn is_schema_name(schema: &str) -> bool {
    is_visible(schema, SCHEMA_BYTES_MAX)
}

/// True for what an artifact may be called. Also the name of a rule.
pub(crate) fn is_rule_name(name: &str) -> bool {
    is_plain(name, RULE_NAME_BYTES_MAX, b"-_.")
}

/// True for the characters of a rule's name and `+`, as in `1.0.0-rc.1+build`.
pub(crate) fn is_version(version: &str) -> bool {
    is_plain(version, RULE_NAME_BYTES_MAX, b"-_.+")
}

/// True for two numbers, `"0.38"`. Which layouts there are, the host knows.
pub(crate) fn is_layout(layout: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    layout.len() <= LAYOUT_BYTES_MAX
        && layout.split_once('.').is_some_and(|(major, minor)| digits(major) && digits(minor))
}

/// True for a line of text that is not empty.
pub(crate) fn is_note(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= NOTE_BYTES_MAX && !text.chars().any(char::is_control)
}

fn is_plain(name: &str, bytes_max: usize, others: &[u8]) -> bool {
    let first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= bytes_max
        && name.bytes().next().is_some_and(first)
        && name.bytes().all(|byte| first(byte) || others.contains(&byte))
}

fn is_visible(text: &str, bytes_max: usize) -> bool {
    !text.is_empty() && text.len() <= bytes_max && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}
