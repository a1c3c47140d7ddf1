//! Syntax errors of JSON, in the words of Go's `encoding/json`.
//!
//! A scanner that finds the end of the first value, or the first byte that cannot stand where it does. The grammar is
//! RFC 8259; the words are what clients of a Go server see and may compare with.

use std::fmt;

/// Nesting that Go's scanner gives up at.
const DEPTH_LIMIT: usize = 10_000;

/// Go's message about a text that is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// There is no value.
    Empty,
    /// The text ends inside the value.
    Truncated,
    /// Objects and lists are nested too deeply.
    TooDeep,
    /// A byte that cannot stand there.
    Invalid {
        /// The byte that was found.
        byte: u8,
        /// State of the scanner at that byte.
        place: ScanPosition,
    },
}

/// The token that the scanner was about to read, or had just read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanPosition {
    /// Before a value began.
    Value,
    /// Before a key began.
    Key,
    /// After a key ended.
    AfterKey,
    /// Behind a key's value.
    AfterPair,
    /// Behind a list's item.
    AfterElement,
    /// Inside a text value.
    Text,
    /// After a backslash in a text.
    Escape,
    /// After `\u` in a text.
    HexEscape,
    /// After the minus of a number.
    Minus,
    /// Behind a decimal point.
    Fraction,
    /// Behind the sign of an exponent, or the `e`.
    Exponent,
    /// In `true`, `false` or `null`.
    Literal {
        /// The literal as a whole.
        word: &'static str,
        /// The letter that is due.
        due: u8,
    },
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("EOF"),
            Self::Truncated => f.write_str("unexpected EOF"),
            Self::TooDeep => f.write_str("exceeded max depth"),
            Self::Invalid { byte, place } => write!(f, "invalid character {} {place}", Quoted(*byte)),
        }
    }
}

impl std::error::Error for SyntaxError {}

impl fmt::Display for ScanPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "looking for beginning of value",
            Self::Key => "looking for beginning of object key string",
            Self::AfterKey => "after object key",
            Self::AfterPair => "after object key:value pair",
            Self::AfterElement => "after array element",
            Self::Text => "in string literal",
            Self::Escape => "in string escape code",
            Self::HexEscape => "in \\u hexadecimal character escape",
            Self::Minus => "in numeric literal",
            Self::Fraction => "after decimal point in numeric literal",
            Self::Exponent => "in exponent of numeric literal",
            Self::Literal { word, due } => return write!(f, "in literal {word} (expecting {})", Quoted(*due)),
        })
    }
}

/// A byte as Go quotes it: as the character of that number.
struct Quoted(u8);

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\'' => f.write_str(r"'\''"),
            b'\\' => f.write_str(r"'\\'"),
            0x07 => f.write_str(r"'\a'"),
            0x08 => f.write_str(r"'\b'"),
            b'\t' => f.write_str(r"'\t'"),
            b'\n' => f.write_str(r"'\n'"),
            0x0b => f.write_str(r"'\v'"),
            0x0c => f.write_str(r"'\f'"),
            b'\r' => f.write_str(r"'\r'"),
            byte @ (..0x20 | 0x7f) => write!(f, r"'\x{byte:02x}'"),
            // Go prints neither the second set of control characters nor the space and the hyphen that are not seen.
            byte @ (0x80..=0xa0 | 0xad) => write!(f, r"'\u{byte:04x}'"),
            byte => write!(f, "'{}'", char::from(byte)),
        }
    }
}

/// Go's word for the kind of value that begins with this byte, when it is not an object.
pub(super) const fn kind(byte: u8) -> &'static str {
    match byte {
        b'[' => "array",
        b'"' => "string",
        b't' | b'f' => "bool",
        _ => "number",
    }
}

/// The bytes that JSON allows between tokens.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Where the first value of the text ends.
pub(super) fn first_value(text: &[u8]) -> Result<usize, SyntaxError> {
    let mut scanner = Scanner { text, at: 0, open: Vec::new() };
    if scanner.peek_token().is_none() {
        return Err(SyntaxError::Empty);
    }
    // A loop and no recursion: a text can nest deeper than a thread's stack.
    let mut due = Due::Value;
    loop {
        due = match (due, scanner.open.last().copied()) {
            (Due::Value, _) => scanner.value()?,
            (Due::FirstItem, Some(bracket)) => scanner.first_item(bracket)?,
            (Due::NextItem, Some(bracket)) => scanner.next_item(bracket)?,
            (_, None) => return Ok(scanner.at),
        };
    }
}

/// The token that the scanner expects next.
enum Due {
    /// Any kind of value.
    Value,
    /// The token after an opening bracket.
    FirstItem,
    /// The token after a value.
    NextItem,
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// The opening brackets that are not closed yet.
    open: Vec<u8>,
}

