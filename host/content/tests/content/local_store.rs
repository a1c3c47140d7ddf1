use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use refiner_content::{
    Accept, Blame, Codec, Content, ContentId, FetchBackend as _, FetchError, KeepError, LocalStore, OpenError, Pruned,
    Retention, content_id,
};

use crate::{LIMIT_BYTES, Outcome, bytes, chain};

const HOUR: Duration = Duration::from_secs(3600);

struct Kept {
    dir: tempfile::TempDir,
    store: LocalStore,
}

impl Kept {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = LocalStore::open(dir.path(), LIMIT_BYTES).unwrap();
        Self { dir, store }
    }

    fn keep(&self, bytes: &[u8]) -> ContentId {
        self.store.write(&Content::of(bytes.to_vec().into())).unwrap()
    }

    fn age(&self, id: &ContentId, age: Duration) {
        let file = fs::File::open(self.store.path(id)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    fn files(&self, directory: &str) -> usize {
        fs::read_dir(self.dir.path().join(directory)).unwrap().count()
    }

    fn read(&self, id: &ContentId) -> Result<Vec<u8>, FetchError> {
        self.store.read(id).map(|content| content.bytes().to_vec())
    }
}

#[test]
fn what_was_kept_comes_back_also_after_opening_again() -> Outcome {
    let kept = Kept::new();
    for length in [0, 1, 262_144, 262_145, LIMIT_BYTES] {
        let content = bytes(length);
        let id = kept.keep(&content);
        assert_eq!(id, content_id(&content));
        assert_eq!(kept.read(&id)?, content);
        assert_eq!(LocalStore::open(kept.dir.path(), LIMIT_BYTES)?.read(&id)?.into_bytes(), content);
    }
    assert_eq!((kept.files("kept"), kept.files("partial"), kept.files("aside")), (5, 0, 0));
    Ok(())
}

#[test]
fn the_same_content_is_kept_once_and_counts_as_kept_anew() -> Outcome {
    let kept = Kept::new();
    let id = kept.keep(b"hello");
    kept.age(&id, HOUR);
    assert_eq!(kept.keep(b"hello"), id);
    let stored = kept.store.list()?;
    assert_eq!(stored.len(), 1);
    assert!(SystemTime::now().duration_since(stored[0].kept)? < HOUR / 2);
    Ok(())
}

#[test]
fn content_is_kept_up_to_the_limit() {
    let kept = Kept::new();
    let check = |length: usize| kept.store.write(&Content::of(bytes(length).into()));
    assert!(check(LIMIT_BYTES).is_ok());
    let over = check(LIMIT_BYTES + 1).unwrap_err();
    assert!(matches!(over, KeepError::TooLarge { bytes, .. } if bytes == LIMIT_BYTES + 1), "{over:?}");
    assert_eq!(over.blame(), Blame::Final);
}

#[test]
fn what_is_not_there_is_not_found() {
    let missing = Kept::new().read(&content_id(b"hello")).unwrap_err();
    assert!(matches!(missing, FetchError::NotFound { .. }), "{missing:?}");
    assert_eq!(missing.blame(), Blame::Infrastructure);
}

#[test]
fn a_damaged_file_is_set_aside_and_can_be_kept_again() -> Outcome {
    let check = |damage: fn(&mut Vec<u8>)| {
        let kept = Kept::new();
        let content = bytes(300_000);
        let id = kept.keep(&content);
        let path = kept.store.path(&id);
        let mut damaged = content.clone();
        damage(&mut damaged);
        fs::write(&path, &damaged).unwrap();

        let FetchError::Damaged { path: found, aside } = kept.read(&id).unwrap_err() else { panic!("not damaged") };
        assert_eq!(found, path);
        assert_eq!(fs::read(aside).unwrap(), damaged);
        assert!(matches!(kept.read(&id), Err(FetchError::NotFound { .. })));
        assert_eq!(kept.keep(&content), id);
        assert_eq!(kept.read(&id).unwrap(), content);

        // Kept over a damaged file without a reading in between.
        fs::write(&path, &damaged).unwrap();
        assert_eq!(kept.keep(&content), id);
        assert_eq!(kept.read(&id).unwrap(), content);
        assert_eq!(kept.files("aside"), 2);
    };
    check(|bytes| bytes[150_000] ^= 1);
    check(|bytes| bytes.truncate(299_999));
    check(|bytes| bytes.push(0));
    check(Vec::clear);
    Ok(())
}

#[test]
fn content_that_cannot_be_read_stays_where_it_is() {
    let kept = Kept::new();
    let content = Content::of("hello".into());
    let path = kept.store.path(&content.id());
    // A circle of links is an error of the system, as too many open files are, and says nothing of the content.
    symlink(&path, &path).unwrap();
    let refused = kept.store.write(&content).unwrap_err();
    assert!(matches!(&refused, KeepError::File { path: named, .. } if *named == path), "{refused:?}");
    assert!(chain(&refused).contains("symbolic links"), "{}", chain(&refused));
    assert!(path.is_symlink());
    assert_eq!(kept.files("aside"), 0);
}

#[test]
fn content_that_was_written_to_be_made_again_is_put_on_the_disk_when_it_is_to_last() {
    let kept = Kept::new();
    let nothing = Content::of("".into());
    // A file that the system lets no one put on a disk, which tells that it was asked to; its length is 0, as that of the content.
    symlink("/proc/self/comm", kept.store.path(&nothing.id())).unwrap();
    assert_eq!(kept.store.write_unsynced(&nothing).unwrap(), nothing.id());
    let refused = kept.store.write(&nothing).unwrap_err();
    assert!(chain(&refused).contains("Invalid argument"), "{}", chain(&refused));
}

#[tokio::test]
async fn what_was_kept_is_checked_once_by_its_id_or_by_what_the_caller_knows() {
    let kept = Kept::new();
    let content = bytes(300_000);
    let id = kept.keep(&content);
    let ask = async |expected: &[u8]| {
        let expected = expected.to_vec();
        kept.store.fetch_accepted(&id, Arc::new(move |bytes| bytes == expected)).await
    };
    assert_eq!(ask(&content).await.unwrap(), Content::of(content.clone().into()));
    let other = ask(b"other").await.unwrap_err();
    assert!(matches!(other, FetchError::NotAccepted { .. }), "{other:?}");
    assert_eq!(kept.read(&id).unwrap(), content, "it is what it was");

    let mut damaged = content.clone();
    damaged[150_000] ^= 1;
    fs::write(kept.store.path(&id), &damaged).unwrap();
    let refused = ask(&content).await.unwrap_err();
    assert!(matches!(refused, FetchError::Damaged { .. }), "{refused:?}");
    let gone = ask(&content).await.unwrap_err();
    assert!(matches!(gone, FetchError::NotFound { .. }), "{gone:?}");
}

#[test]
fn a_file_above_the_limit_is_not_read() {
    let kept = Kept::new();
    let id = kept.keep(b"hello");
    fs::write(kept.store.path(&id), vec![0; LIMIT_BYTES + 1]).unwrap();
    assert!(matches!(kept.read(&id), Err(FetchError::TooLarge { limit_bytes: LIMIT_BYTES, .. })));
}

#[test]
fn pruning_removes_the_oldest_until_the_rest_fits() -> Outcome {
    let kept = Kept::new();
    let ids: Vec<_> = [1, 2, 3, 4].map(|number| kept.keep(&[number; 1000])).into();
    for (id, hours) in ids.iter().zip([40, 30, 20, 10]) {
        kept.age(id, HOUR * hours);
    }
    let check = |retention: Retention, in_use: &[ContentId], left: &[ContentId], removed: usize| -> Outcome {
        let pruned = kept.store.prune(&retention, SystemTime::now(), |id| in_use.contains(id))?;
        let expected = Pruned { removed, removed_bytes: 1000 * removed as u64, left_bytes: 1000 * left.len() as u64 };
        assert_eq!(pruned, expected);
        assert_eq!(kept.store.list()?.iter().map(|stored| stored.id).collect::<Vec<_>>(), left);
        Ok(())
    };
    let all = Retention { total_bytes: 4000, age: HOUR * 41, grace: HOUR };
    check(all, &[], &ids, 0)?;
    check(Retention { total_bytes: 3999, ..all }, &[], &ids[1..], 1)?;
    check(Retention { age: HOUR * 29, ..all }, &[ids[1]], &ids[1..], 0)?;
    check(Retention { age: HOUR * 29, ..all }, &[], &ids[2..], 1)?;
    check(Retention { total_bytes: 0, grace: HOUR * 15, ..all }, &[], &ids[3..], 1)?;
    check(Retention { total_bytes: 0, ..all }, &[], &[], 1)
}

#[test]
fn pruning_clears_what_a_crash_left_and_old_damage_but_nothing_fresh() -> Outcome {
    let kept = Kept::new();
    let old = SystemTime::now() + HOUR * 2;
    for directory in ["partial", "aside"] {
        fs::write(kept.dir.path().join(directory).join("a"), b"left")?;
    }
    let retention = Retention { total_bytes: 0, age: HOUR, grace: HOUR };
    assert_eq!(kept.store.prune(&retention, SystemTime::now(), |_| false)?.removed, 0);
    assert_eq!(kept.store.prune(&retention, old, |_| false)?.removed, 2);
    Ok(())
}

#[test]
fn a_directory_of_another_format_is_not_touched() -> Outcome {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("format"), "refiner content store 2\n")?;
    let refused = LocalStore::open(dir.path(), LIMIT_BYTES).unwrap_err();
    assert!(matches!(refused, OpenError::Format { .. }), "{refused:?}");
    let no_directory = LocalStore::open(Path::new("/dev/null/store"), LIMIT_BYTES).unwrap_err();
    assert!(chain(&no_directory).contains("/dev/null/store"), "{no_directory:?}");
    Ok(())
}

