//! The image from source, with a stand-in for the toolchain: compiling takes half an hour.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
};

use crate::engine::{Engine, add, inside, libraries, must, repository, write};

const TOOLCHAIN: &str = "refiner-test-toolchain";
const IMAGE: &str = "refiner-test-source";

/// Keeps what it is asked for, and "compiles" `inside`.
const CARGO: &str = r#"#!/bin/sh
set -eu
if [ "$1" = xtask ]; then exec touch /rules; fi
test -e /rules && test -e Cargo.lock && test ! -e target
mkdir -p target/x86_64-unknown-linux-gnu/release
cp /inside target/x86_64-unknown-linux-gnu/release/refiner
"#;

#[test]
fn image_from_source_holds_the_program_the_certificates_and_nothing_of_the_source() {
    let Some(engine) = Engine::find_or_start() else { return };
    let root = tempfile::tempdir().unwrap();
    let tools = ["/bin/sh", "/usr/bin/cp", "/usr/bin/mkdir", "/usr/bin/touch", "/usr/bin/test"].map(PathBuf::from);
    for tool in &tools {
        add(root.path(), &libraries(tool));
    }
    add(root.path(), &tools);
    add(root.path(), &["/etc/ssl/certs/ca-certificates.crt".into()]);
    let cargo = root.path().join("usr/bin/cargo");
    write(&cargo, CARGO);
    fs::set_permissions(&cargo, Permissions::from_mode(0o755)).unwrap();
    inside(root.path());
    engine.import(root.path(), TOOLCHAIN, &[]);

    let dockerfile = repository().join("compose/Dockerfile").display().to_string();
    let toolchain = format!("RUST={TOOLCHAIN}");
    let build = ["build", "--quiet", "--build-arg", &toolchain, "--tag", IMAGE, "--file", &dockerfile];
    must(engine.docker(&build).arg(repository()));

    let container = must(&mut engine.docker(&["create", IMAGE]));
    let archive = root.path().join("archive");
    must(engine.docker(&["export", &container, "--output"]).arg(&archive));
    let files = must(std::process::Command::new("tar").arg("-tf").arg(&archive));
    let of_engine =
        |file: &str| [".dockerenv", "dev/", "proc/", "sys/", "etc/"].iter().any(|place| file.starts_with(place));
    let mut ours: Vec<_> = files.lines().filter(|file| !of_engine(file)).collect();
    ours.sort_unstable();
    assert_eq!(ours, ["LICENSE", "data/", "data/README", "refiner"]);
    assert!(files.contains("etc/ssl/certs/ca-certificates.crt"), "{files}");
    let config = must(&mut engine.docker(&[
        "inspect",
        "--format",
        "{{.Config.User}} {{.Config.Entrypoint}} {{.Config.Cmd}} {{.Config.Healthcheck.Test}}",
        IMAGE,
    ]));
    assert_eq!(config, "65532:65532 [/refiner] [run] [CMD /refiner health]");
}
