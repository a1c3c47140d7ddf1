//! The kinds of hostile roots as one table: each ends within the time and the memory of [`hostile`](super::hostile), with its reason.

use refiner_content::{Block, Codec, ContentId, Gateway};

use super::{
    BLOB,
    blocks::{Root, array, block, head, link, node},
    hostile::{Growth, end, lists},
    raw, serve_archive_of,
};
use crate::{Outcome, chain, patient, pinner::PinnerDouble};

/// A root, the blocks that a gateway serves with it, and a part of the reason.
struct Case {
    name: &'static str,
    root: Vec<u8>,
    /// Each by the id for which it is answered, which need not be its own.
    below: Vec<(ContentId, Vec<u8>)>,
    reason: &'static str,
}

fn case(name: &'static str, root: Vec<u8>, below: Vec<(ContentId, Vec<u8>)>, reason: &'static str) -> Case {
    Case { name, root, below, reason }
}

fn cases() -> Vec<Case> {
    let one = |list: ContentId| Root { length: head(0, 1), ..Root::of(1, &[list]) };
    let list_of = |links: &[ContentId]| block(array(&links.iter().map(link).collect::<Vec<_>>()));
    let million = [head(4, 1_000_000), link(&lists(1)[0]).repeat(1_000_000)].concat();
    let (node_id, huge) = (lists(1)[0], vec![0; 100 << 20]);
    let (list_to_node, list_to_node_bytes) = list_of(&[node_id]);
    let itself = lists(1)[0];
    let raw_link = link(&ContentId::of_block(Codec::Raw, b""));
    let (inner_root, inner_root_bytes) = block(one(itself).bytes());
    vec![
        case("a million links", Root { links: million, ..one(itself) }.bytes(), vec![], "more than 65536 bytes"),
        case(
            "a million stated links",
            Root { links: head(4, 1_000_000), ..one(itself) }.bytes(),
            vec![],
            "the root has 1000000 links; its size needs 1",
        ),
        case(
            "a list that is the root again",
            one(itself).bytes(),
            vec![(itself, one(itself).bytes())],
            "is not what its id",
        ),
        case(
            "a list that is another root",
            one(inner_root).bytes(),
            vec![(inner_root, inner_root_bytes)],
            "expected an array",
        ),
        case(
            "a node that is its own list",
            one(list_to_node).bytes(),
            vec![(list_to_node, list_to_node_bytes.clone()), (node_id, list_to_node_bytes.clone())],
            "is not what its id",
        ),
        case("a size of one byte too many", Root::of(BLOB as u64 + 1, &[itself]).bytes(), vec![], "its size needs 2"),
        case("a size of 64 MiB over one blob", Root::of(64 << 20, &[itself]).bytes(), vec![], "its size needs 529"),
        case("a size beyond 64 MiB", Root::of((64 << 20) + 1, &[itself]).bytes(), vec![], "states 67108865 bytes"),
        case("the largest size", Root::of(u64::MAX, &[itself]).bytes(), vec![], "states 18446744073709551615 bytes"),
        case(
            "a size of nothing over a blob",
            Root { commitments: head(4, 0), ..Root::of(0, &[itself]) }.bytes(),
            vec![],
            "its size needs 0",
        ),
        case(
            "a link to a raw block",
            Root { links: array(&[raw_link]), ..one(itself) }.bytes(),
            vec![],
            "not DAG-CBOR",
        ),
        case(
            "a node of 100 MiB",
            one(list_to_node).bytes(),
            vec![(list_to_node, list_to_node_bytes), (node_id, huge)],
            "more than 270336 bytes",
        ),
        case("a list of 100 MiB", one(itself).bytes(), vec![(itself, vec![0x80; 100 << 20])], "more than 8192 bytes"),
        case("a root of 100 MiB", vec![0xa5; 100 << 20], vec![], "more than 65536 bytes"),
    ]
}

#[tokio::test]
async fn every_hostile_root_ends_within_two_seconds_and_64_mib_with_its_reason() -> Outcome {
    for Case { name, root, below, reason } in cases() {
        let (id, bytes) = block(root);
        let double = PinnerDouble::start()?;
        double.serve_at(&raw(&id), 200, &bytes);
        below.iter().for_each(|(id, bytes)| double.serve_at(&raw(id), 200, bytes));
        let largest = below.iter().map(|(_, bytes)| bytes.len()).chain([bytes.len()]).max().unwrap_or_default();
        let growth = Growth::new();
        let error = end(&double, id).await;
        assert!(chain(&error).contains(reason), "{name}: {}", chain(&error));
        // The double copies a block for each of its answers.
        growth.check(2 * largest);
    }
    Ok(())
}

#[tokio::test]
async fn the_same_roots_end_alike_when_they_come_as_an_archive() -> Outcome {
    for Case { name, root, below, .. } in cases() {
        let (id, bytes) = block(root);
        let double = PinnerDouble::start()?;
        let largest = below.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() + bytes.len();
        let blocks = [(id, bytes)].into_iter().chain(below).map(|(id, bytes)| Block { id, bytes: bytes.into() });
        serve_archive_of(&double, &id, &blocks.collect::<Vec<_>>());
        let growth = Growth::new();
        let error = end(&double, id).await;
        assert!(!chain(&error).is_empty(), "{name}");
        growth.check(3 * largest);
    }
    Ok(())
}

#[tokio::test]
async fn a_das_root_under_the_id_of_another_codec_is_no_file() -> Outcome {
    let bytes = Root::of(1, &[lists(1)[0], ContentId::of_block(Codec::DagCbor, &node(&[]))]).bytes();
    let id = ContentId::of_block(Codec::DagPb, &bytes);
    let double = PinnerDouble::start()?;
    let archive = [Block { id, bytes: bytes.into() }];
    double.serve_at(&format!("/ipfs/{id}"), 200, b"other bytes");
    serve_archive_of(&double, &id, &archive);
    let error = refiner_content::FetchBackend::fetch(&Gateway::new(&double.url(), patient())?, &id).await.unwrap_err();
    assert!(chain(&error).contains("does not name a file"), "{}", chain(&error));
    Ok(())
}
