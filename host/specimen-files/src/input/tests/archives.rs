//! Archives of specimens.

use super::*;

pub(super) fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

#[test]
fn archive_gives_its_members_in_their_order() {
    let long = format!("{}/1-12.avro", "long/".repeat(40));
    let archive =
        tar_of(&[("a/1-11.avro", b"eleven"), ("README", b"no"), (&long, b"twelve"), ("1-10.avro.gz", &gzip(b"ten"))]);
    let directory = directory_with(&[]);
    for (name, bytes) in [
        ("a.tar", archive.clone()),
        ("a.tar.gz", gzip(&archive)),
        ("A.TAR.ZST", zstandard(&archive)),
        ("a.tgz", gzip(&archive)),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        let inputs = expand(&[&path]).unwrap();
        let contents: Vec<_> = inputs.iter().map(|input| input.read().unwrap()).collect();
        assert_eq!(contents, [&b"eleven"[..], b"twelve", b"ten"], "{name}");
        assert_eq!(inputs[0].name(), format!("{}!a/1-11.avro", path.display()));
    }
    let path = directory.path().join("a.tar");
    fs::write(&path, &archive[..archive.len() / 3]).unwrap();
    assert_eq!(expand(&[&path]).unwrap_err().class(), "unreadable");
    let mut damaged = archive;
    damaged[1_024] ^= 1;
    fs::write(&path, damaged).unwrap();
    let error = expand(&[&path]).unwrap_err().to_string();
    assert!(error.contains("a.tar: the member at byte 1024: archive header checksum mismatch"), "{error}");
    fs::write(&path, tar_of(&[("README", b"no")])).unwrap();
    assert!(matches!(expand(&[&path]), Err(InputError::EmptyArchive(_))));
}

/// A tar that has the entry of a long name, or of attributes, before its one member.
fn tar_described_by(kind: tar::EntryType, bytes: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    archive.append_data(&mut header, "described", bytes).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    archive.append_data(&mut header, "1-10.avro", &b"ten"[..]).unwrap();
    archive.into_inner().unwrap()
}

#[test]
fn headers_of_a_member_are_read_up_to_their_limit_in_every_kind_of_archive() {
    let directory = directory_with(&[]);
    let limit = usize::try_from(HEADERS_BYTES_MAX).unwrap();
    let comment = |length: usize| {
        let attribute = format!("{length} comment=");
        format!("{attribute}{}\n", "x".repeat(length - attribute.len() - 1)).into_bytes()
    };
    // A header is a block of 512 bytes, and a member has its own beside that of its attributes.
    for (bytes, is_taken) in
        [(comment(limit - 1_024), true), (comment(limit - 1_023), false), (vec![0; 8 << 20], false)]
    {
        for kind in [tar::EntryType::XHeader, tar::EntryType::GNULongLink, tar::EntryType::GNULongName] {
            if is_taken && kind == tar::EntryType::GNULongName {
                continue;
            }
            let archive = tar_described_by(kind, &bytes);
            for (name, packed) in
                [("a.tar", archive.clone()), ("a.tar.gz", gzip(&archive)), ("a.tar.zst", zstandard(&archive))]
            {
                let path = directory.path().join(name);
                fs::write(&path, packed).unwrap();
                let found = expand(&[&path]);
                if is_taken {
                    assert_eq!(found.unwrap()[0].read().unwrap(), b"ten", "{kind:?}");
                    continue;
                }
                let error = found.unwrap_err();
                assert!(matches!(error, InputError::HeadersTooLong { offset: 0, .. }), "{kind:?} in {name}: {error}");
                assert!(error.to_string().ends_with("more than the limit of 1048576 bytes"), "{error}");
            }
        }
    }
}

#[test]
fn name_that_states_gigabytes_of_a_sparse_file_is_refused_without_reading_them() {
    let directory = directory_with(&[]);
    let path = directory.path().join("a.tar");
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(64 << 30);
    header.set_cksum();
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len((64 << 30) + 2_048).unwrap();
    let begun = Instant::now();
    assert!(matches!(expand(&[&path]), Err(InputError::HeadersTooLong { .. })));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn archive_of_blocks_gives_the_files_of_its_roots_and_one_that_is_damaged_none() {
    let directory = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let dag = refiner_content::Dag::of(&bytes.clone().into());
    let whole = refiner_content::write_car(&dag);
    let path = directory.path().join("blocks.CAR");
    fs::write(&path, &whole).unwrap();
    let compressed = directory.path().join("blocks.car.zst");
    fs::write(&compressed, zstd::encode_all(&whole[..], 1).unwrap()).unwrap();
    for path in [&path, &compressed] {
        let inputs = expand(&[path]).unwrap();
        assert_eq!(inputs.len(), 1);
        assert_eq!(inputs[0].name(), format!("{}!{}", path.display(), dag.root()));
        assert_eq!(inputs[0].read().unwrap(), bytes);
        assert_eq!(inputs[0].head(100).unwrap(), bytes[..100]);
        assert!(matches!(inputs[0].read_up_to(1_000), Err(InputError::TooLarge { .. })));
    }
    let mut damaged = whole.to_vec();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let error = expand(&[&path]).and_then(|inputs| inputs[0].read()).unwrap_err().to_string();
    assert!(error.contains("is not what its id"), "{error}");
    fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    assert!(matches!(expand(&[&path]), Err(InputError::Blocks { .. })));
}
