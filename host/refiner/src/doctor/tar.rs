//! Archives of small files, in the format that every `tar` reads (POSIX.1-1988, ustar).

/// Bytes of a block. A file is filled up to whole ones.
const BLOCK_BYTES: usize = 512;
/// Bytes of a name, of which the format has room for more in a second field that is not needed here.
const NAME_BYTES: usize = 100;
/// Where the checksum stands in a header: six octal digits, a zero and a space.
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// An archive that grows by one file after the other.
#[derive(Debug, Default)]
pub struct Tar(Vec<u8>);

impl Tar {
    /// Adds a file that its owner alone may read. A name beyond 100 bytes is cut off.
    pub fn add(&mut self, name: &str, modified_s: u64, bytes: &[u8]) {
        let mut header = [0; BLOCK_BYTES];
        let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, &name[..name.floor_char_boundary(NAME_BYTES)]);
        put(100, "0000600");
        put(108, "0000000");
        put(116, "0000000");
        put(124, &format!("{:011o}", bytes.len()));
        put(136, &format!("{modified_s:011o}"));
        put(CHECKSUM.start, "        ");
        put(156, "0");
        put(257, "ustar");
        put(263, "00");
        let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
        header[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(BLOCK_BYTES), 0);
    }

    /// The whole archive, which two empty blocks end.
    pub fn finish(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 2 * BLOCK_BYTES, 0);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_has_a_header_and_whole_blocks_for_each_file() {
        let mut tar = Tar::default();
        tar.add("a/b.txt", 1_700_000_000, b"text");
        tar.add(&"é".repeat(80), 0, &[7; 513]);
        let bytes = tar.finish();
        assert_eq!(bytes.len(), 512 * (2 + 3 + 2));
        assert_eq!((&bytes[..8], &bytes[512..517]), (b"a/b.txt\0".as_slice(), b"text\0".as_slice()));
        assert_eq!((&bytes[124..136], &bytes[136..148]), (b"00000000004\0".as_slice(), b"14524770400\0".as_slice()));
        // The sum over the header, with spaces in the place of the sum.
        let sum: u32 = bytes[..512]
            .iter()
            .enumerate()
            .map(|(at, byte)| if CHECKSUM.contains(&at) { 32 } else { u32::from(*byte) })
            .sum();
        assert_eq!(&bytes[148..156], format!("{sum:06o}\0 ").as_bytes());
        assert!(bytes[512 * 5..].iter().all(|byte| *byte == 0 || *byte == 7));
    }
}
