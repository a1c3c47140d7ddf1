//! A power cut at every boundary between two stages: what the daemon wrote and did not sync is gone.

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use refiner_journal::State;

use crate::{
    bench::Bench,
    crashes::{BOUNDARIES, Hold},
    specimens::stream,
};

/// A library of this folder that is loaded before the C library; `None` on a machine without a C compiler, which `skipped` explains.
pub fn compiled(name: &str, skipped: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/acceptance/daemon/{name}.c"));
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{}.so", std::process::id()));
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    match compiled {
        Ok(status) => {
            assert!(status.success(), "{name}.c does not compile");
            Some(library)
        }
        Err(error) => {
            assert!(env::var_os("CI").is_none(), "a C compiler is needed: {error}");
            #[allow(clippy::print_stderr)]
            {
                eprintln!("skipped: {skipped}");
            }
            None
        }
    }
}

/// The daemon's disk.
struct Disk {
    library: PathBuf,
    image: PathBuf,
}

impl Disk {
    fn new(bench: &Bench) -> Option<Self> {
        let image = bench.directory.path().join("image");
        Some(Self { library: compiled("power_cut", "a disk that forgets needs a C compiler")?, image })
    }

    /// Starts to keep the image of the bench's directory. What is there is on the disk by now.
    fn plug(&self, bench: &mut Bench) {
        let _ = fs::remove_dir_all(&self.image);
        fs::create_dir(&self.image).unwrap();
        for file in files(&bench.data) {
            let inode = fs::metadata(&file).unwrap().ino();
            fs::copy(&file, self.image.join(inode.to_string())).unwrap();
        }
        bench.environment =
            [("LD_PRELOAD", &self.library), ("POWER_CUT_ROOT", &bench.data), ("POWER_CUT_IMAGE", &self.image)]
                .map(|(name, path)| (name.to_owned(), path.to_str().unwrap().to_owned()))
                .into();
    }

    /// Cuts the power: afterwards the bench's directory is another one, with what the image has. The bytes that are gone.
    fn cut(&self, bench: &mut Bench, number: usize) -> u64 {
        bench.kill();
        let after = bench.directory.path().join(format!("data-{number}"));
        let names = fs::read_to_string(self.image.join("names")).unwrap();
        let mut lost = 0;
        for line in names.lines() {
            let [kind, inode, path] = line.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
            let target = after.join(Path::new(path).strip_prefix(&bench.data).unwrap());
            if kind == "d" {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(target).unwrap();
                continue;
            }
            // Of a file that was never synced the name is there, and no byte.
            let content = fs::read(self.image.join(inode)).unwrap_or_default();
            let before = fs::metadata(path).map_or(0, |metadata| metadata.len());
            lost += before.saturating_sub(content.len() as u64);
            fs::write(target, content).unwrap();
        }
        bench.data = after;
        lost
    }
}

/// Every file under a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.library);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn power_cut_at_any_boundary_loses_nothing_but_time() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(disk) = Disk::new(&bench) else { return };
    let mut given = stream(BOUNDARIES.len() as u64 + 1).into_iter();
    let mut proved = Vec::new();
    let mut lost = BTreeMap::new();
    for (number, boundary) in BOUNDARIES.into_iter().enumerate() {
        let mut hold = Hold::before(&mut bench, boundary);
        disk.plug(&mut bench);
        hold.start(&mut bench).await;
        if boundary == State::Fetched {
            proved.extend(given.next());
            bench.announce(&proved[proved.len() - 1..]).await;
            bench.until_all(State::Final, proved.len()).await;
            hold.stop_workers(&bench);
        }
        proved.extend(given.next());
        bench.announce(&proved[proved.len() - 1..]).await;
        let held = if boundary == State::Final { proved.len() } else { 1 };
        bench.until_all(boundary, held).await;
        lost.insert(boundary.as_str(), disk.cut(&mut bench, number));
        hold.release(&mut bench).await;
        // Without the library from here on: the disk is well again.
        bench.environment.clear();
        bench.start_ready().await;
        bench.until_all(State::Final, proved.len()).await;
        bench.assert_proved_once(&proved).await;
        assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
        bench.flags.clear();
    }
    // Otherwise it was no power cut.
    assert!(lost.values().all(|bytes| *bytes > 0), "{lost:?}");
}
