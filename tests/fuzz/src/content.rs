//! Content ids and what gateways send: archives, nodes of UnixFS, blocks of DAS content.

use std::str::FromStr as _;

use bytes::Bytes;
use refiner_content::{ContentId, Dag, Locations, fuzz, read_car, write_car};

/// The most bytes of content that is put together.
const CONTENT_BYTES_MAX: usize = 1 << 20;

/// An archive, and the file that each of its blocks is the root of.
pub fn archive(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    fuzz::read_node(&bytes);
    let Ok(blocks) = read_car(&bytes) else { return };
    fuzz::assemble_all(&blocks, CONTENT_BYTES_MAX);
    // An input is also the plan of a tree of files, for an archive that is changed has blocks under other ids.
    fuzz::assemble_plan(&bytes, CONTENT_BYTES_MAX);
}

/// A file of one chunk, and a tree of two.
pub fn archive_seeds() -> Vec<Vec<u8>> {
    [b"content".to_vec(), vec![7; 300_000]].map(|content| write_car(&Dag::of(&content.into())).into()).into()
}

/// Roots, lists and nodes of DAS content, and an archive of them in pieces.
pub fn das(bytes: &[u8]) {
    fuzz::read_das(&Bytes::copy_from_slice(bytes));
}

pub fn das_seeds() -> Vec<Vec<u8>> {
    fuzz::das_seeds()
}

/// An id in text, alone and as an announcement lists it.
pub fn id(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(id) = ContentId::from_str(text) {
        assert_eq!(ContentId::from_str(&id.to_string()).as_ref(), Ok(&id), "an id reads back");
        assert_eq!(ContentId::read(&mut id.to_bytes().as_slice()).as_ref(), Ok(&id), "an id in binary reads back");
    }
    let _ = Locations::parse(&text.split('\n').collect::<Vec<_>>());
}

pub fn id_seeds() -> Vec<Vec<u8>> {
    let id = refiner_content::content_id(b"content").to_string();
    let announced = format!("ipfs://{id}\nhttps://example.org/ipfs/{id}?a=b");
    [id, announced, "bafyreibk3covs5ltyqxa272uodhculbr6kea6betidfwy3ajsav2vjzyum".to_owned()]
        .map(String::into_bytes)
        .into()
}
