//! gzip and Zstandard, by their first bytes. No specimen begins with either: its first byte would be a negative height.

use std::io::{self, BufRead, Read};

/// First bytes by which the formats differ.
pub(super) const MAGIC_BYTES: usize = 4;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Largest window of a Zstandard frame, 128 MiB: what `zstd --ultra -22` without `--long` needs.
const WINDOW_LOG_MAX: u32 = 27;

/// A reader of what `source` holds, where its first bytes are those of a compressed file.
pub(super) fn reader<'a>(head: &[u8], source: impl BufRead + 'a) -> io::Result<Option<Box<dyn Read + 'a>>> {
    if head.starts_with(GZIP) {
        return Ok(Some(Box::new(flate2::bufread::MultiGzDecoder::new(source))));
    }
    if head.starts_with(ZSTANDARD) {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
        decoder.window_log_max(WINDOW_LOG_MAX)?;
        return Ok(Some(Box::new(decoder)));
    }
    Ok(None)
}

/// True when these first bytes are a compressed file's.
pub(super) fn is_compressed(head: &[u8]) -> bool {
    head.starts_with(GZIP) || head.starts_with(ZSTANDARD)
}

/// The bytes that `bytes` stand for, at most `limit + 1` of them; `None` where they are not compressed.
pub(super) fn expanded(bytes: &[u8], limit: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(reader) = reader(bytes, bytes)? else { return Ok(None) };
    let mut whole = Vec::new();
    reader.take(limit + 1).read_to_end(&mut whole)?;
    Ok(Some(whole))
}

/// The first bytes of what `source` holds, at most `limit` of them; as many as there are before an error.
pub(super) fn head(mut source: impl BufRead, limit: u64) -> Vec<u8> {
    let mut head = Vec::new();
    let Ok(first) = source.fill_buf() else { return head };
    let first: Vec<u8> = first.iter().take(MAGIC_BYTES).copied().collect();
    let read = if is_compressed(&first) {
        reader(&first, source)
            .and_then(|reader| reader.map_or(Ok(0), |reader| reader.take(limit).read_to_end(&mut head)))
    } else {
        source.take(limit).read_to_end(&mut head)
    };
    // The error is reported where the whole is read.
    drop(read);
    head
}
