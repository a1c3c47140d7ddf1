//! Data sets of many blocks whose runs are killed and interrupted.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use refiner_testkit::{
    best_available,
    renumber::{FIRST_HEIGHT, write_renumbered},
};
use refiner_teststore::TestStore;

use super::{MANIFEST, files, manifest, some_samples};
use crate::program::{command, refiner, text};

/// Blocks in CI. The smallest real specimens are taken, so that they are 200 MB and not the 800 MB of an average.
const BLOCKS: u64 = 300;
/// Specimens that they are made of.
const MADE_OF: usize = 2;
/// Kills of one data set.
const KILLS: u32 = 5;
/// Blocks of a file, so that there are several.
const BLOCKS_PER_FILE: &str = "64";
const RULES: [&str; 6] = ["--rule", "transaction-summary", "--rule", "state-access", "--rule", "token-transfers"];

/// Many specimens of consecutive heights, from those that give the same block at another height.
fn many(count: u64) -> tempfile::TempDir {
    let mut candidates = best_available().unwrap();
    candidates.sort_by_key(|file| file.bytes.len());
    let decode = |bytes: &[u8]| refiner_specimen::decode(bytes).unwrap();
    let of_mainnet: Vec<_> =
        candidates.iter().map(|file| decode(&file.bytes)).filter(|specimen| specimen.block.network_id == 1).collect();
    let trial = tempfile::tempdir().unwrap();
    write_renumbered(&of_mainnet, FIRST_HEIGHT, of_mainnet.len() as u64, trial.path()).unwrap();
    let lines = refiner(&["replay", "--json", text(trial.path())]).json_lines();
    let produced = |height: u64| lines.iter().any(|line| line["height"] == height && line["verdict"] == "produced");
    let movable: Vec<_> = of_mainnet
        .into_iter()
        .zip(FIRST_HEIGHT..)
        .filter(|(_, height)| produced(*height))
        .map(|(specimen, _)| specimen)
        .collect();
    assert!(!movable.is_empty(), "no specimen gives the same block at another height");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    write_renumbered(&movable[..movable.len().min(MADE_OF)], FIRST_HEIGHT, count, folder.path()).unwrap();
    folder
}

fn replay(from: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = command(&["replay", "--report", "summary"]);
    command.args(RULES).args(more).arg("--out").arg(out).arg(from);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn out() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Runs to the end, and gives the time it took.
fn undisturbed(from: &Path, out: &Path, more: &[&str]) -> Duration {
    let begun = Instant::now();
    let ended = replay(from, out, more).output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    begun.elapsed()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").arg(name).arg(child.id().to_string()).status().unwrap();
    assert!(status.success());
}

/// `least` and `most` are the times after which a run is killed, as shares of an undisturbed run.
fn killed_and_continued(more: &[&str], least: f64, most: f64) {
    let specimens = many(BLOCKS);
    let [whole, disturbed] = [out(), out()];
    let time = undisturbed(specimens.path(), whole.path(), more);
    // Spread over the run by what differs from machine to machine and from time to time.
    let mut seed = u64::from(std::process::id()) ^ u64::from(time.subsec_nanos());
    let mut kills = 0;
    for _ in 0..KILLS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child = replay(specimens.path(), disturbed.path(), more).spawn().unwrap();
        thread::sleep(time.mul_f64(least + (most - least) * (seed >> 40) as f64 / (1_u64 << 24) as f64));
        child.kill().unwrap();
        kills += u32::from(child.wait().unwrap().code().is_none());
    }
    assert!(kills >= 2, "{kills} of {KILLS} runs were killed before their end");
    undisturbed(specimens.path(), disturbed.path(), more);
    let (expected, found) = (files(whole.path()), files(disturbed.path()));
    assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    for (path, bytes) in &expected {
        assert!(found[path] == *bytes, "{} differs", path.display());
    }
    assert_eq!(manifest(disturbed.path())["chains"][0]["blocks"], BLOCKS);
    let verified = refiner(&["verify", text(&disturbed.path().join(MANIFEST)), text(specimens.path())]).expect(0);
    assert!(verified.text().contains("the same"), "{}", verified.text());
}

#[test]
fn tables_of_300_blocks_killed_five_times_are_those_of_an_undisturbed_run() {
    // Runs after the first share what is left, and the undisturbed one may have been slowed down by other tests.
    killed_and_continued(&["--table", "parquet", "--blocks-per-file", BLOCKS_PER_FILE], 0.06, 0.3);
}

#[test]
fn artifacts_of_300_blocks_killed_five_times_are_those_of_an_undisturbed_run() {
    // Each run goes on where the one before was, so five of them have to share the time.
    killed_and_continued(&[], 0.06, 0.18);
}

