//! Rules of strangers: compiled and run in confined child processes, and refused with what to do.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use refiner_testkit::real;
use serde_json::Value;

use crate::{
    corpus::{self, Case},
    program::{refiner, samples, samples_directory, text},
};

/// Time for the whole program over a compiler's bomb: a compiler's two minutes, which no bomb needs, and a moment.
const BOMB_WALL: Duration = Duration::from_secs(121);

/// The built rules as files, which are strangers' to the program.
fn rules() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rules");
    let mut rules: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    rules.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    rules.sort();
    assert!(rules.len() >= 4, "{rules:?}");
    rules
}

/// Files and report of a replay of every rule over these specimens, without what differs from run to run.
fn replay(specimens: &Path, options: &[&str]) -> (BTreeMap<String, Vec<u8>>, Vec<Value>) {
    let (out, rules) = (tempfile::tempdir().unwrap(), rules());
    let mut arguments = vec!["replay", text(specimens), "--out", text(out.path()), "--json"];
    for rule in &rules {
        arguments.extend(["--rule", text(rule)]);
    }
    arguments.extend(options);
    let mut lines = refiner(&arguments).json_lines();
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("elapsedMs");
        for artifact in line["artifacts"].as_array_mut().into_iter().flatten() {
            artifact.as_object_mut().unwrap().remove("file");
        }
    }
    let files = fs::read_dir(out.path()).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())
    });
    (files.collect(), lines)
}

#[test]
fn isolated_rules_write_the_same_files_and_the_same_report() {
    let directories = [Some(samples_directory()), real::directory()];
    for specimens in directories.into_iter().flatten() {
        let (files, lines) = replay(&specimens, &[]);
        let (isolated_files, isolated_lines) = replay(&specimens, &["--isolate"]);
        assert!(files.len() > 8 && lines.len() > 8, "{} files, {} lines", files.len(), lines.len());
        assert_eq!(isolated_lines, lines);
        assert!(isolated_files == files, "other bytes in {}", specimens.display());
    }
}

fn case(name: &str) -> Case {
    corpus::cases().into_iter().find(|case| case.name == name).unwrap()
}

/// The case's component in a file.
fn file(case: &Case, directory: &Path) -> PathBuf {
    let path = directory.join(format!("{}.wasm", case.name));
    fs::write(&path, case.component()).unwrap();
    path
}

#[test]
fn compilers_bomb_is_refused_with_a_remedy_and_the_program_lives() {
    let directory = tempfile::tempdir().unwrap();
    let bomb = file(&case("compiles-too-large"), directory.path());
    let (bomb, specimen) = (text(&bomb), samples().remove(0));
    let commands: [&[&str]; 4] = [
        &["rule", "check", bomb],
        &["replay", text(&specimen), "--rule", bomb],
        &["rule", "run", bomb, text(&specimen)],
        &["replay", text(&specimen), "--isolate", "--rule", bomb],
    ];
    for command in commands {
        let begun = Instant::now();
        let ended = refiner(command).expect(6);
        assert!(ended.stderr.contains("compiling takes more than the "), "{}", ended.stderr);
        assert!(ended.stderr.contains("split its largest functions"), "{}", ended.stderr);
        assert!(begun.elapsed() < BOMB_WALL, "{command:?} took {:?}", begun.elapsed());
    }
    refiner(&["rule", "info", bomb]).expect(0);
}

#[test]
fn daemon_that_is_given_no_rule_says_what_to_do_before_it_looks_at_a_chain() {
    let directory = tempfile::tempdir().unwrap();
    let component = file(&case("core-module"), directory.path());
    let data = directory.path().join("data");
    let node = ["--network", "moonbeam", "--rpc", "http://127.0.0.1:9", "--prove", "none"];
    let arguments = ["run", "--rule", text(&component), "--data", text(&data)];
    let ended = refiner(&arguments.into_iter().chain(node).collect::<Vec<_>>()).expect(6);
    assert!(ended.stderr.contains("core module") && ended.stderr.contains("refiner rule build"), "{}", ended.stderr);
}

#[test]
fn hostile_rule_gets_its_verdict_in_a_worker_and_the_next_specimen_runs() {
    let directory = tempfile::tempdir().unwrap();
    let samples = samples();
    for (name, verdict) in [("spins", "outOfFuel"), ("eats-memory", "outOfMemory"), ("traps", "trapped")] {
        let rule = file(&case(name), directory.path());
        let rules = ["--rule", text(&rule), "--rule", "block-result", "--isolate", "--json"];
        let ended = refiner(&[&["replay", text(&samples[0]), text(&samples[1])], rules.as_slice()].concat()).expect(3);
        let verdicts: Vec<_> = ended.json_lines().into_iter().map(|line| line["verdict"].clone()).collect();
        assert_eq!(verdicts, [verdict, "produced", verdict, "produced"], "{name}");
    }
}

