//! Content ids by the double's own reading of the network's UnixFS profile.

use sha2::{Digest, Sha256};

/// The content id by the network's UnixFS parameters (docs/block-result.md, section 4), level by level.
#[must_use]
pub fn content_id(content: &[u8]) -> String {
    let chunks: Vec<&[u8]> = if content.is_empty() { vec![content] } else { content.chunks(262_144).collect() };
    let mut level: Vec<(Vec<u8>, u64, u64)> =
        chunks.iter().map(|chunk| (id(0x55, chunk), chunk.len() as u64, chunk.len() as u64)).collect();
    while level.len() > 1 {
        level = level.chunks(174).map(parent).collect();
    }
    base32(&level[0].0)
}

/// Id, bytes of the file and bytes of the blocks of the node above `children`.
fn parent(children: &[(Vec<u8>, u64, u64)]) -> (Vec<u8>, u64, u64) {
    let file_bytes: u64 = children.iter().map(|child| child.1).sum();
    let mut record = vec![8, 2, 0x18];
    record.extend(leb(file_bytes));
    for child in children {
        record.push(0x20);
        record.extend(leb(child.1));
    }
    let mut node = Vec::new();
    for (id, _, below) in children {
        let size = leb(*below);
        node.extend([0x12, 2 + 36 + 2 + 1 + u8::try_from(size.len()).unwrap_or(0), 0x0a, 36]);
        node.extend(id);
        node.extend([0x12, 0, 0x18]);
        node.extend(size);
    }
    node.push(0x0a);
    node.extend(leb(record.len() as u64));
    node.extend(record);
    let below: u64 = children.iter().map(|child| child.2).sum();
    (id(0x70, &node), file_bytes, below + node.len() as u64)
}

fn id(codec: u8, block: &[u8]) -> Vec<u8> {
    [&[1, codec, 0x12, 32], Sha256::digest(block).as_slice()].concat()
}

fn leb(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
    out
}

fn base32(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let digits = (0..bytes.len() * 8).step_by(5).map(|at| (at..at + 5).fold(0, |value, at| value << 1 | bit(at)));
    let letters = digits.map(|digit| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(digit)]));
    std::iter::once('b').chain(letters).collect()
}
