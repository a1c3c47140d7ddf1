//! Odd rules on an old and a new processor. An emulator takes minutes for them, so only `cargo xtask processors` names one.

use std::{collections::BTreeMap, env, fs, path::Path, process::Command};

use serde_json::Value;

use crate::{
    odd,
    program::{samples, text},
};

/// The variable that names the emulator.
const EMULATOR: &str = "REFINER_TEST_EMULATOR";
/// One of 2008 without AVX and SHA instructions, and one with all that the emulator knows.
const PROCESSORS: [&str; 2] = ["Nehalem", "max"];

/// Outcome of each rule by its name: verdict, message, and everything it used.
fn replayed(mut program: Command, directory: &Path) -> BTreeMap<String, (Value, Value, Value)> {
    let specimen = samples().into_iter().find(|path| path.ends_with("1-22500000.avro")).unwrap();
    let output = program.args(["replay", "--json", "--rule", text(directory), text(&specimen)]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let end = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let end = (line["verdict"].clone(), line["message"].clone(), line["usage"].clone());
        (line["rule"].as_str().unwrap().to_owned(), end)
    };
    lines.lines().map(end).collect()
}

#[test]
fn odd_rules_have_one_end_on_an_old_processor_and_on_a_new_one() {
    let Ok(emulator) = env::var(EMULATOR) else {
        println!("skipped: {EMULATOR} names no emulator; cargo xtask processors does");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let cases = odd::write(directory.path());
    let mut here = replayed(Command::new(env!("CARGO_BIN_EXE_refiner")), directory.path());
    assert_eq!(here.len(), cases.len());
    // The engine catches most traps as signals of the processor, at which the emulator of Debian 12 itself ends.
    here.retain(|name, end| {
        let stays = end.0 != "trapped";
        if !stays {
            fs::remove_file(directory.path().join(format!("{name}.wasm"))).unwrap();
        }
        stays
    });
    assert!(here.len() >= 15, "only {} rules", here.len());
    for processor in PROCESSORS {
        let mut emulated = Command::new(&emulator);
        emulated.args(["-cpu", processor, env!("CARGO_BIN_EXE_refiner")]);
        let there = replayed(emulated, directory.path());
        for (name, end) in &here {
            assert_eq!(&there[name], end, "{} on {processor}", cases[name]);
        }
    }
}
