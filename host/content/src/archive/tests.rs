//! Archives that are damaged, foreign or made to cost much.

use std::{fs, io::Write as _};

use super::*;
use crate::{Dag, write_car};

fn opened(bytes: &[u8]) -> Result<Archive, ArchiveError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Archive::open(file)
}

fn dag(bytes: &[u8]) -> Dag {
    Dag::of(&Bytes::copy_from_slice(bytes))
}

/// A protobuf field of bytes.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint::write(&mut out, number << 3 | 2);
    varint::write(&mut out, bytes.len() as u64);
    out.extend_from_slice(bytes);
    out
}

/// A directory's node, as kubo writes it.
fn directory(kind: u8, entries: &[(&str, ContentId)]) -> Vec<u8> {
    let link = |(name, id): &(&str, ContentId)| {
        field(2, &[field(1, &id.to_bytes()), field(2, name.as_bytes()), vec![0x18, 1]].concat())
    };
    let record = if kind == 5 { vec![0x08, 5, 0x28, 0x22, 0x30, 0x80, 0x02] } else { vec![0x08, kind] };
    [entries.iter().flat_map(link).collect(), field(1, &record)].concat()
}

/// An archive of blocks below one root.
fn archive(root: ContentId, blocks: &[(ContentId, Vec<u8>)]) -> Vec<u8> {
    let mut header = vec![0xa2, 0x65];
    header.extend_from_slice(b"roots");
    header.extend_from_slice(&[0x81, 0xd8, 0x2a, 0x58, 0x25, 0x00]);
    header.extend_from_slice(&root.to_bytes());
    header.push(0x67);
    header.extend_from_slice(b"version\x01");
    let mut out = Vec::new();
    let mut add = |entry: &[u8]| {
        varint::write(&mut out, entry.len() as u64);
        out.extend_from_slice(entry);
    };
    add(&header);
    for (id, block) in blocks {
        add(&[&id.to_bytes()[..], block].concat());
    }
    out
}

#[test]
fn file_of_an_archive_is_read_block_by_block() {
    let bytes: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    let dag = dag(&bytes);
    let archive = opened(&write_car(&dag)).unwrap();
    let files = archive.files().unwrap();
    assert_eq!(files, [Named { name: dag.root().to_string(), id: dag.root() }]);
    assert_eq!(archive.read(&dag.root(), bytes.len()).unwrap(), bytes);
    assert!(matches!(archive.read(&dag.root(), bytes.len() - 1), Err(ArchiveError::Dag(DagError::TooLarge { .. }))));
    let head = archive.head(&dag.root(), 100).unwrap();
    assert!(head.len() >= 100 && head.len() < bytes.len() && bytes.starts_with(&head), "{}", head.len());
}

#[test]
fn files_in_directories_and_in_their_shards_have_their_paths() {
    let [one, two, three] = [b"one", b"two", b"thr"].map(|bytes| ContentId::of_block(Codec::Raw, bytes));
    let shard = directory(5, &[("0A1-30.avro", three)]);
    let shard_id = ContentId::of_block(Codec::DagPb, &shard);
    let root_shard = directory(5, &[("F1", shard_id), ("031-20.avro", two)]);
    let root_shard_id = ContentId::of_block(Codec::DagPb, &root_shard);
    let root = directory(1, &[("1-10.avro", one), ("many", root_shard_id)]);
    let root_id = ContentId::of_block(Codec::DagPb, &root);
    let blocks = [
        (root_id, root),
        (root_shard_id, root_shard),
        (shard_id, shard),
        (one, b"one".to_vec()),
        (two, b"two".to_vec()),
        (three, b"thr".to_vec()),
    ];
    let archive = opened(&archive(root_id, &blocks)).unwrap();
    let files = archive.files().unwrap();
    let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["1-10.avro", "many/1-30.avro", "many/1-20.avro"]);
    assert_eq!(archive.read(&files[1].id, 9).unwrap(), "thr");
}

