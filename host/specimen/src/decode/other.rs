//! Formats that are mistaken for specimens, recognised by their first bytes.

use std::fmt;

/// A format that is mistaken for a specimen now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherFormat {
    /// No bytes at all.
    Empty,
    /// A ZIP archive.
    Zip,
    /// Bytes compressed by xz.
    Xz,
    /// Bytes compressed by bzip2.
    Bzip2,
    /// Bytes compressed by gzip.
    Gzip,
    /// Bytes compressed by Zstandard.
    Zstd,
    /// A tar archive.
    Tar,
    /// An archive of blocks, as IPFS has it.
    Car,
    /// A web page.
    Page,
    /// JSON.
    Json,
    /// The pointer that Git LFS has in the place of a file.
    LfsPointer,
    /// An Avro container file, which a specimen, a bare datum, is not.
    AvroContainer,
}

/// Offset of the format's name in the header of a tar archive.
const TAR_MAGIC: usize = 257;
/// First bytes of the header of an archive of blocks, in CBOR: a map with the roots, or with the version alone.
const CAR_HEADERS: [&[u8]; 3] = [b"\xa2eroots", b"\xa2gversion", b"\xa1gversion"];
/// Offsets of the header, after its length.
const CAR_HEADER_OFFSETS: std::ops::Range<usize> = 1..4;

impl OtherFormat {
    /// The format that bytes begin as, which are known to be no specimen.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        const BEGINNINGS: [(&[u8], OtherFormat); 7] = [
            (b"PK\x03\x04", OtherFormat::Zip),
            (b"\xfd7zXZ\0", OtherFormat::Xz),
            (b"BZh", OtherFormat::Bzip2),
            (b"\x1f\x8b", OtherFormat::Gzip),
            (b"\x28\xb5\x2f\xfd", OtherFormat::Zstd),
            (b"version https://git-lfs", OtherFormat::LfsPointer),
            (b"Obj\x01", OtherFormat::AvroContainer),
        ];
        if bytes.is_empty() {
            return Some(Self::Empty);
        }
        let binary = BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning)).map(|(_, format)| *format);
        let is_tar = bytes.get(TAR_MAGIC..).is_some_and(|rest| rest.starts_with(b"ustar"));
        let is_car = CAR_HEADER_OFFSETS
            .filter_map(|offset| bytes.get(offset..))
            .any(|rest| CAR_HEADERS.iter().any(|header| rest.starts_with(header)));
        let archive = is_tar.then_some(Self::Tar).or_else(|| is_car.then_some(Self::Car));
        binary.or(archive).or_else(|| match bytes.trim_ascii_start() {
            [b'<', b'!' | b'h' | b'H' | b'?', ..] => Some(Self::Page),
            [b'{' | b'[', b'"' | b'{' | b'\n' | b' ', ..] => Some(Self::Json),
            _ => None,
        })
    }
}

impl fmt::Display for OtherFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "there are no bytes",
            Self::Zip => "it is a ZIP archive, which has to be unpacked first",
            Self::Xz => "it is compressed by xz, which has to be undone first; gzip and Zstandard are read",
            Self::Bzip2 => "it is compressed by bzip2, which has to be undone first; gzip and Zstandard are read",
            Self::Gzip => "it is compressed by gzip twice, or gzip in another file",
            Self::Zstd => "it is compressed by Zstandard twice, or Zstandard in another file",
            Self::Tar => {
                "it is a tar archive; archives are read from files called .tar, .tar.gz or .tar.zst, and from standard input \
                 (`curl -s URL | refiner replay -`)"
            }
            Self::Car => {
                "it is an archive of blocks; those are read from files called .car, .car.gz or .car.zst, and from standard input \
                 (`curl -s URL | refiner replay -`)"
            }
            Self::Page => "it is a web page, as a server sends in the place of a file",
            Self::Json => "it is JSON; `refiner specimen encode` makes a specimen of its JSON form",
            Self::LfsPointer => "it is a pointer of Git LFS; `git lfs pull` fetches the file",
            Self::AvroContainer => "it is an Avro container file, and a specimen is a datum without one",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;

    #[test]
    fn formats_that_are_mistaken_for_specimens_are_named() {
        let tar = [&[b'a'; TAR_MAGIC][..], b"ustar\x0000"].concat();
        for (bytes, words) in [
            (&b""[..], "there are no bytes"),
            (b"PK\x03\x04...", "ZIP archive"),
            (b"\xfd7zXZ\0..", "by xz"),
            (b"BZh91AY", "by bzip2"),
            (b"\x1f\x8b\x08", "by gzip"),
            (b"\x28\xb5\x2f\xfd.", "by Zstandard"),
            (&tar, "tar archive; archives are read from files called .tar"),
            (b"\x3a\xa2eroots\x81", "archive of blocks"),
            (b"\x80\x02\xa2eroots\x81", "archive of blocks"),
            (b"\x0a\xa1gversion\x02", "archive of blocks"),
            (b"\n<!DOCTYPE html>", "web page"),
            (b"<html>", "web page"),
            (b"{\"replicaEvent\": []}", "JSON"),
            (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
            (b"Obj\x01\x04", "Avro container"),
        ] {
            let error = decode(bytes).unwrap_err().to_string();
            assert!(error.starts_with("not a specimen: ") && error.contains(words), "{error}");
        }
        assert!(decode(b"junk").unwrap_err().to_string().starts_with("not a specimen: layout "));
    }
}
