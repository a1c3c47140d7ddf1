//! gzip and Zstandard, by their first bytes. No specimen begins with either: the first byte would be a number of blocks that none has.

use std::io::{self, BufRead, Read};

/// First bytes by which the formats differ.
pub(super) const MAGIC_BYTES: usize = 4;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// The rest of the first bytes of a frame of other data before those of the contents, as `pzstd` writes it; the first one is any of sixteen.
const SKIPPED_FRAME: [u8; 3] = [0x2a, 0x4d, 0x18];
/// Largest window of a Zstandard frame, 128 MiB: what `zstd --ultra -22` without `--long` needs.
const WINDOW_LOG_MAX: u32 = 27;

/// A reader of what `source` holds, where its first bytes are those of a compressed file.
pub(super) fn reader<'a>(head: &[u8], source: impl BufRead + 'a) -> io::Result<Option<Box<dyn Read + 'a>>> {
    if head.starts_with(GZIP) {
        return Ok(Some(Box::new(flate2::bufread::MultiGzDecoder::new(source))));
    }
    if is_zstandard(head) {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
        decoder.window_log_max(WINDOW_LOG_MAX)?;
        return Ok(Some(Box::new(decoder)));
    }
    Ok(None)
}

/// True when these first bytes are a compressed file's.
pub(super) fn is_compressed(head: &[u8]) -> bool {
    head.starts_with(GZIP) || is_zstandard(head)
}

fn is_zstandard(head: &[u8]) -> bool {
    let is_skipped = |(first, rest): (&u8, &[u8])| (0x50..=0x5f).contains(first) && rest.starts_with(&SKIPPED_FRAME);
    head.starts_with(ZSTANDARD) || head.split_first().is_some_and(is_skipped)
}

/// The bytes that `bytes` stand for, at most `limit + 1` of them; `None` where they are not compressed.
pub(super) fn expanded(bytes: &[u8], limit: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(reader) = reader(bytes, bytes)? else { return Ok(None) };
    let mut whole = Vec::new();
    reader.take(limit + 1).read_to_end(&mut whole)?;
    Ok(Some(whole))
}

/// The first bytes of a file, expanded.
pub(super) struct Head {
    pub bytes: Vec<u8>,
    /// True where they are fewer than were asked for, and more of the source could give more.
    pub is_cut: bool,
}

/// The first bytes of what `source` holds, at most `limit` of them. Damage ends them, and is reported where the whole is read.
///
/// # Errors
///
/// The operating system refuses a read.
pub(super) fn head(mut source: impl BufRead, limit: u64) -> io::Result<Head> {
    let mut bytes = Vec::new();
    let first: Vec<u8> = source.fill_buf()?.iter().take(MAGIC_BYTES).copied().collect();
    let read = if is_compressed(&first) {
        reader(&first, source)
            .and_then(|reader| reader.map_or(Ok(0), |reader| reader.take(limit).read_to_end(&mut bytes)))
    } else {
        source.take(limit).read_to_end(&mut bytes)
    };
    let is_cut = match read {
        Ok(_) => (bytes.len() as u64) < limit,
        Err(error) if error.raw_os_error().is_some() => return Err(error),
        Err(error) => error.kind() == io::ErrorKind::UnexpectedEof,
    };
    Ok(Head { bytes, is_cut })
}
