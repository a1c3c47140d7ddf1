use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use refiner_content::{
    CarError, Codec, ContentId, DEPTH_MAX, Dag, DagError, IdError, NodeError, assemble, content_id, read_car, write_car,
};

use crate::{Outcome, bytes};

const LIMIT_BYTES: usize = 16 << 20;

/// An archive of these blocks.
pub fn archive(root: &ContentId, blocks: &[(ContentId, Vec<u8>)]) -> Bytes {
    let mut archive = header(&root.to_bytes(), 1);
    for (id, block) in blocks {
        archive.extend(entry(&[id.to_bytes(), block.clone()].concat()));
    }
    archive.into()
}

/// A node of a file as other profiles write it: bytes of its own and links, in protobuf.
pub fn node(inline: &[u8], links: &[ContentId], file_bytes: Option<u64>) -> (ContentId, Vec<u8>) {
    let mut record = vec![8, 2];
    if !inline.is_empty() {
        record.push(0x12);
        record.extend(entry(inline));
    }
    if let Some(bytes) = file_bytes {
        record.push(0x18);
        record.extend(leb(bytes));
    }
    let mut node = Vec::new();
    for link in links {
        node.push(0x12);
        node.extend(entry(&[&[0x0a, 36][..], &link.to_bytes(), &[0x12, 0, 0x18, 1]].concat()));
    }
    node.push(0x0a);
    node.extend(entry(&record));
    (ContentId::of_block(Codec::DagPb, &node), node)
}

fn header(root: &[u8], version: u8) -> Vec<u8> {
    entry(
        &[&[0xa2, 0x65][..], b"roots", &[0x81, 0xd8, 0x2a, 0x58, 0x25, 0], root, &[0x67], b"version", &[version]]
            .concat(),
    )
}