#[test]
fn version_2_is_read_by_the_version_1_in_it() {
    let dag = dag(b"content");
    let inner = write_car(&dag);
    let mut outer = VERSION_2.to_vec();
    outer.extend_from_slice(&[0; 16]);
    let begin = V2_HEADER_BYTES as u64 + 7;
    for number in [begin, inner.len() as u64, 0] {
        outer.extend_from_slice(&number.to_le_bytes());
    }
    outer.extend_from_slice(&[0xff; 7]);
    outer.extend_from_slice(&inner);
    outer.extend_from_slice(b"an index");
    let archive = opened(&outer).unwrap();
    assert_eq!(archive.read(&dag.root(), 99).unwrap(), "content");
    assert!(Archive::begins(&outer) && Archive::begins(&inner));
    assert!(!Archive::begins(b"Obj\x01") && !Archive::begins(&inner[1..]) && !Archive::begins(&inner[..6]));
    let cut = outer.len() - 30;
    assert!(matches!(opened(&outer[..cut]), Err(ArchiveError::Car(CarError::Truncated { .. }))));
}

#[test]
fn damaged_archive_is_an_error_and_no_file() {
    let dag = dag(b"content that is one block");
    let whole = write_car(&dag);
    for length in 0..whole.len() {
        let read = opened(&whole[..length]).and_then(|archive| archive.read(&dag.root(), 99));
        assert!(read.is_err(), "{length} of {} bytes", whole.len());
    }
    for at in 0..whole.len() {
        let mut changed = whole.to_vec();
        changed[at] ^= 1;
        let read = opened(&changed).and_then(|archive| archive.read(&dag.root(), 99));
        assert!(read.is_err() || read.is_ok_and(|bytes| bytes == "content that is one block"), "byte {at}");
    }
    let nothing = tempfile::NamedTempFile::new().unwrap();
    fs::write(nothing.path(), b"").unwrap();
    assert!(Archive::open(File::open(nothing.path()).unwrap()).is_err());
}

#[test]
fn names_and_blocks_that_are_no_files_are_passed_over() {
    let of_node = |node: Vec<u8>| (ContentId::of_block(Codec::DagPb, &node), node);
    // A symbolic link and notes, as UnixFS has them.
    let (link, notes) = (of_node(field(1, &[0x08, 4])), of_node(field(1, &[0x08, 3])));
    let leaf = (ContentId::of_block(Codec::Raw, b"leaf"), b"leaf".to_vec());
    let root = of_node(directory(1, &[("a", link.0), ("b", leaf.0), ("c", notes.0)]));
    let mut bytes = archive(root.0, &[root, link.clone(), leaf.clone(), notes]);
    // A block under a BLAKE2b hash, and one of DAG-JSON.
    for id in [&[1, 0x55, 0xa0, 0xe4, 0x02, 32][..], &[1, 0xa9, 0x02, 0x12, 32]] {
        let entry = [id, &[7; 32], b"{}"].concat();
        varint::write(&mut bytes, entry.len() as u64);
        bytes.extend(entry);
    }
    let listed = opened(&bytes).unwrap();
    assert_eq!(listed.files().unwrap(), [Named { name: "b".to_owned(), id: leaf.0 }]);
    assert_eq!(listed.read(&leaf.0, 9).unwrap(), "leaf");
    // As the root it is what was asked for.
    let ended = opened(&archive(link.0, &[link])).unwrap().files();
    let kind = NodeError::NotAFile { kind: 4 };
    assert!(matches!(&ended, Err(ArchiveError::Dag(DagError::Node { source, .. })) if *source == kind), "{ended:?}");
}

#[test]
fn name_whose_node_is_missing_is_an_error_with_its_path() {
    let missing = ContentId::of_block(Codec::DagPb, b"not there");
    let below = directory(1, &[("a", missing)]);
    let below = (ContentId::of_block(Codec::DagPb, &below), below);
    let root = level(&["b".to_owned()], below.0);
    let ended = opened(&archive(root.0, &[root, below])).unwrap().files().unwrap_err().to_string();
    assert!(ended.starts_with("“b/a” in the archive: ") && ended.contains(&missing.to_string()), "{ended}");
}

/// A directory of entries with these names, all with the same content, and its block.
fn level(names: &[String], below: ContentId) -> (ContentId, Vec<u8>) {
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), below)).collect();
    let node = directory(1, &entries);
    (ContentId::of_block(Codec::DagPb, &node), node)
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