#[test]
fn store_whose_format_file_a_power_cut_left_empty_is_opened() -> Outcome {
    let dir = tempfile::tempdir()?;
    for _ in 0..2 {
        fs::write(dir.path().join("format"), "")?;
        LocalStore::open(dir.path(), LIMIT_BYTES)?;
        assert_eq!(fs::read_to_string(dir.path().join("format"))?, "refiner content store 1\n");
    }
    Ok(())
}

#[test]
fn writers_of_the_same_content_do_not_disturb_each_other() {
    let kept = Kept::new();
    let content = bytes(600_000);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let id = kept.keep(&content);
                assert_eq!(kept.read(&id).unwrap(), content);
            });
        }
    });
    assert_eq!((kept.files("kept"), kept.files("partial"), kept.files("aside")), (1, 0, 0));
}

#[test]
fn what_is_kept_while_the_store_is_pruned_stays() {
    let kept = Kept::new();
    let content = bytes(1000);
    // Everything is older than its grace, so that only being kept again saves it.
    let retention = Retention { total_bytes: 0, age: Duration::ZERO, grace: Duration::ZERO };
    std::thread::scope(|scope| {
        let pruning = scope.spawn(|| {
            let prune = || kept.store.prune(&retention, SystemTime::now() - HOUR, |_| false).unwrap();
            (0..2000).map(|_| prune().removed).sum::<usize>()
        });
        while !pruning.is_finished() {
            let id = kept.keep(&content);
            assert_eq!(kept.read(&id).unwrap(), content);
            // From here on it may be pruned, also before its time is set.
            if let Ok(file) = fs::File::open(kept.store.path(&id)) {
                file.set_modified(SystemTime::now() - HOUR * 2).unwrap();
            }
        }
    });
}

