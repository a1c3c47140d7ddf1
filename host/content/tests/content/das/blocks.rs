//! Blocks written by hand, for what no encoder writes.

use refiner_content::{Codec, ContentId};

/// A block and its id.
pub fn block(bytes: Vec<u8>) -> (ContentId, Vec<u8>) {
    (ContentId::of_block(Codec::DagCbor, &bytes), bytes)
}

/// Major type and number, in the shortest form.
pub fn head(major: u8, number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    match number {
        0..24 => vec![major << 5 | bytes[7]],
        24..0x100 => vec![major << 5 | 24, bytes[7]],
        0x100..0x1_0000 => [&[major << 5 | 25], &bytes[6..]].concat(),
        0x1_0000..0x1_0000_0000 => [&[major << 5 | 26], &bytes[4..]].concat(),
        _ => [&[major << 5 | 27], &bytes[..]].concat(),
    }
}

pub fn text(text: &str) -> Vec<u8> {
    [head(3, text.len() as u64), text.into()].concat()
}

pub fn string(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len() as u64), bytes.into()].concat()
}

pub fn link(id: &ContentId) -> Vec<u8> {
    [head(6, 42), string(&[vec![0], id.to_bytes()].concat())].concat()
}

pub fn array(values: &[Vec<u8>]) -> Vec<u8> {
    [head(4, values.len() as u64), values.concat()].concat()
}

/// The five entries of a root, each as it is written.
#[derive(Clone)]
pub struct Root {
    pub size: Vec<u8>,
    pub links: Vec<u8>,
    pub length: Vec<u8>,
    pub version: Vec<u8>,
    pub commitments: Vec<u8>,
}

impl Root {
    /// A root of `size` bytes over these lists, with commitments of zeros.
    pub fn of(size: u64, lists: &[ContentId]) -> Self {
        Self {
            size: head(0, size),
            links: array(&lists.iter().map(link).collect::<Vec<_>>()),
            length: head(0, 4),
            version: text("v0.2.0"),
            commitments: array(&vec![string(&[0; 48]); lists.len()]),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let entries = [
            ("size", &self.size),
            ("links", &self.links),
            ("length", &self.length),
            ("version", &self.version),
            ("commitments", &self.commitments),
        ];
        let entries = entries.map(|(key, value)| [text(key), value.clone()].concat());
        [head(5, 5), entries.concat()].concat()
    }
}

/// A node of these cells, with proofs of zeros.
pub fn node(cells: &[u8]) -> Vec<u8> {
    let proofs = vec![0; cells.len() / 2048 * 48];
    [head(5, 2), text("cell"), string(cells), text("proof"), string(&proofs)].concat()
}
