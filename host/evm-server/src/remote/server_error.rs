//! The server's words in an error, in each of its forms.

use std::fmt;

use serde::Deserialize;

/// Bytes of an error that are read and kept. Go's panics and its JSON errors are one line.
pub(super) const ERROR_BODY_BYTES_MAX: usize = 4096;
/// The server's number for what went wrong with its own files.
const IO_ERROR: &str = "ERROR(11)";

/// An evm-server's answer in place of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    form: Form,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    BrokenJson,
    Text,
}

#[derive(Deserialize)]
struct ErrorObject {
    error: String,
}

impl ServerError {
    /// Reads an error's body.
    pub(super) fn read(body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body);
        let body = body.trim();
        if let Ok(ErrorObject { error }) = serde_json::from_str(body) {
            return Self { form: Form::Json, text: error };
        }
        // The server puts the text between quotes and escapes nothing.
        let inner = body.strip_prefix(r#"{"error": ""#).or_else(|| body.strip_prefix(r#"{"error":""#));
        match inner.and_then(|inner| inner.strip_suffix(r#""}"#)) {
            Some(inner) => Self { form: Form::BrokenJson, text: inner.to_owned() },
            None => Self { form: Form::Text, text: body.to_owned() },
        }
    }

    /// The words without their envelope.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_of_its_own_disk(&self) -> bool {
        self.text.contains(IO_ERROR)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            Form::Json => "the error",
            Form::BrokenJson => "the error, in JSON that is not escaped,",
            Form::Text => "the text",
        };
        write!(f, "{form} '{}'", self.text.escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_every_form_of_an_error() {
        let check = |body: &str, form: Form, text: &str| {
            assert_eq!(ServerError::read(body.as_bytes()), ServerError { form, text: text.to_owned() }, "{body}");
        };
        check(r#"{"error": "error on EBE: out of gas"}"#, Form::Json, "error on EBE: out of gas");
        check("{\"error\": \"open \"/tmp/x\": no such\nfile\"}\n", Form::BrokenJson, "open \"/tmp/x\": no such\nfile");
        check("runtime error: index out of range [1]\n", Form::Text, "runtime error: index out of range [1]");
        check("", Form::Text, "");
        check(r#"{"error": 7}"#, Form::Text, r#"{"error": 7}"#);
    }

    #[test]
    fn failure_of_the_servers_own_disk_is_known_by_its_number() {
        assert!(
            ServerError::read(br#"{"error": "ERROR(11): failed writing output: no space left"}"#).is_of_its_own_disk()
        );
        assert!(
            !ServerError::read(br#"{"error": "ERROR(10): error unmarshalling replica file"}"#).is_of_its_own_disk()
        );
    }
}