#[test]
fn directories_that_grow_without_end_are_bounded() {
    // Each level links many times to the next: the paths are as many as the product.
    let mut below = (ContentId::of_block(Codec::Raw, b"leaf"), b"leaf".to_vec());
    let mut blocks = vec![below.clone()];
    for _ in 0..4 {
        below = level(&numbers(100), below.0);
        blocks.push(below.clone());
    }
    let ended = opened(&archive(below.0, &blocks)).unwrap().files();
    assert!(matches!(ended, Err(ArchiveError::TooManyDirectories { blocks: 5, limit: 1_020 })), "{ended:?}");
    for _ in 0..DIRECTORY_DEPTH_MAX {
        below = level(&["a".to_owned()], below.0);
        blocks.push(below.clone());
    }
    assert!(matches!(opened(&archive(below.0, &blocks)).unwrap().files(), Err(ArchiveError::TooDeep)));
}

/// A node of a file with these bytes, and a field that no node has.
fn file(inline: &[u8], padding: &[u8]) -> (ContentId, Vec<u8>) {
    let record = [&[0x08, 2][..], &field(2, inline), &field(15, padding)].concat();
    let node = field(1, &record);
    (ContentId::of_block(Codec::DagPb, &node), node)
}

#[test]
fn node_that_is_the_file_of_many_names_is_read_once_to_list_them() {
    let node = file(&[7; 4 << 20][..(4 << 20) - 99], b"");
    let root = level(&numbers(2_000), node.0);
    let archive = opened(&archive(root.0, &[root.clone(), node.clone()])).unwrap();
    let mut walk = archive.walk();
    walk.below(&root.0, "", 0).unwrap();
    assert_eq!((walk.files.len(), walk.node_bytes), (2_000, (root.1.len() + node.1.len()) as u64));
}

#[test]
fn large_directory_in_many_places_is_bounded_by_its_bytes() {
    let mut large = level(&numbers(1), ContentId::of_block(Codec::Raw, b"leaf"));
    large.1.extend(field(15, &vec![0; 4_000_000]));
    large.0 = ContentId::of_block(Codec::DagPb, &large.1);
    let listed = |places: usize| {
        let root = level(&numbers(places), large.0);
        opened(&archive(root.0, &[root, large.clone()])).unwrap().files().map(|files| files.len())
    };
    assert_eq!(listed(100).unwrap(), 100);
    let ended = listed(150);
    assert!(matches!(ended, Err(ArchiveError::TooManyNodeBytes { bytes: 4_000_000..4_100_000, .. })), "{ended:?}");
}

#[test]
fn file_whose_blocks_have_much_beside_its_bytes_is_read_as_far_as_its_limit_allows() {
    let nodes: Vec<_> = (0..10).map(|number: u8| file(&[number], &vec![number; 2 << 20])).collect();
    let read = |links: &[usize]| {
        let entries: Vec<_> = links.iter().map(|link| ("", nodes[*link].0)).collect();
        let root = directory(2, &entries);
        let root = (ContentId::of_block(Codec::DagPb, &root), root);
        let blocks: Vec<_> = [root.clone()].into_iter().chain(nodes.clone()).collect();
        let archive = opened(&archive(root.0, &blocks)).unwrap();
        [archive.read(&root.0, 1_000), archive.head(&root.0, 1_000)]
    };
    for file in read(&[3, 1, 3, 9, 3].repeat(100)) {
        assert_eq!(file.unwrap(), [3, 1, 3, 9, 3].repeat(100), "a block that is linked to again costs nothing");
    }
    for file in read(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
        let limit_bytes = 2 * 1_000 + (16 << 20);
        let expected = DagError::TooManyBlockBytes { limit_bytes };
        assert!(matches!(&file, Err(ArchiveError::Dag(error)) if *error == expected), "{file:?}");
    }
}

#[test]
fn files_of_an_archive_are_bounded_by_their_number_and_by_the_bytes_of_their_paths() {
    let file = ContentId::of_block(Codec::Raw, b"leaf");
    let ended = |names: &[String], of_root: &[String]| {
        let files = level(names, file);
        let root = level(of_root, files.0);
        opened(&archive(root.0, &[files, root])).unwrap().files().map(|files| files.len())
    };
    let (all, fewer) = (numbers(1_000), numbers(999));
    let each = numbers(ARCHIVE_FILES_MAX / 1_000);
    assert_eq!(ended(&each, &fewer).unwrap(), ARCHIVE_FILES_MAX - each.len());
    assert!(matches!(ended(&[&each[..], &["more".to_owned()]].concat(), &all), Err(ArchiveError::TooManyFiles)));
    let long = ["a", "b"].map(|letter| letter.repeat(200_000));
    assert!(matches!(ended(&numbers(700), &long), Err(ArchiveError::TooLongPaths)));
}