#[test]
fn data_set_in_a_store_killed_three_times_is_that_of_a_directory() {
    let specimens = many(90);
    let whole = out();
    let more = ["--table", "parquet", "--blocks-per-file", "16"];
    let time = undisturbed(specimens.path(), whole.path(), &more);
    let store = TestStore::start();
    store.put("results", "other/object", b"of others");
    // Each run on another machine: nothing of the one before is there.
    let run = || {
        let machine = out();
        let mut command = replay(specimens.path(), Path::new("s3://results/study/one"), &more);
        command.envs(store.variables()).env("REFINER_CACHE_DIR", machine.path());
        (command, machine)
    };
    for kill in 1..=3 {
        let (mut command, _machine) = run();
        let mut child = command.spawn().unwrap();
        thread::sleep(time.mul_f64(0.2 * f64::from(kill)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (mut command, machine) = run();
    let ended = command.output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let (expected, found) = (files(whole.path()), store.objects("results", "study/one"));
    assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    assert!(expected == found, "a file differs");
    assert!(files(machine.path()).keys().all(|path| !path.starts_with("staging")), "nothing is left on the machine");
}

#[test]
fn interrupted_run_ends_within_a_second_with_totals_and_is_continued() {
    let specimens = many(120);
    let [whole, disturbed] = [out(), out()];
    let time = undisturbed(specimens.path(), whole.path(), &[]);
    for name in ["-INT", "-TERM"] {
        let child = replay(specimens.path(), disturbed.path(), &[]).spawn().unwrap();
        thread::sleep(time.mul_f64(0.4));
        let begun = Instant::now();
        signal(&child, name);
        let ended = child.wait_with_output().unwrap();
        let (took, text) = (begun.elapsed(), String::from_utf8(ended.stdout).unwrap());
        assert_eq!(ended.status.code(), Some(130), "{text}");
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert!(text.starts_with("interrupted; the same command goes on where it was\n"), "{text}");
        assert!([" runs produced", " run produced"].iter().any(|end| text.contains(end)), "{text}");
        let there = manifest(disturbed.path());
        assert!(there["totals"]["specimens"].as_u64().unwrap() < 120, "{}", there["totals"]);
        if name == "-INT" {
            fs::remove_dir_all(disturbed.path()).unwrap();
        }
    }
    undisturbed(specimens.path(), disturbed.path(), &[]);
    assert_eq!(files(disturbed.path()), files(whole.path()));
}

#[test]
fn table_has_the_same_bytes_whatever_the_number_of_threads() {
    let specimens = many(40);
    let run = |format: &str, threads: &str| {
        let out = out();
        undisturbed(specimens.path(), out.path(), &["--table", format, "--blocks-per-file", "16", "-j", threads]);
        files(out.path())
    };
    for format in ["parquet", "csv", "arrow"] {
        let one = run(format, "1");
        let name = |first: u64, last: u64| {
            PathBuf::from(format!("token-transfers/token-transfers/chain-1/blocks_{first:010}_{last:010}.{format}"))
        };
        for (first, last) in [(0, 15), (16, 31), (32, 39)] {
            assert!(one.contains_key(&name(FIRST_HEIGHT + first, FIRST_HEIGHT + last)), "{:?}", one.keys());
        }
        assert!(one == run(format, "3"), "{format}");
    }
}

#[test]
fn table_has_the_same_bytes_where_rules_run_in_workers() {
    let specimens = many(12);
    // Rules of files may be isolated. Rows of a worker are read from its bytes, and others while they are checked.
    let rules = ["transaction-summary", "state-access", "token-transfers"];
    let rules = rules
        .map(|rule| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rules").join(rule).with_extension("wasm"));
    let run = |more: &[&str]| {
        let out = out();
        let mut command = command(&["replay", "--report", "summary", "--table", "parquet"]);
        command.args(rules.iter().flat_map(|rule| [Path::new("--rule"), rule.as_path()])).args(more);
        let ended = command.arg("--out").arg(out.path()).arg(specimens.path()).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
        files(out.path())
    };
    let here = run(&[]);
    assert!(here.keys().any(|path| path.extension().is_some_and(|extension| extension == "parquet")));
    assert!(here == run(&["--isolate"]));
}

#[test]
fn file_larger_than_the_limit_of_the_shell_is_an_error_and_ends_nothing_else() {
    let (from, _) = some_samples(3);
    for form in [&[][..], &["--table", "csv"]] {
        let out = out();
        let limited = replay(from.path(), out.path(), form);
        let mut shell = Command::new("sh");
        // In blocks of 512 bytes.
        shell.args(["-c", "ulimit -f 8; exec \"$0\" \"$@\""]).arg(limited.get_program()).args(limited.get_args());
        let ended = shell.output().unwrap();
        let error = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(5), "{error}");
        assert!(error.contains("File too large"), "{error}");
        let continued = replay(from.path(), out.path(), form).output().unwrap();
        assert!(continued.status.success(), "{}", String::from_utf8_lossy(&continued.stderr));
    }
}

#[test]
fn output_without_columns_is_no_table() {
    let specimens = many(1);
    let out = out();
    let arguments = ["replay", text(specimens.path()), "--out", text(out.path()), "--table", "parquet"];
    let refused = refiner(&arguments).expect(2);
    assert!(refused.stderr.contains("block-result: the output block-result.json has no columns"), "{}", refused.stderr);
    assert!(files(out.path()).is_empty());
    refiner(&["replay", text(specimens.path()), "--table", "parquet"]).expect(2);
}
