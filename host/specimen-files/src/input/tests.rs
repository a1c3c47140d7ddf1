//! Names to inputs, and inputs to bytes.

use std::{
    ffi::{OsStr, OsString},
    io::Write as _,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    time::{Duration, Instant},
};

use super::*;

mod archives;
mod lists;

fn directory_with(names: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in names {
        fs::write(directory.path().join(name), name).unwrap();
    }
    directory
}

fn names(argument: String) -> Vec<String> {
    let inputs = expand(&[argument]).unwrap();
    inputs
        .iter()
        .map(|input| match input {
            Input::Stream(_) => "-".to_owned(),
            Input::File(path) => path.file_name().unwrap().to_string_lossy().into_owned(),
            Input::Member(_) | Input::Remote(_) => input.name(),
        })
        .collect()
}

#[test]
fn directory_gives_its_avro_files_in_name_order() {
    let directory = directory_with(&["1-20.avro", "1-10.avro", "notes.txt"]);
    assert_eq!(names(directory.path().display().to_string()), ["1-10.avro", "1-20.avro"]);
}

#[test]
fn pattern_gives_what_it_matches() {
    let directory = directory_with(&["1-10.avro", "1-20.avro", "5-10.avro"]);
    assert_eq!(names(format!("{}/1-*", directory.path().display())), ["1-10.avro", "1-20.avro"]);
}

#[test]
fn file_whose_name_looks_like_a_pattern_is_taken_as_it_is() {
    let directory = directory_with(&["1-[1].avro", "1-1.avro"]);
    assert_eq!(names(format!("{}/1-[1].avro", directory.path().display())), ["1-[1].avro"]);
}

#[test]
fn file_named_twice_is_read_once() {
    let directory = directory_with(&["1-10.avro"]);
    let path = directory.path().join("1-10.avro").display().to_string();
    assert_eq!(expand(&[path.clone(), path]).unwrap().len(), 1);
}

