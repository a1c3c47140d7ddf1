//! `--block-hashes FILE`: one block a line, `[chain id] height hash`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

use alloy_primitives::B256;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_text::UntrustedText;
use tracing::warn;

use crate::BYTE_ORDER_MARK;

/// Largest list that is read: some three million blocks.
const LIST_BYTES_MAX: u64 = 256 << 20;
/// Longest line: two numbers, a hash, and room for spaces or a comment.
const LINE_BYTES_MAX: u64 = 1_024;
/// The chain of a line that names none.
const ETHEREUM: u64 = 1;

/// Block hashes by chain and height.
#[derive(Debug, Default)]
pub struct BlockHashes {
    blocks: Vec<(u64, u64)>,
    /// The hash of the block at the same position.
    hashes: Vec<B256>,
}

/// A block of a list, and the line that it stands on.
type Entry = ((u64, u64), B256, usize);

/// A list that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BlockHashesError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The file is larger than any list that is read.
    #[error("{path}: larger than the limit of {bytes_max} bytes for a list of block hashes")]
    TooLarge { path: PathBuf, bytes_max: u64 },
    /// A line is no block.
    #[error("{path}: line {line}: {fault}")]
    Line {
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        fault: LineFault,
    },
}

impl Diagnostic for BlockHashesError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// A mistake in a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// Another number of fields.
    #[error("expected `[chain id] height hash`, found {found} fields")]
    Fields {
        /// How many there are.
        found: usize,
    },
    /// A chain id or height that is no number.
    #[error("expected a {what}, found '{found}'")]
    Number { what: &'static str, found: UntrustedText },
    /// A hash that is none.
    #[error("expected a block hash of 64 hex digits, found '{found}'")]
    Hash { found: UntrustedText },
    /// A line that is longer than any block.
    #[error("longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// Bytes that are no text.
    #[error("not UTF-8 text")]
    NotText,
}

impl BlockHashes {
    /// Reads a list. Fields stand apart by spaces, tabs or one comma; a line without a chain id is of chain 1; `#` begins a comment.
    pub fn read(path: &Path) -> Result<Self, BlockHashesError> {
        let file = File::open(path).map_err(|source| BlockHashesError::Read { path: path.to_owned(), source })?;
        let entries = entries(BufReader::new(file), path, LIST_BYTES_MAX)?;
        // Heights are announced with several hashes where the chain was reorganised. In a list of final blocks it is a mistake.
        if let Some([((chain, height), _, line), (_, _, other_line)]) = several(&entries) {
            let (path, lines) = (path.display(), [line.min(other_line), line.max(other_line)]);
            warn!(list = %path, chain, height, ?lines, "several block hashes are listed for one height; each of them passes");
        }
        let (blocks, hashes) = entries.into_iter().map(|(block, hash, _)| (block, hash)).unzip();
        Ok(Self { blocks, hashes })
    }

    /// Every hash that is listed for this chain and height.
    pub fn get(&self, chain: u64, height: u64) -> &[B256] {
        let start = self.blocks.partition_point(|block| *block < (chain, height));
        let end = self.blocks.partition_point(|block| *block <= (chain, height));
        &self.hashes[start..end]
    }
}

/// The blocks of a list, sorted, each once and with the first of its lines.
fn entries(mut lines: impl BufRead, path: &Path, bytes_max: u64) -> Result<Vec<Entry>, BlockHashesError> {
    let path = || path.to_owned();
    let (mut entries, mut line, mut bytes) = (Vec::new(), Vec::new(), 0);
    for number in 1.. {
        line.clear();
        let taken = (&mut lines).take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line);
        match taken.map_err(|source| BlockHashesError::Read { path: path(), source })? {
            0 => break,
            taken => bytes += taken as u64,
        }
        if bytes > bytes_max {
            return Err(BlockHashesError::TooLarge { path: path(), bytes_max });
        }
        let text = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| number == 1).unwrap_or(&line);
        let block = parse(text).map_err(|fault| BlockHashesError::Line { path: path(), line: number, fault })?;
        entries.extend(block.map(|(chain, height, hash)| ((chain, height), hash, number)));
    }
    entries.sort_unstable();
    entries.dedup_by_key(|(block, hash, _)| (*block, *hash));
    Ok(entries)
}

/// Two blocks of the first height that has several.
fn several(entries: &[Entry]) -> Option<[Entry; 2]> {
    entries.array_windows().find(|[(one, ..), (next, ..)]| one == next).copied()
}

/// The block of a line; none of a blank line or a comment.
fn parse(line: &[u8]) -> Result<Option<(u64, u64, B256)>, LineFault> {
    if line.len() as u64 > LINE_BYTES_MAX {
        return Err(LineFault::TooLong);
    }
    let comment = line.iter().position(|byte| *byte == b'#').unwrap_or(line.len());
    let line = line[..comment].trim_ascii();
    let line = str::from_utf8(line).map_err(|_| LineFault::NotText)?;
    if line.is_empty() {
        return Ok(None);
    }
    let fields: Vec<_> = line.split(',').flat_map(fields_of).collect();
    let (chain, height, hash) = match *fields.as_slice() {
        [height, hash] => (ETHEREUM, height, hash),
        [chain, height, hash] => (number("chain id", chain)?, height, hash),
        _ => return Err(LineFault::Fields { found: fields.len() }),
    };
    let height = number("height", height)?;
    let found = || LineFault::Hash { found: UntrustedText::new(hash) };
    let digits = hash.strip_prefix("0x").unwrap_or(hash);
    if digits.len() != 64 {
        return Err(found());
    }
    Ok(Some((chain, height, digits.parse().map_err(|_| found())?)))
}