#[test]
fn deep_recursion_has_its_verdict_however_small_the_stack_is_that_the_program_was_started_with() {
    let directory = tempfile::tempdir().unwrap();
    let (rule, specimen) = (file(&case("recurses"), directory.path()), samples().remove(0));
    for isolate in [&[][..], &["--isolate"]] {
        let shell = "ulimit -s 512; exec \"$0\" replay \"$@\"";
        let mut replay = std::process::Command::new("sh");
        replay.args(["-c", shell, env!("CARGO_BIN_EXE_refiner"), text(&specimen), "--json", "--rule", text(&rule)]);
        let ended = replay.args(isolate).output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert_eq!(ended.status.code(), Some(3), "{isolate:?}: {stderr}");
        assert!(stdout.contains("call stack exhausted after 1048576 bytes"), "{isolate:?}: {stdout}");
    }
}

#[test]
fn isolated_rule_that_is_not_admitted_is_refused_before_any_specimen() {
    let directory = tempfile::tempdir().unwrap();
    let rule = file(&case("spins-in-describe"), directory.path());
    let ended = refiner(&["replay", text(&samples()[0]), "--isolate", "--rule", text(&rule)]).expect(6);
    assert!(ended.stderr.contains("did not describe itself: out of fuel"), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: return constants from `describe`"), "{}", ended.stderr);
}

/// The hashes of what a twin makes of every block, in a worker or in this program.
fn hashes(twin: &str, options: &[&str]) -> Vec<Value> {
    let directories: Vec<_> = [Some(samples_directory()), real::directory()].into_iter().flatten().collect();
    let mut arguments = vec!["replay", "--rule", twin, "--json"];
    arguments.extend(directories.iter().map(|directory| text(directory)));
    arguments.extend(options);
    let lines = refiner(&arguments).expect(0).json_lines();
    lines.iter().map(|line| line["artifacts"][0]["sha256"].clone()).collect()
}

#[test]
fn twin_in_go_gives_the_bytes_of_rust_in_workers_also_when_its_collector_runs_all_the_time() {
    let twins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/twins");
    let (rust, go) = (twins.join("rust.wasm"), twins.join("go.wasm"));
    if !rust.is_file() || !go.is_file() {
        #[allow(clippy::print_stderr, reason = "a test that was skipped tells why")]
        {
            eprintln!("skipped: no twins in Rust and Go; `cargo xtask twins` builds them");
        }
        return;
    }
    let expected = hashes(text(&rust), &[]);
    assert!(expected.len() >= 8 && expected.iter().all(Value::is_string), "{expected:?}");
    for options in [&[][..], &["--isolate"], &["--isolate", "--param", "gc=1"]] {
        assert_eq!(hashes(text(&go), options), expected, "{options:?}");
    }
}

#[test]
fn refusal_is_an_object_where_json_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let (rule, specimen) = (file(&case("no-manifest"), directory.path()), samples().remove(0));
    let commands: [&[&str]; 3] = [
        &["rule", "check", text(&rule), "--json"],
        &["rule", "info", text(&rule), "--json"],
        &["rule", "run", text(&rule), text(&specimen), "--json"],
    ];
    for command in commands {
        let line = refiner(command).expect(6).json_lines().remove(0);
        assert_eq!(line["admitted"], false, "{command:?}");
        assert!(line["reason"].as_str().unwrap().contains("no manifest inside the component"), "{line}");
        assert!(line["remedy"].as_str().unwrap().contains("refiner rule build"), "{line}");
    }
}

#[test]
fn check_says_of_every_hostile_rule_that_is_refused_what_was_found_and_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    // A person who checks a rule grants every capability.
    const NOT_GRANTED: [&str; 3] = ["evm-not-granted", "wasi-not-granted", "wasi-neither-asked-for-nor-granted"];
    let refused = corpus::cases()
        .into_iter()
        .filter(|case| case.expected.outcome == "refusal" && !NOT_GRANTED.contains(&case.name.as_str()));
    let mut checked = 0;
    for case in refused {
        let path = file(&case, directory.path());
        if let Some(beside) = case.beside() {
            fs::write(path.with_extension("toml"), beside).unwrap();
        }
        let line = refiner(&["rule", "check", text(&path), "--json"]).expect(6).json_lines().remove(0);
        assert_eq!(line["admitted"], false, "{}: {line}", case.name);
        let said = line["reason"].as_str().unwrap();
        let (_, message) = case.end("", &refiner_rule_model::Limits::default(), 0);
        let message = match case.name.as_str() {
            "no-manifest" => format!("{message} at {}", path.with_extension("toml").display()),
            _ => message,
        };
        assert!(said.ends_with(&message), "{}: {said}", case.name);
        assert!(line["remedy"].as_str().unwrap().len() > 20, "{}: {line}", case.name);
        checked += 1;
    }
    assert!(checked >= 40, "only {checked} refusals");
}
