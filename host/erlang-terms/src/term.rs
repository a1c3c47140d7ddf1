//! One term.

/// Most terms that may stand within each other.
pub const DEPTH_MAX: usize = 32;
/// Most terms that one term may consist of.
pub const ELEMENTS_MAX: usize = 65_536;

/// The first byte of every term, which is the version of the format.
const VERSION: u8 = 131;
/// Most bytes of an integer's magnitude: those of 64 bits.
const INTEGER_BYTES_MAX: usize = 8;

/// A term, which borrows from the bytes that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub enum Term<'a> {
    /// An integer of 64 bits and a sign.
    Integer(i128),
    /// A float.
    Float(f64),
    /// The name of an atom, in UTF-8 or Latin-1.
    Atom(&'a [u8]),
    /// A binary, which is Elixir's string.
    Binary(&'a [u8]),
    /// A list of small integers, which is Erlang's string.
    Text(&'a [u8]),
    /// A tuple.
    Tuple(Vec<Self>),
    /// A list, with its tail where that is not the empty list.
    List(Vec<Self>, Option<Box<Self>>),
    /// A map, in the order of the bytes.
    Map(Vec<(Self, Self)>),
}

/// Reasons for which bytes are no term that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermError {
    /// Another first byte than every term has.
    #[error("version {0} of the term format, expected {VERSION}")]
    Version(u8),
    /// A length or a number of elements that the bytes do not have.
    #[error("the term ends too early")]
    Truncated,
    /// A compressed term, whose size nothing bounds.
    #[error("a compressed term, which is not read")]
    Compressed,
    /// A process, a function or another term that means nothing outside its program.
    #[error("a term of tag {0}, which is not read")]
    Unsupported(u8),
    /// Too many terms within each other.
    #[error("more than {DEPTH_MAX} terms within each other")]
    TooDeep,
    /// Too many terms within one.
    #[error("more than {ELEMENTS_MAX} elements")]
    TooMany,
    /// An integer that does not fit 64 bits.
    #[error("an integer of {0} bytes, expected {INTEGER_BYTES_MAX} at most")]
    TooWide(usize),
    /// Bytes after the term.
    #[error("{0} bytes after the term")]
    Trailing(usize),
}

/// Reads the one term that the bytes are.
///
/// # Errors
///
/// [`TermError`]
pub fn decode(bytes: &[u8]) -> Result<Term<'_>, TermError> {
    let mut reader = Reader { rest: bytes, elements: 0 };
    match reader.byte()? {
        VERSION => {}
        other => return Err(TermError::Version(other)),
    }
    let term = reader.term(0)?;
    if reader.rest.is_empty() { Ok(term) } else { Err(TermError::Trailing(reader.rest.len())) }
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Terms begun so far.
    elements: usize,
}

impl<'a> Reader<'a> {
    fn term(&mut self, depth: usize) -> Result<Term<'a>, TermError> {
        if depth > DEPTH_MAX {
            return Err(TermError::TooDeep);
        }
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(TermError::TooMany);
        }
        Ok(match self.byte()? {
            70 => Term::Float(f64::from_be_bytes(self.array()?)),
            80 => return Err(TermError::Compressed),
            97 => Term::Integer(self.byte()?.into()),
            98 => Term::Integer(i32::from_be_bytes(self.array()?).into()),
            // Latin-1 before Erlang 26, UTF-8 since.
            100 | 118 => Term::Atom(self.with_length_of_two()?),
            115 | 119 => Term::Atom(self.with_length_of_one()?),
            104 => {
                let arity = self.byte()?.into();
                Term::Tuple(self.terms(arity, depth)?)
            }
            105 => {
                let arity = self.length_of_four()?;
                Term::Tuple(self.terms(arity, depth)?)
            }
            106 => Term::List(Vec::new(), None),
            107 => Term::Text(self.with_length_of_two()?),
            108 => self.list(depth)?,
            109 => {
                let length = self.length_of_four()?;
                Term::Binary(self.bytes(length)?)
            }
            110 => {
                let length = self.byte()?.into();
                Term::Integer(self.integer(length)?)
            }
            111 => {
                let length = self.length_of_four()?;
                Term::Integer(self.integer(length)?)
            }
            116 => self.map(depth)?,
            tag => return Err(TermError::Unsupported(tag)),
        })
    }

    /// So many terms. Each takes a byte at least, so that a number which the bytes cannot have costs nothing.
    fn terms(&mut self, count: usize, depth: usize) -> Result<Vec<Term<'a>>, TermError> {
        if count > self.rest.len() {
            return Err(TermError::Truncated);
        }
        if count > ELEMENTS_MAX - self.elements.min(ELEMENTS_MAX) {
            return Err(TermError::TooMany);
        }
        // Grows with what is read: numbers within each other would add up.
        let mut terms = Vec::new();
        for _ in 0..count {
            terms.push(self.term(depth + 1)?);
        }
        Ok(terms)
    }

    fn list(&mut self, depth: usize) -> Result<Term<'a>, TermError> {
        let length = self.length_of_four()?;
        let elements = self.terms(length, depth)?;
        let tail = self.term(depth + 1)?;
        let is_proper = matches!(&tail, Term::List(rest, None) if rest.is_empty());
        Ok(Term::List(elements, (!is_proper).then(|| Box::new(tail))))
    }

    fn map(&mut self, depth: usize) -> Result<Term<'a>, TermError> {
        let pairs = self.length_of_four()?;
        let mut terms = self.terms(pairs.checked_mul(2).ok_or(TermError::Truncated)?, depth)?.into_iter();
        let mut map = Vec::new();
        while let (Some(key), Some(value)) = (terms.next(), terms.next()) {
            map.push((key, value));
        }
        Ok(Term::Map(map))
    }

    /// The sign and a magnitude of so many bytes, the smallest first.
    fn integer(&mut self, length: usize) -> Result<i128, TermError> {
        let sign = self.byte()?;
        let magnitude = self.bytes(length)?;
        if length > INTEGER_BYTES_MAX {
            return Err(TermError::TooWide(length));
        }
        let number = magnitude.iter().rev().fold(0_i128, |number, byte| (number << 8) | i128::from(*byte));
        Ok(if sign == 0 { number } else { -number })
    }

    fn with_length_of_one(&mut self) -> Result<&'a [u8], TermError> {
        let length = self.byte()?.into();
        self.bytes(length)
    }

    fn with_length_of_two(&mut self) -> Result<&'a [u8], TermError> {
        let length = u16::from_be_bytes(self.array()?).into();
        self.bytes(length)
    }

    fn length_of_four(&mut self) -> Result<usize, TermError> {
        let length = u32::from_be_bytes(self.array()?);
        usize::try_from(length).map_err(|_| TermError::Truncated)
    }

    fn byte(&mut self) -> Result<u8, TermError> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TermError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(TermError::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], TermError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(TermError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }
}
