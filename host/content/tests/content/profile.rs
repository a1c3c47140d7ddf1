use std::{collections::HashSet, fs};

use bytes::Bytes;
use ipld_dagpb::PbNode;
use proptest::prelude::*;
use refiner_content::{Builder, CHUNK_BYTES, Codec, Content, Dag, LINKS_MAX, content_id};
use sha2::{Digest as _, Sha256};

use crate::{Outcome, bytes, pinner, shared};

#[test]
fn the_networks_own_ids_come_out() -> Outcome {
    let check = |content: &[u8], id: &str| assert_eq!(content_id(content).to_string(), id);
    check(b"hello", "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
    check(b"hello2", "bafkreiehfggmf4y7xjzrqhvcvhto6eg44ipnsxuyxwwjytqvatvbn5eg4q");
    check(b"", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
    for (path, id) in shared::known_files() {
        check(&fs::read(path)?, &id);
    }
    Ok(())
}

/// The pinner double builds the tree level by level from all chunks; the program node by node.
#[test]
fn every_number_of_chunks_gives_the_tree_that_a_pinner_builds() {
    let file = bytes(LINKS_MAX * CHUNK_BYTES + 1);
    let whole = |chunks: usize| chunks * CHUNK_BYTES;
    for length in [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, whole(2), whole(LINKS_MAX), file.len()] {
        let content = &file[..length];
        let id = content_id(content);
        assert_eq!(id.to_string(), pinner::content_id(content), "{length} bytes");
        assert_eq!(id.codec(), if length <= CHUNK_BYTES { Codec::Raw } else { Codec::DagPb }, "{length} bytes");
    }
}

/// The other codec is that of the IPLD project.
#[test]
fn another_codec_reads_the_nodes_and_writes_the_same_bytes() -> Outcome {
    let file = Bytes::from(bytes(LINKS_MAX * CHUNK_BYTES + 1));
    let dag = Dag::of(&file);
    let ids: HashSet<_> = dag.blocks().iter().map(|block| block.id.to_string()).collect();
    let nodes: Vec<_> = dag.blocks().iter().filter(|block| block.id.codec() == Codec::DagPb).collect();
    assert_eq!(nodes.len(), 3, "a full node, one of a single leaf, and the root");
    for node in nodes {
        let read = PbNode::from_bytes(node.bytes.clone())?;
        assert!(!read.links.is_empty() && read.links.iter().all(|link| ids.contains(&link.cid.to_string())));
        assert_eq!(read.into_bytes(), node.bytes, "{}", node.id);
    }
    Ok(())
}

#[test]
fn the_blocks_name_themselves_and_end_with_the_root() {
    let file = Bytes::from(bytes(5 * CHUNK_BYTES + 7));
    let dag = Dag::of(&file);
    assert_eq!(dag.root(), content_id(&file));
    assert_eq!(dag.blocks().last().map(|block| block.id), Some(dag.root()));
    assert!(dag.blocks().iter().all(|block| block.id.names(&block.bytes)));
    let leaves: Vec<u8> = dag
        .blocks()
        .iter()
        .filter(|block| block.id.codec() == Codec::Raw)
        .flat_map(|block| block.bytes.clone())
        .collect();
    assert_eq!(leaves, file);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn pieces_of_any_size_make_the_same_id(length in 0..3 * CHUNK_BYTES, sizes in prop::collection::vec(1..400_000_usize, 1..8)) {
        let file = bytes(length);
        let mut builder = Builder::new();
        let mut rest = &file[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(rest.len().min(*size));
            builder.update(piece);
            rest = after;
        }
        prop_assert_eq!(builder.finish(), content_id(&file));
        prop_assert_eq!(Dag::of(&Bytes::from(file.clone())).root(), content_id(&file));
    }
}

#[test]
fn content_of_a_known_sha256_is_named_as_any_other() {
    for length in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1] {
        let content = bytes(length);
        let sha256 = Sha256::digest(&content).into();
        assert_eq!(Content::of_hashed(content.clone().into(), sha256), Content::of(content.into()), "{length} bytes");
    }
}
