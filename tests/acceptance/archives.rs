//! Archives of content (CAR) that another program wrote or reads: `ipfs-car`, by the authors of the format.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::{
    content::{Served, fetched},
    data_sets::{files, some_samples},
    program::{refiner, refiner_reading, text},
};

/// Enough for several leaves of 256 KiB, the chunks of the network's pinners.
const FILE_BYTES: usize = 700_000;

fn ipfs_car(script: &Path, arguments: &[&str]) -> Output {
    let ended = Command::new("node").arg(script).args(arguments).output().unwrap();
    assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    ended
}

#[test]
fn archive_that_another_program_packed_gives_the_data_set_of_its_directory() {
    let Some(script) = refiner_testchain::ipfs_car().unwrap() else { return };
    let (directory, copies) = some_samples(3);
    let below = directory.path().join("below");
    fs::create_dir(&below).unwrap();
    fs::rename(&copies[2], below.join(copies[2].file_name().unwrap())).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name);
    // A temporary directory is hidden, and left out without being asked for.
    ipfs_car(&script, &["pack", text(directory.path()), "--hidden", "--output", text(&path("all.car"))]);
    for (from, to) in [(directory.path(), "expected"), (path("all.car").as_path(), "found")] {
        refiner(&["replay", text(from), "--out", text(&path(to)), "--rule", "logs"]).expect(0);
    }
    assert!(files(&path("found")) == files(&path("expected")));
    let archive = fs::read(path("all.car")).unwrap();
    refiner_reading(&["replay", "-", "--out", text(&path("piped")), "--rule", "logs"], &archive).expect(0);
    assert!(files(&path("piped")) == files(&path("expected")), "on standard input");
    // One file without a directory around it has no name, and is a specimen all the same.
    ipfs_car(&script, &["pack", text(&copies[0]), "--no-wrap", "--output", text(&path("one.car"))]);
    let one = refiner(&["replay", text(&path("one.car")), "--report", "summary"]).expect(0);
    assert!(one.text().starts_with("1 specimen: 1 run produced"), "{}", one.text());
}

#[test]
fn archive_of_the_content_server_is_read_by_another_program() {
    let Some(script) = refiner_testchain::ipfs_car().unwrap() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name);
    let bytes: Vec<u8> = (0..FILE_BYTES).map(|at| u8::try_from(at * at / 251 % 256).unwrap()).collect();
    fs::write(path("file"), &bytes).unwrap();
    let put = refiner(&["content", "put", text(&path("file")), "--data", text(&path("data"))]).expect(0).text();
    let id = put.split_whitespace().next().unwrap();
    let served = Served::start(&["content", "serve", "--data", text(&path("data")), "--listen", "127.0.0.1:0"]);
    fs::write(path("file.car"), fetched(&format!("{}/ipfs/{id}?format=car", served.url))).unwrap();
    let answer =
        |command: &str| String::from_utf8(ipfs_car(&script, &[command, text(&path("file.car"))]).stdout).unwrap();
    assert_eq!(answer("roots").trim(), id);
    assert_eq!(answer("blocks").lines().count(), 4, "a root and three leaves");
    ipfs_car(&script, &["unpack", text(&path("file.car")), "--output", text(&path("back"))]);
    assert!(fs::read(path("back")).unwrap() == bytes);
}

#[test]
fn archives_beyond_the_open_files_of_a_shell_are_all_read() {
    const FILES: usize = 150;
    let (directory, copies) = some_samples(1);
    for number in 0..FILES {
        let archive = directory.path().join(format!("{number}.tar"));
        let from = copies[0].file_name().unwrap();
        let packed = Command::new("tar").arg("-C").arg(directory.path()).arg("-cf").arg(archive).arg(from).status();
        assert!(packed.unwrap().success());
    }
    fs::remove_file(&copies[0]).unwrap();
    let ended = Command::new("sh")
        .args(["-c", "ulimit -Sn 100; exec \"$0\" replay \"$1\"/*.tar --rule logs --report summary"])
        .args([Path::new(env!("CARGO_BIN_EXE_refiner")), directory.path()])
        .output()
        .unwrap();
    let (report, errors) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    let all = format!("{FILES} specimens: {FILES} runs produced");
    assert!(ended.status.success() && report.starts_with(&all), "{report}{errors}");
}