#[tokio::test]
async fn content_is_found_under_its_das_root_as_long_as_it_is_there() -> Outcome {
    let kept = Kept::new();
    let (store, content) = (&kept.store, Content::of("hello".into()));
    let name = ContentId::of_block(Codec::DagCbor, b"a root of hello");
    assert!(matches!(store.read(&name), Err(FetchError::NotFound { .. })));
    store.write_named(&content, &name)?;
    let read = store.read(&name)?;
    assert_eq!((read.id(), read.unixfs_id(), read.bytes()), (name, content.id(), content.bytes()));
    let accept = |bytes: &'static [u8]| -> Accept { Arc::new(move |candidate| candidate == bytes) };
    assert_eq!(store.fetch_accepted(&name, accept(b"hello")).await?, read);
    let other = store.fetch_accepted(&name, accept(b"other")).await.unwrap_err();
    assert!(matches!(other, FetchError::NotAccepted { .. }), "{other:?}");
    fs::write(store.path(&content.id()), "hell0")?;
    assert!(matches!(store.read(&name), Err(FetchError::Damaged { .. })));
    assert!(matches!(store.read(&name), Err(FetchError::NotFound { .. })));
    // A name that a crash or a stranger left malformed leads nowhere.
    fs::write(kept.dir.path().join("named").join(name.to_string()), "no id")?;
    assert!(matches!(store.read(&name), Err(FetchError::NotFound { .. })));
    Ok(())
}

#[test]
fn the_store_belongs_to_its_owner_alone_also_one_of_an_earlier_build() -> Outcome {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dir = tempfile::tempdir()?;
    let root = dir.path().join("content");
    let directories = ["", "kept", "named", "partial", "aside"].map(|name| root.join(name));
    let store = LocalStore::open(&root, LIMIT_BYTES)?;
    let id = store.write(&Content::of(bytes(10).into()))?;
    let files = [root.join("format"), root.join("lock"), store.path(&id)];
    let check = || {
        directories.iter().for_each(|path| assert_eq!(mode(path), 0o700, "{}", path.display()));
        files.iter().for_each(|path| assert_eq!(mode(path), 0o600, "{}", path.display()));
    };
    check();
    // Content was private before its directories were.
    for path in directories.iter().chain(&files[..2]) {
        let open = if path.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(open))?;
    }
    let store = LocalStore::open(&root, LIMIT_BYTES)?;
    check();
    assert_eq!(store.read(&id)?.bytes(), &bytes(10));
    Ok(())
}