fn entry(bytes: &[u8]) -> Vec<u8> {
    [leb(bytes.len() as u64), bytes.to_vec()].concat()
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

fn raw(block: &[u8]) -> (ContentId, Vec<u8>) {
    (ContentId::of_block(Codec::Raw, block), block.to_vec())
}

#[test]
fn a_file_of_another_profile_is_put_together_from_its_blocks() -> Outcome {
    // Bytes in nodes and in leaves, in this order, with one leaf linked twice and chunks of unequal length.
    let (leaf, twice) = (raw(b"leaf "), raw(b"twice "));
    let inner = node(b"inner ", &[twice.0, twice.0], Some(18));
    let root = node(b"root ", &[leaf.0, inner.0, leaf.0], Some(33));
    let blocks = read_car(&archive(&root.0, &[root.clone(), leaf, inner, twice]))?;
    assert_eq!(blocks.len(), 4);
    assert_eq!(assemble(&root.0, &blocks, LIMIT_BYTES)?, "root leaf inner twice twice leaf ");
    assert_eq!(assemble(&root.0, &blocks, 33)?.len(), 33);
    assert_eq!(assemble(&root.0, &blocks, 32), Err(DagError::TooLarge { limit_bytes: 32 }));
    Ok(())
}

#[test]
fn blocks_that_make_no_file_are_refused_with_the_reason() -> Outcome {
    let check = |blocks: &[(ContentId, Vec<u8>)], expected: DagError| -> Outcome {
        let root = blocks[0].0;
        assert_eq!(assemble(&root, &read_car(&archive(&root, blocks))?, LIMIT_BYTES), Err(expected));
        Ok(())
    };
    let leaf = raw(b"leaf");
    check(&[node(b"", &[leaf.0], None)], DagError::Missing { id: leaf.0 })?;
    check(&[node(b"", &[leaf.0], Some(5)), leaf], DagError::Size { got_bytes: 4, stated_bytes: 5 })?;

    let check_node = |bytes: &[u8], source: NodeError| {
        let id = ContentId::of_block(Codec::DagPb, bytes);
        check(&[(id, bytes.to_vec())], DagError::Node { id, source })
    };
    check_node(&[0x0a, 2, 8, 1], NodeError::NotAFile { kind: 1 })?;
    check_node(&[], NodeError::NoRecord)?;
    check_node(&[0x0a, 2, 8], NodeError::Malformed { at: 0 })?;
    check_node(&[0x0a, 2, 8, 2, 0x0b], NodeError::Malformed { at: 4 })?;
    check_node(&[0x12, 0, 0x0a, 2, 8, 2], NodeError::Link { index: 0, source: IdError::Truncated })?;
    let (link, many) = (raw(b"").0, 16_384);
    check(&[node(b"", &vec![link; many], None)], DagError::Missing { id: link })?;
    check_node(&node(b"", &vec![link; many + 1], None).1, NodeError::TooManyLinks)
}

#[test]
fn a_tree_is_as_deep_as_allowed_and_no_deeper() -> Outcome {
    let tower = |levels: usize| {
        let mut blocks = vec![raw(b"ground")];
        for _ in 0..levels {
            let below = blocks[0].0;
            blocks.insert(0, node(b"", &[below], Some(6)));
        }
        blocks
    };
    for (levels, expected) in [(DEPTH_MAX, Ok("ground".into())), (DEPTH_MAX + 1, Err(DagError::TooDeep))] {
        let blocks = tower(levels);
        assert_eq!(assemble(&blocks[0].0, &read_car(&archive(&blocks[0].0, &blocks))?, LIMIT_BYTES), expected);
    }
    Ok(())
}

/// 16 nodes of 1,000 links to the next would be 10^48 leaves.
#[test]
fn a_small_archive_of_a_huge_tree_is_refused_quickly() -> Outcome {
    let mut blocks = vec![raw(b"")];
    for _ in 0..DEPTH_MAX {
        let below = blocks[0].0;
        blocks.insert(0, node(b"", &[below; 1000], None));
    }
    let root = blocks[0].0;
    assert_eq!(assemble(&root, &read_car(&archive(&root, &blocks))?, LIMIT_BYTES), Err(DagError::TooManyNodes));
    Ok(())
}

/// Parsed anew at each of its visits, a node of two million fields would cost hours.
#[test]
fn a_node_that_is_costly_to_parse_is_parsed_once() -> Outcome {
    let (_, small) = node(b"", &[], None);
    // Fields that no node has: number 15, of type 0.
    let costly = [[0x78, 0].repeat(2_000_000), small].concat();
    let costly = (ContentId::of_block(Codec::DagPb, &costly), costly);
    let middle = node(b"", &vec![costly.0; 500], None);
    for (links, expected) in [(400, None), (600, Some(DagError::TooManyNodes))] {
        let root = node(b"", &vec![middle.0; links], None);
        let archive = archive(&root.0, &[root.clone(), middle.clone(), costly.clone()]);
        assert!(archive.len() < 4_900_000);
        let began = Instant::now();
        assert_eq!(assemble(&root.0, &read_car(&archive)?, LIMIT_BYTES).err(), expected);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    Ok(())
}

#[test]
fn an_archive_is_read_whole_or_refused_with_the_reason() {
    let check = |archive: Vec<u8>, expected: CarError| assert_eq!(read_car(&archive.into()).err(), Some(expected));
    let (id, block) = raw(b"block");
    let root = id.to_bytes();
    let whole = archive(&id, &[(id, block)]).to_vec();
    let head = header(&root, 1);
    let with = |more: &[u8]| [&head[..], more].concat();
    let at = head.len();

    assert!(read_car(&whole.clone().into()).is_ok());
    check(Vec::new(), CarError::Truncated { at: 0 });
    check(head[..10].to_vec(), CarError::Truncated { at: 0 });
    check(whole[..whole.len() - 1].to_vec(), CarError::Truncated { at });
    check(with(&[0x80]), CarError::Truncated { at });
    check(header(&root, 2), CarError::Version { version: 2 });
    // The first bytes of every CAR of version 2.
    check([&[0x0a, 0xa1, 0x67][..], b"version", &[2]].concat(), CarError::Version { version: 2 });
    check(entry(b"<html>"), CarError::Header);
    check(b"<!DOCTYPE html><html><body>Bad gateway, and a long page about it</body></html>".to_vec(), CarError::Header);
    check(entry(&[&head[1..], &[0][..]].concat()), CarError::Header);
    check(leb((1 << 20) + 1), CarError::Header);
    check(with(&entry(&[id.to_bytes(), b"blocK".to_vec()].concat())), CarError::Mismatch { id });
    check(with(&entry(&[])), CarError::Id { at, source: IdError::Truncated });
    check(with(&entry(&[1, 0x72, 0x12, 32])), CarError::Id { at, source: IdError::Codec { codec: 0x72 } });
    let too_large = (4 << 20) + 1;
    check(with(&leb(too_large)), CarError::BlockTooLarge { bytes: too_large, limit_bytes: 4 << 20 });
    check(with(&leb(too_large - 1)), CarError::Truncated { at });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_file_survives_its_archive(length in 0..2_000_000_usize) {
        let file = Bytes::from(bytes(length));
        let dag = Dag::of(&file);
        let blocks = read_car(&write_car(&dag)).unwrap();
        prop_assert_eq!(assemble(&content_id(&file), &blocks, length).unwrap(), file);
    }

    #[test]
    fn an_archive_with_a_changed_byte_never_gives_other_bytes(length in 1..600_000_usize, at in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let file = Bytes::from(bytes(length));
        let mut archive = write_car(&Dag::of(&file)).to_vec();
        let at = at.index(archive.len());
        archive[at] ^= change;
        let read = read_car(&archive.into()).ok().and_then(|blocks| assemble(&content_id(&file), &blocks, length).ok());
        // The header's root and a block's codec are not used.
        prop_assert!(read.is_none() || read == Some(file));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn any_bytes_are_answered_as_archive_and_as_node(
        noise in prop::collection::vec(any::<u8>(), 0..300),
        keep in 0..60_usize,
    ) {
        let (id, _) = raw(b"block");
        let valid = archive(&id, &[raw(b"block")]);
        let noisy = [&valid[..keep], &noise].concat();
        let _ = read_car(&noisy.into());

        let node = ContentId::of_block(Codec::DagPb, &noise);
        let blocks = read_car(&archive(&node, &[(node, noise)])).unwrap();
        let _ = assemble(&node, &blocks, LIMIT_BYTES);
    }
}