#[test]
fn argument_that_names_nothing_says_so() {
    let directory = directory_with(&["notes.txt"]);
    let at = directory.path().display().to_string();
    for (argument, message) in [
        (at.clone(), "holds no specimen"),
        (format!("{at}/absent.avro"), "no such file"),
        (format!("{at}/*.avro"), "matches no file"),
        (format!("{at}/[*.avro"), "not a pattern"),
    ] {
        let error = expand(&[argument]).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn reading_stops_at_the_limit() {
    let directory = directory_with(&[]);
    let path = directory.path().join("1-10.avro");
    fs::write(&path, [0; 9]).unwrap();
    let input = Input::File(path);
    assert_eq!(input.read_up_to(9).unwrap().len(), 9);
    assert!(matches!(input.read_up_to(8), Err(InputError::TooLarge { .. })));
    // A source that does not state its size is held to the same limit.
    let endless = Input::File("/dev/zero".into());
    assert!(matches!(endless.read_up_to(100_000), Err(InputError::TooLarge { .. })));
}

fn paths(arguments: &[&OsStr]) -> Vec<PathBuf> {
    let inputs = expand(arguments).unwrap();
    inputs.into_iter().map(|input| if let Input::File(path) = input { path } else { panic!("{input}") }).collect()
}

#[test]
fn directory_is_searched_to_its_last_subdirectory_for_names_as_they_are_met() {
    let directory =
        directory_with(&["1-10.avro", "1-11.AVRO", "1-12.avro.gz", "1-13.Avro.zst", "notes.txt", "a-b", "1-2.json"]);
    let network = format!("1-14-replica-0x{}", "ab".repeat(32));
    let content = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
    let below = directory.path().join("a/b/c");
    fs::create_dir_all(&below).unwrap();
    for name in [OsStr::new(&network), OsStr::new(content), OsStr::from_bytes(b"1-15-\xff\xfe"), OsStr::new("1-16")] {
        fs::write(below.join(name), "x").unwrap();
    }
    let found = paths(&[directory.path().as_os_str()]);
    let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    let expected: Vec<&[u8]> = vec![
        b"1-10.avro",
        b"1-11.AVRO",
        b"1-12.avro.gz",
        b"1-13.Avro.zst",
        network.as_bytes(),
        b"1-15-\xff\xfe",
        b"1-16",
        content.as_bytes(),
    ];
    assert_eq!(names, expected.into_iter().map(|name| OsStr::from_bytes(name).to_owned()).collect::<Vec<_>>());
    // A pattern and a name take what is no text as well.
    let pattern = below.join("1-15*");
    assert_eq!(paths(&[pattern.as_os_str()]), [below.join(OsStr::from_bytes(b"1-15-\xff\xfe"))]);
    assert_eq!(paths(&[below.join(OsStr::from_bytes(b"1-15-\xff\xfe")).as_os_str()]).len(), 1);
}

#[test]
fn links_in_a_circle_end_and_a_file_is_read_once() {
    let directory = directory_with(&["1-10.avro"]);
    let root = directory.path();
    fs::create_dir(root.join("sub")).unwrap();
    fs::write(root.join("sub/1-11.avro"), "x").unwrap();
    symlink(root, root.join("sub/up")).unwrap();
    symlink(root.join("sub"), root.join("also")).unwrap();
    symlink("1-10.avro", root.join("1-9.avro")).unwrap();
    symlink("nowhere", root.join("1-8.avro")).unwrap();
    let begun = Instant::now();
    for argument in [root.to_owned(), root.join("**/*.avro"), root.join("**/**/1-*"), root.join("*/**/*.avro")] {
        let found = paths(&[argument.as_os_str()]);
        let mut names: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_string_lossy()).collect();
        names.sort();
        // The two links to 1-10.avro are no files of their own.
        assert_eq!(names, ["1-10.avro", "1-11.avro"], "{argument:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn argument_that_names_nothing_stops_only_itself() {
    let directory = directory_with(&["1-10.avro"]);
    let Expanded { inputs, refused } =
        expand_all(&[directory.path().join("absent"), directory.path().to_owned(), directory.path().join("*.none")]);
    assert_eq!((inputs.len(), refused.len()), (1, 2));
    assert_eq!(refused.iter().map(InputError::class).collect::<Vec<_>>(), ["missing", "empty"]);
}

#[test]
fn directory_that_ends_in_an_error_is_one_of_its_own() {
    // It opens, and gives no entry.
    let unlisted = Path::new("/proc/1/map_files");
    if !fs::read_dir(unlisted).is_ok_and(|mut entries| entries.next().is_some_and(|entry| entry.is_err())) {
        eprintln!("skipped: {} is listed here, or does not open", unlisted.display());
        return;
    }
    let directory = directory_with(&["1-10.avro", "1-11.avro"]);
    symlink(unlisted, directory.path().join("m")).unwrap();
    let Expanded { inputs, refused } = expand_all(&[directory.path()]);
    assert_eq!((inputs.len(), refused.len()), (2, 1), "{refused:?}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

#[test]
fn compressed_file_gives_what_is_in_it_up_to_the_limit() {
    let directory = directory_with(&[]);
    let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    // What pzstd writes: the length of the frame that follows.
    let skipped = |first: u8| [&[first, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 9, 9, 9, 9], &zstandard(&bytes)[..]].concat();
    for (name, packed) in [
        ("1-1.avro.gz", gzip(&bytes)),
        ("1-2.avro.zst", zstandard(&bytes)),
        ("1-3.avro.zst", skipped(0x50)),
        ("1-4.avro.zst", skipped(0x5f)),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, &packed).unwrap();
        let input = Input::File(path.clone());
        assert_eq!(input.read().unwrap(), bytes, "{name}");
        assert_eq!(input.read_into(&Buffers::default()).unwrap(), bytes, "{name}");
        assert_eq!(input.head(1_000).unwrap(), bytes[..1_000], "{name}");
        fs::write(&path, &packed[..packed.len() / 2]).unwrap();
        assert_eq!(input.read().unwrap_err().class(), "unreadable", "{name}");
    }
    // What expands to a gigabyte is as good as one of that size.
    for (name, packed) in [("bomb.gz", gzip(&vec![0; 1 << 28])), ("bomb.zst", zstandard(&vec![0; 1 << 28]))] {
        let path = directory.path().join(name);
        fs::write(&path, &packed).unwrap();
        assert!(packed.len() < 2 << 20, "{name}");
        let error = Input::File(path).read_up_to(1 << 22).unwrap_err();
        assert!(matches!(error, InputError::TooLarge { .. }), "{name}: {error}");
    }
}

#[test]
fn file_is_read_into_a_buffer_that_served_another_and_what_is_no_file_is_read_as_ever() {
    let directory = directory_with(&[]);
    let buffers = Buffers::default();
    let mut place = None;
    for bytes in [&b"a longer one"[..], b"short", b""] {
        let path = directory.path().join("1-1.avro");
        fs::write(&path, bytes).unwrap();
        let read = Input::File(path).read_into(&buffers).unwrap();
        assert_eq!(read, bytes);
        if !bytes.is_empty() {
            assert_eq!(*place.get_or_insert(read.as_ptr()), read.as_ptr());
        }
    }
    assert!(!Input::File("/proc/self/stat".into()).read_into(&buffers).unwrap().is_empty(), "it states no length");
    let pipe = Input::File("/proc/self/fd/0".into());
    assert_eq!(pipe.read_into(&buffers).is_ok(), pipe.read().is_ok());
    let missing = Input::File(directory.path().join("none")).read_into(&buffers).unwrap_err();
    assert_eq!(missing.class(), "unreadable");
    let archive = directory.path().join("a.tar");
    fs::write(&archive, archives::tar_of(&[("1-11.avro", b"eleven")])).unwrap();
    assert_eq!(expand(&[&archive]).unwrap()[0].read_into(&buffers).unwrap(), &b"eleven"[..]);
}

#[test]
fn directory_that_is_too_deep_is_an_error_and_the_others_are_walked() {
    let directory = directory_with(&["1-1.avro"]);
    let deepest = (0..DEPTH_MAX).fold(directory.path().to_owned(), |path, _| path.join("d"));
    let below = deepest.join("below");
    fs::create_dir_all(&below).unwrap();
    for (place, name) in [(&deepest, "1-2.avro"), (&below, "1-3.avro")] {
        fs::write(place.join(name), "x").unwrap();
    }
    for argument in [directory.path().to_owned(), directory.path().join("**/*.avro")] {
        let Expanded { inputs, refused } = expand_all(&[&argument]);
        assert_eq!(inputs.len(), 2, "{argument:?}");
        let [InputError::TooDeep { directory: refused }] = refused.as_slice() else { panic!("{refused:?}") };
        assert_eq!(refused, &below);
    }
    assert_eq!(paths(&[below.as_os_str()]), [below.join("1-3.avro")]);
}

#[test]
fn name_that_cannot_be_looked_at_is_an_error_and_one_behind_which_nothing_is_none() {
    let directory = directory_with(&["1-1.avro"]);
    let name = |name: &str| directory.path().join(name);
    symlink("nowhere", name("1-2.avro")).unwrap();
    symlink("1-3.avro", name("1-3.avro")).unwrap();
    symlink("1-1.avro/below", name("1-4.avro")).unwrap();
    let Expanded { inputs, refused } = expand_all(&[directory.path()]);
    assert_eq!((inputs.len(), refused.len()), (1, 0), "{refused:?}");
    // A target whose name is too long is of no file, and not for that it is not there.
    symlink("x".repeat(300), name("1-5.avro")).unwrap();
    let Expanded { inputs, refused } = expand_all(&[directory.path()]);
    assert_eq!((inputs.len(), refused.len()), (1, 1));
    assert!(refused[0].to_string().contains("1-5.avro: "), "{}", refused[0]);
    assert_eq!(expand_all(&[name("none/*.avro")]).refused.len(), 1, "a pattern without a file is one error");
}

#[test]
fn names_of_the_network_are_told_from_others() {
    for name in ["1-10.avro", "1-10", "1-17090940-replica-0xab", "1-10.AVRO.GZ", "x.avro"] {
        assert!(is_specimen_name(OsStr::new(name)), "{name}");
    }
    for name in ["1-10.receipts.json", "vectors.json", "README.md", "1", "1-", "a-1", "1-10.result", "_manifest.json"] {
        assert!(!is_specimen_name(OsStr::new(name)), "{name}");
    }
}