type Scan = Result<(), SyntaxError>;

impl Scanner<'_> {
    fn peek_token(&mut self) -> Option<u8> {
        while self.text.get(self.at).copied().is_some_and(is_space) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn token(&mut self) -> Result<u8, SyntaxError> {
        self.peek_token();
        self.byte()
    }

    fn byte(&mut self) -> Result<u8, SyntaxError> {
        let byte = *self.text.get(self.at).ok_or(SyntaxError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    /// A whole value, or the opening bracket of one.
    fn value(&mut self) -> Result<Due, SyntaxError> {
        match self.token()? {
            bracket @ (b'{' | b'[') => {
                if self.open.len() == DEPTH_LIMIT {
                    return Err(SyntaxError::TooDeep);
                }
                self.open.push(bracket);
                return Ok(Due::FirstItem);
            }
            b'"' => self.rest_of_text()?,
            b't' => self.rest_of_word("true")?,
            b'f' => self.rest_of_word("false")?,
            b'n' => self.rest_of_word("null")?,
            byte @ (b'-' | b'0'..=b'9') => self.rest_of_number(byte)?,
            byte => invalid(byte, ScanPosition::Value)?,
        }
        Ok(Due::NextItem)
    }

    fn first_item(&mut self, bracket: u8) -> Result<Due, SyntaxError> {
        match (bracket, self.peek_token()) {
            (b'{', Some(b'}')) | (b'[', Some(b']')) => {
                self.at += 1;
                self.open.pop();
                Ok(Due::NextItem)
            }
            (b'{', _) => self.key(),
            _ => Ok(Due::Value),
        }
    }

    fn next_item(&mut self, bracket: u8) -> Result<Due, SyntaxError> {
        match (bracket, self.token()?) {
            (b'{', b',') => return self.key(),
            (b'[', b',') => return Ok(Due::Value),
            (b'{', b'}') | (b'[', b']') => {
                self.open.pop();
            }
            (b'{', byte) => invalid(byte, ScanPosition::AfterPair)?,
            (_, byte) => invalid(byte, ScanPosition::AfterElement)?,
        }
        Ok(Due::NextItem)
    }

    fn key(&mut self) -> Result<Due, SyntaxError> {
        match self.token()? {
            b'"' => self.rest_of_text()?,
            byte => invalid(byte, ScanPosition::Key)?,
        }
        match self.token()? {
            b':' => {}
            byte => invalid(byte, ScanPosition::AfterKey)?,
        }
        Ok(Due::Value)
    }

    fn rest_of_text(&mut self) -> Scan {
        loop {
            match self.byte()? {
                b'"' => return Ok(()),
                b'\\' => self.rest_of_escape()?,
                byte @ ..0x20 => return invalid(byte, ScanPosition::Text),
                _ => {}
            }
        }
    }

    fn rest_of_escape(&mut self) -> Scan {
        match self.byte()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => (0..4).try_for_each(|_| match self.byte()? {
                byte if byte.is_ascii_hexdigit() => Ok(()),
                byte => invalid(byte, ScanPosition::HexEscape),
            }),
            byte => invalid(byte, ScanPosition::Escape),
        }
    }

    fn rest_of_word(&mut self, word: &'static str) -> Scan {
        word.bytes().skip(1).try_for_each(|due| match self.byte()? {
            byte if byte == due => Ok(()),
            byte => invalid(byte, ScanPosition::Literal { word, due }),
        })
    }

    fn rest_of_number(&mut self, first: u8) -> Scan {
        let first = match first {
            b'-' => match self.byte()? {
                byte @ b'0'..=b'9' => byte,
                byte => return invalid(byte, ScanPosition::Minus),
            },
            digit => digit,
        };
        if first != b'0' {
            self.skip_digits();
        }
        if self.skip(b".") {
            self.digits(ScanPosition::Fraction)?;
        }
        if self.skip(b"eE") {
            self.skip(b"+-");
            self.digits(ScanPosition::Exponent)?;
        }
        Ok(())
    }

    fn digits(&mut self, place: ScanPosition) -> Scan {
        match self.byte()? {
            b'0'..=b'9' => {
                self.skip_digits();
                Ok(())
            }
            byte => invalid(byte, place),
        }
    }

    fn skip_digits(&mut self) {
        while self.skip(b"0123456789") {}
    }

    fn skip(&mut self, any: &[u8]) -> bool {
        let there = self.text.get(self.at).is_some_and(|byte| any.contains(byte));
        self.at += usize::from(there);
        there
    }
}

const fn invalid(byte: u8, place: ScanPosition) -> Scan {
    Err(SyntaxError::Invalid { byte, place })
}
