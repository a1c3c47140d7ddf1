//! Faults of the double.

/// Faults of a request to `/process`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 500 and a JSON error with these words.
    JsonError(String),
    /// 500 and JSON whose text is not escaped.
    BrokenJson,
    /// 500, `text/plain`, a panic's text.
    Panic,
    /// 500 and the server's error about its own disk.
    OwnDisk,
    /// Status 200 with an empty body.
    Empty,
    /// 206 and the first half.
    Partial,
    /// Reads a part of the request and closes: the process died.
    DieInRequest,
    /// Closes when half of the stated length is sent.
    DieInAnswer,
    /// Half of an answer whose length was not stated.
    Truncated,
    /// Reads the request and never answers.
    Stall,
    /// Answers rightly, once it is mended.
    Hold,
    /// Begins to answer and stops.
    StallInAnswer,
    /// Sends a gigabyte without saying so.
    Endless,
    /// Announces that a gigabyte comes.
    EndlessStated,
    /// The right document, but for one gas more in the last receipt: plausible, and wrong.
    OtherGas,
    /// The right document with one log of it called removed.
    OtherRemoved,
    /// The right document with another value of the first transaction.
    OtherValue,
    /// The right document with another root of the state, which shows only by executing.
    OtherRoot,
    /// The answer for another block that it was taught.
    OtherBlock,
    /// 200 and JSON that is no block result.
    OtherJson,
    /// This status and text.
    Status(u16, String),
}

impl Fault {
    /// Status and body, made of the right body and of everything that the double was taught.
    pub(super) fn answer<'a>(&self, right: &[u8], mut taught: impl Iterator<Item = &'a Vec<u8>>) -> (u16, Vec<u8>) {
        let document = |edit: fn(&str) -> String| (200, edit(&String::from_utf8_lossy(right)).into_bytes());
        match self {
            Self::JsonError(words) => (500, format!("{{\"error\": \"{words}\"}}").into_bytes()),
            Self::BrokenJson => (500, b"{\"error\": \"ERROR(10): invalid character '\"' in \"Header\"\"}".to_vec()),
            Self::Panic => (500, b"runtime error: invalid memory address or nil pointer dereference\n".to_vec()),
            Self::OwnDisk => (500, b"{\"error\": \"ERROR(11): failed writing output file: no space left\"}".to_vec()),
            Self::Status(status, text) => (*status, text.clone().into_bytes()),
            Self::OtherGas => document(|text| {
                let text = one_more(text, "\"CumulativeGasUsed\": ");
                one_more(&text, "\"GasUsed\": ")
            }),
            Self::OtherRemoved => document(|text| text.replacen("\"removed\": false", "\"removed\": true", 1)),
            Self::OtherValue => document(|text| text.replacen("\"value\": \"0x", "\"value\": \"0x1", 1)),
            Self::OtherRoot => document(|text| {
                let (before, after) = text.split_once("\"Hash\": \"0x").unwrap_or_default();
                format!("{before}\"Hash\": \"0x{}{}", "7".repeat(64), after.get(64..).unwrap_or_default())
            }),
            Self::OtherBlock => (200, taught.find(|answer| *answer != right).cloned().unwrap_or_default()),
            Self::OtherJson => (200, b"{\"Type\": \"block-result\"}".to_vec()),
            // The others are not about what is in the body.
            _ => (200, right.to_vec()),
        }
    }
}

/// Adds one to the last number behind `key`.
fn one_more(text: &str, key: &str) -> String {
    let Some(at) = text.rfind(key).map(|at| at + key.len()) else { return text.to_owned() };
    let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[at..at + digits].parse().unwrap_or_default();
    format!("{}{}{}", &text[..at], number + 1, &text[at + digits..])
}
