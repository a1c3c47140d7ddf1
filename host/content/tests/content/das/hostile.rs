//! Roots that are built to cost time or memory. Each ends with a reason of its own, and early.

use std::{
    fs,
    time::{Duration, Instant},
};

use refiner_content::{Blame, Block, CborError, Codec, ContentId, DasError, FetchBackend, FetchError};

use super::{
    BLOB,
    blocks::{Root, array, block, head, link, node, string, text},
    gateway, is, raw, serve_archive_of, serve_blocks,
};
use crate::{
    Outcome, PATIENT,
    pinner::{Fault, PinnerDouble, Route},
};

/// Most time and memory of one root. Time is the processor's where others keep the machine busy.
const TIME: Duration = Duration::from_secs(2);
const MEMORY_KIB: u64 = 64 << 10;

pub(super) fn lists(count: usize) -> Vec<ContentId> {
    (0..count).map(|list| ContentId::of_block(Codec::DagCbor, &list.to_le_bytes())).collect()
}

/// What a gateway's root and the blocks below it end with.
pub(super) async fn end(double: &PinnerDouble, root: ContentId) -> FetchError {
    let (began, before) = (Instant::now(), processor_time());
    let error = gateway(double).fetch(&root).await.unwrap_err();
    let (wall, processor) = (began.elapsed(), processor_time().saturating_sub(before));
    assert!(wall < TIME || processor < TIME && wall < PATIENT, "{wall:?}, {processor:?} for {error:?}");
    error
}

async fn end_of_root(bytes: Vec<u8>) -> FetchError {
    let (root, bytes) = block(bytes);
    let double = PinnerDouble::start().unwrap();
    double.serve_at(&raw(&root), 200, &bytes);
    end(&double, root).await
}

async fn check_root(bytes: Vec<u8>, expected: DasError) {
    let error = end_of_root(bytes).await;
    assert_eq!(error.blame(), Blame::Final, "{error:?}");
    let FetchError::NoDas { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source, expected);
}