/// The words between two commas; nothing between them is a field all the same.
fn fields_of(between: &str) -> Vec<&str> {
    let words: Vec<_> = between.split_ascii_whitespace().collect();
    if words.is_empty() { vec![""] } else { words }
}

fn number(what: &'static str, text: &str) -> Result<u64, LineFault> {
    // `parse` alone would take a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| LineFault::Number { what, found: UntrustedText::new(text) })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: impl AsRef<[u8]>) -> Result<BlockHashes, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let name = format!("{}: ", file.path().display());
        BlockHashes::read(file.path()).map_err(|error| error.to_string().replace(&name, ""))
    }

    #[test]
    fn line_is_read_in_every_form_it_is_written_in() {
        let (hash, digits) = (B256::repeat_byte(0xab), "ab".repeat(32));
        for line in [
            format!("10 {hash}"),
            format!("10,{hash}"),
            format!("1,10,{hash}"),
            format!("1\t10   {digits}"),
            format!("  10 , {}  # the tenth\r", digits.to_uppercase()),
            format!("# height hash\n\n   \n1 10 {hash}\n"),
            format!("\u{feff}10 {hash}\r\n"),
        ] {
            assert_eq!(read(&line).unwrap().get(1, 10), [hash], "{line:?}");
        }
        assert_eq!(read(format!("5 10 {hash}")).unwrap().get(5, 10), [hash]);
        assert!(read("").unwrap().get(1, 10).is_empty());
    }

    #[test]
    fn line_that_is_no_block_is_named_with_what_was_found() {
        let hash = B256::repeat_byte(1);
        for (text, message) in [
            (format!("10 {hash}\n\n10\n"), "line 3: expected `[chain id] height hash`, found 1 fields"),
            (format!("1 2 3 {hash}"), "line 1: expected `[chain id] height hash`, found 4 fields"),
            (format!("ten {hash}"), "line 1: expected a height, found 'ten'"),
            (format!("+10 {hash}"), "line 1: expected a height, found '+10'"),
            (format!(",{hash}"), "line 1: expected a height, found ''"),
            (format!("x 10 {hash}"), "line 1: expected a chain id, found 'x'"),
            (format!("18446744073709551616 {hash}"), "line 1: expected a height, found '18446744073709551616'"),
            ("10 0xab".to_owned(), "line 1: expected a block hash of 64 hex digits, found '0xab'"),
            (format!("10 {}", "g".repeat(64)), "line 1: expected a block hash"),
            (format!("10 {hash} #{}", " ".repeat(1_024)), "line 1: longer than 1024 bytes"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.starts_with(message), "{text:?}: {error}");
        }
        assert_eq!(read(b"\xff").unwrap_err(), "line 1: not UTF-8 text");
        assert!(read(format!("\n\u{feff}10 {hash}")).unwrap_err().starts_with("line 2: expected a height"));
        assert!(read("10 \u{1b}[2J").unwrap_err().contains("\\u{1b}"), "made harmless");
    }

    #[test]
    fn height_with_several_hashes_is_found_with_the_lines_of_two_of_them() {
        let [one, other] = [1, 2].map(B256::repeat_byte);
        let found = |text: &str| several(&entries(text.as_bytes(), Path::new("list"), LIST_BYTES_MAX).unwrap());
        let list = format!("12 {one}\n12 {other}\n# those of 10\n10 {other}\n10 {one}\n10 {other}\n5 10 {one}\n");
        assert_eq!(found(&list), Some([((1, 10), one, 5), ((1, 10), other, 4)]));
        assert_eq!(found(&format!("10 {one}\n1 10 {one}\n5 10 {other}\n11 {other}\n")), None);
    }

    #[test]
    fn list_ends_at_its_limit_and_a_line_at_its_own() {
        let (line, path) = (format!("10 {}\n", B256::ZERO), Path::new("list"));
        let twice = line.repeat(2);
        let read = |bytes_max| entries(twice.as_bytes(), path, bytes_max);
        assert_eq!(read(twice.len() as u64).unwrap().len(), 1);
        let error = read(twice.len() as u64 - 1).unwrap_err();
        assert!(matches!(error, BlockHashesError::TooLarge { .. }), "{error}");
        let endless = BlockHashes::read(Path::new("/dev/zero")).unwrap_err();
        assert!(endless.to_string().contains("line 1: longer than"), "{endless}");
        let absent = BlockHashes::read(Path::new("/nonexistent/list")).unwrap_err();
        assert!(absent.to_string().starts_with("/nonexistent/list: "), "{absent}");
    }
}