#[tokio::test]
async fn each_thing_of_a_root_that_does_not_fit_is_an_error_of_its_own() -> Outcome {
    let two = Root::of(BLOB as u64 + 1, &lists(2));
    let limit_bytes = 64 << 20;
    let size = |stated| Root { size: head(0, stated), ..two.clone() }.bytes();
    check_root(size(limit_bytes as u64 + 1), DasError::Size { stated: limit_bytes as u64 + 1, limit_bytes }).await;
    check_root(size(u64::MAX), DasError::Size { stated: u64::MAX, limit_bytes }).await;
    check_root(size(0), DasError::Links { found: 2, expected: 0 }).await;
    check_root(size(BLOB as u64), DasError::Links { found: 2, expected: 1 }).await;
    check_root(size(limit_bytes as u64), DasError::Links { found: 2, expected: 529 }).await;
    let links = array(&lists(3).iter().map(link).collect::<Vec<_>>());
    check_root(Root { links, ..two.clone() }.bytes(), DasError::Links { found: 3, expected: 2 }).await;
    let links = head(4, 1_000_000);
    check_root(Root { links, ..two.clone() }.bytes(), DasError::Links { found: 1_000_000, expected: 2 }).await;
    for length in [0, 3, 129, 256, u64::MAX] {
        check_root(Root { length: head(0, length), ..two.clone() }.bytes(), DasError::Length { length }).await;
    }
    let commitments = array(&[string(&[0; 48])]);
    let expected = DasError::Commitments { found: 1, expected: 2 };
    check_root(Root { commitments, ..two.clone() }.bytes(), expected).await;
    let commitments = array(&[string(&[0; 48]), string(&[0; 47])]);
    let expected = DasError::CommitmentBytes { blob: 1, bytes: 47 };
    check_root(Root { commitments, ..two.clone() }.bytes(), expected).await;
    let error = end_of_root(Root { version: text("v0.3.0"), ..two.clone() }.bytes()).await;
    assert!(matches!(error, FetchError::NoDas { source: DasError::Version { .. }, .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn dag_cbor_is_read_strictly() -> Outcome {
    let one = Root::of(1, &lists(1));
    let cbor = DasError::Cbor;
    check_root(b"plain".to_vec(), cbor(CborError::Type { at: 0, found: 3, expected: "a map" })).await;
    check_root(head(5, 4), cbor(CborError::Entries { found: 4, expected: 5 })).await;
    check_root(vec![0xbf], cbor(CborError::NotShortest { at: 0 })).await;
    check_root(vec![0xb8, 5], cbor(CborError::NotShortest { at: 0 })).await;
    let longer = Root { size: vec![0x18, 1], ..one.clone() };
    check_root(longer.bytes(), cbor(CborError::NotShortest { at: 6 })).await;
    let mut bytes = one.bytes();
    bytes.push(0);
    check_root(bytes, cbor(CborError::Trailing { bytes: 1 })).await;
    let mut bytes = one.bytes();
    bytes.pop();
    check_root(bytes, cbor(CborError::Truncated)).await;
    let mut bytes = one.bytes();
    bytes[2] = b'S';
    check_root(bytes, cbor(CborError::Key { at: 1, expected: "size" })).await;
    let with = |link: Vec<u8>| Root { links: array(&[link]), ..one.clone() }.bytes();
    let raw = ContentId::of_block(Codec::Raw, b"");
    let at = 14;
    check_root(with(link(&raw)), cbor(CborError::LinkCodec { at })).await;
    check_root(with([head(6, 43), vec![0x40]].concat()), cbor(CborError::Tag { at, tag: 43 })).await;
    check_root(with([head(6, 42), string(&[1, 2])].concat()), cbor(CborError::Multibase { at })).await;
    check_root(with(head(0, 1)), cbor(CborError::Type { at, found: 0, expected: "a link" })).await;
    let long = [vec![0], lists(1)[0].to_bytes(), vec![0]].concat();
    let error = end_of_root(with([head(6, 42), string(&long)].concat())).await;
    assert!(matches!(error, FetchError::NoDas { source: DasError::Cbor(CborError::Link { .. }), .. }), "{error:?}");
    let unknown = [&[0, 1, 0x85, 0x01, 0x12, 32][..], &[0; 32]].concat();
    let error = end_of_root(with([head(6, 42), string(&unknown)].concat())).await;
    assert!(matches!(error, FetchError::NoDas { source: DasError::Cbor(CborError::Link { .. }), .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn lists_and_nodes_that_do_not_fit_are_refused() -> Outcome {
    let check = async |list: Vec<u8>, below: &[Vec<u8>], length: u64, expected: DasError| {
        let double = PinnerDouble::start().unwrap();
        let (list, list_bytes) = block(list);
        let (root, bytes) = block(Root { length: head(0, length), ..Root::of(1, &[list]) }.bytes());
        double.serve_at(&raw(&root), 200, &bytes);
        double.serve_at(&raw(&list), 200, &list_bytes);
        for bytes in below {
            double.serve_at(&raw(&block(bytes.clone()).0), 200, bytes);
        }
        let error = end(&double, root).await;
        let FetchError::NoDas { source, .. } = error else { panic!("{error:?}") };
        assert_eq!(source, expected);
    };
    let links = |count| array(&lists(count).iter().map(link).collect::<Vec<_>>());
    check(links(3), &[], 4, DasError::ListLinks { found: 3, expected: 4 }).await;
    check(head(4, 1 << 40), &[], 4, DasError::ListLinks { found: 1 << 40, expected: 4 }).await;
    // Where a link leads back to a root or a list, another form is expected.
    let other_root = Root::of(1, &lists(1)).bytes();
    let not_a_list = CborError::Type { at: 0, found: 5, expected: "an array" };
    check(other_root, &[], 4, DasError::Cbor(not_a_list)).await;
    let to = |bytes: &[u8]| array(&[link(&block(bytes.to_vec()).0)]);
    let not_a_node = CborError::Type { at: 0, found: 4, expected: "a map" };
    check(to(&links(1)), &[links(1)], 1, DasError::Cbor(not_a_node)).await;
    let short = node(&vec![0; 127 * 2048]);
    let expected = DasError::CellBytes { bytes: 127 * 2048, expected: 128 * 2048 };
    check(to(&short), &[short], 1, expected).await;
    let whole = vec![0; 128 * 2048];
    let proofs = [head(5, 2), text("cell"), string(&whole), text("proof"), string(&[0; 48])].concat();
    check(to(&proofs), &[proofs], 1, DasError::ProofBytes { bytes: 48, expected: 128 * 48 }).await;
    let mut not_zero = whole;
    not_zero[0] = 1;
    let element = node(&not_zero);
    check(to(&element), &[element], 1, DasError::Element).await;
    Ok(())
}

#[tokio::test]
async fn cells_that_are_no_field_elements_are_not_recovered_from() -> Outcome {
    let second = node(&vec![0xff; 64 * 2048]);
    let (second_id, second) = block(second);
    let (list, list_bytes) = block(array(&[link(&lists(1)[0]), link(&second_id)]));
    let (root, bytes) = block(Root { length: head(0, 2), ..Root::of(1, &[list]) }.bytes());
    let double = PinnerDouble::start()?;
    for (id, bytes) in [(root, bytes), (list, list_bytes), (second_id, second)] {
        double.serve_at(&raw(&id), 200, &bytes);
    }
    let error = end(&double, root).await;
    assert!(matches!(error, FetchError::NoDas { source: DasError::NotInField, .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_root_of_a_million_links_is_not_read_on() -> Outcome {
    let million = link(&lists(1)[0]).repeat(1_000_000);
    let links = [head(4, 1_000_000), million].concat();
    let (root, bytes) = block(Root { links, ..Root::of(1, &[]) }.bytes());
    let double = PinnerDouble::start()?;
    double.serve_at(&raw(&root), 200, &bytes);
    serve_archive_of(&double, &root, &[Block { id: root, bytes: bytes.clone().into() }]);
    let growth = Growth::new();
    let error = end(&double, root).await;
    assert!(matches!(error, FetchError::DasBlock { source: DasError::BlockTooLarge { .. }, .. }), "{error:?}");
    // The double copies its 41 MB for each of its two answers.
    growth.check(2 * bytes.len());
    Ok(())
}

#[tokio::test]
async fn endless_answers_cost_no_memory() -> Outcome {
    let root = lists(1)[0];
    for fault in [Fault::Endless, Fault::EndlessStated] {
        let double = PinnerDouble::start()?;
        double.fault(Route::Other, fault);
        let growth = Growth::new();
        let error = end(&double, root).await;
        assert!(matches!(error, FetchError::DasBlock { source: DasError::BlockTooLarge { .. }, .. }), "{error:?}");
        growth.check(0);
    }
    Ok(())
}

#[tokio::test]
async fn a_list_or_node_of_a_gigabyte_costs_no_memory() -> Outcome {
    let ids = lists(4);
    let (list, list_bytes) = block(array(&ids.iter().map(link).collect::<Vec<_>>()));
    let (root, bytes) = block(Root::of(1, &[list]).bytes());
    for huge in [vec![list], ids] {
        let double = PinnerDouble::start()?;
        double.serve_at(&raw(&root), 200, &bytes);
        double.serve_at(&raw(&list), 200, &list_bytes);
        huge.iter().for_each(|id| double.fault_at(&raw(id), Fault::Endless));
        let growth = Growth::new();
        let error = end(&double, root).await;
        assert!(matches!(error, FetchError::DasBlock { source: DasError::BlockTooLarge { .. }, .. }), "{error:?}");
        growth.check(0);
    }
    Ok(())
}

#[tokio::test]
async fn an_archive_of_other_blocks_is_left_early() -> Outcome {
    let filler = vec![0_u8; 250_000];
    let blocks = (0..400_u32).map(|number| block([&number.to_le_bytes()[..], &filler].concat()));
    let blocks: Vec<_> = blocks.map(|(id, bytes)| Block { id, bytes: bytes.into() }).collect();
    let (root, bytes) = block(Root::of(1, &lists(1)).bytes());
    let double = PinnerDouble::start()?;
    double.serve_at(&raw(&root), 200, &bytes);
    serve_archive_of(&double, &root, &blocks);
    let growth = Growth::new();
    let error = end(&double, root).await;
    assert!(matches!(error, FetchError::NotFound { .. }), "{error:?}");
    growth.check(100 << 20);
    Ok(())
}

/// Parsed or forgotten anew for each of its links, these few blocks would cost minutes.
#[tokio::test]
async fn blocks_that_are_linked_to_thousands_of_times_cost_no_more_than_the_content() -> Outcome {
    let blobs = 528;
    let node_of = |number: u8| {
        let mut cells = vec![0; 2048];
        cells[31] = number;
        block(node(&cells))
    };
    let nodes: Vec<_> = (0..64).map(node_of).collect();
    let spare = lists(1)[0];
    let whole = block(node(&vec![0; 128 * 2048]));
    let all_to_one = |list: ContentId, length: u64| {
        block(Root { length: head(0, length), ..Root::of(BLOB as u64 * blobs as u64, &vec![list; blobs]) }.bytes())
    };
    let many_links: Vec<_> = nodes.iter().map(|(id, _)| link(id)).chain((0..64).map(|_| link(&spare))).collect();
    for (links, length, below) in [(vec![link(&whole.0)], 1, vec![whole]), (many_links, 128, nodes)] {
        let list = block(array(&links));
        let (root, root_bytes) = all_to_one(list.0, length);
        let blocks = [(root, root_bytes), list].into_iter().chain(below);
        let blocks: Vec<_> = blocks.map(|(id, bytes)| Block { id, bytes: bytes.into() }).collect();
        assert!(blocks.iter().map(|block| block.bytes.len()).sum::<usize>() < 400_000);
        let double = PinnerDouble::start()?;
        serve_archive_of(&double, &root, &blocks);
        let before = processor_time();
        let fetched = gateway(&double).fetch(&root).await?;
        let took = processor_time() - before;
        assert_eq!(fetched.bytes().len(), BLOB * blobs);
        assert!(took < 2 * TIME, "{took:?} for nodes of {length}");
    }
    Ok(())
}

#[tokio::test]
async fn node_with_several_places_in_a_blob_fills_that_blob_alone() -> Outcome {
    let zeros = vec![0; 32 * 2048];
    let there = block(node(&zeros));
    // Of the same cells, with another proof, so that it has an id of its own.
    let mut gone = node(&zeros);
    *gone.last_mut().unwrap() = 1;
    let gone = ContentId::of_block(Codec::DagCbor, &gone);
    let first = block(array(&[gone, there.0, there.0, there.0].map(|id| link(&id))));
    let mut cells = zeros;
    cells[1] = 7;
    let other = block(node(&cells));
    let second = block(array(&[other.0, other.0, gone, gone].map(|id| link(&id))));
    let content = [vec![0; BLOB], vec![7]].concat();
    let root = block(Root::of(content.len() as u64, &[first.0, second.0]).bytes());
    let blocks = [root.clone(), first, second, there, other].map(|(id, bytes)| Block { id, bytes: bytes.into() });
    let (singly, at_once) = (PinnerDouble::start()?, PinnerDouble::start()?);
    serve_blocks(&singly, &blocks);
    serve_archive_of(&at_once, &root.0, &blocks);
    for double in [singly, at_once] {
        let fetched = gateway(&double).fetch_accepted(&root.0, is(&content)).await?;
        assert_eq!(fetched.bytes(), &content);
    }
    Ok(())
}

#[tokio::test]
async fn an_archive_of_a_million_small_blocks_costs_no_memory() -> Outcome {
    let (root, bytes) = block(Root::of(1, &lists(1)).bytes());
    for filler in [0, 1, 40] {
        let blocks = (0..1_000_000_u32).map(|number| {
            let mut digest = [0; 32];
            digest[..4].copy_from_slice(&number.to_le_bytes());
            [&[38 - 2 + filler, 1, 0x71, 0x12, 32][..], &digest, &vec![0; usize::from(filler)]].concat()
        });
        let mut archive = crate::archive::archive(&root, &[]).to_vec();
        blocks.for_each(|block| archive.extend(block));
        let double = PinnerDouble::start()?;
        double.serve_at(&raw(&root), 200, &bytes);
        double.serve_at(&format!("/ipfs/{root}?format=car"), 200, &archive);
        let growth = Growth::new();
        let error = end(&double, root).await;
        assert!(matches!(error, FetchError::NotFound { .. }), "{error:?}");
        growth.check(archive.len());
    }
    Ok(())
}

/// The memory of this process since a moment.
pub(super) struct Growth(u64);

impl Growth {
    pub(super) fn new() -> Self {
        // Makes the highest value the present one.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        Self(peak_kib())
    }

    /// Less than the limit, beside `others` bytes that the test itself allocates.
    pub(super) fn check(self, others: usize) {
        let grown = peak_kib().saturating_sub(self.0);
        assert!(grown < MEMORY_KIB + others as u64 / 1024, "{grown} KiB");
    }
}

/// The time that all threads of this process had a core, the double's included.
pub(super) fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    // User and system time, in hundredths of a second.
    let ticks: u64 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(10 * ticks)
}

/// The most memory that this process ever had.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}
