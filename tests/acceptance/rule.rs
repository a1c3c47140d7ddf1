//! `refiner rule`, from nothing to a rule that others can fetch.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    thread,
};

use refiner_rule_model::contract;
use serde_json::{Value, json};

use crate::{
    languages::paste,
    program::{command, refiner, samples},
};

/// A core module of nothing.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
/// A component of nothing.
const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

#[test]
fn new_rule_followed_by_its_printed_commands_works() {
    for option in ["", " --with-evm"] {
        let directory = tempfile::tempdir().unwrap();
        let printed = paste(&format!("refiner rule new busy-contracts --dir 'my rules/one'{option}"), directory.path());
        let commands: Vec<_> = printed.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        assert_eq!(commands.len(), 5, "{printed}");
        let shown = paste(&commands.join("\n"), directory.path());
        let parts = [
            "test result: ok",
            "busy-contracts.wasm",
            "busy-contracts.wasm: admitted",
            "3 fresh instances gave the same",
        ];
        for part in parts.into_iter().chain(["verdict   produced"]) {
            assert!(shown.contains(part), "{part:?} is not in\n{shown}");
        }
        assert!(shown.contains("\"contract\":\"0x"), "the artifact's rows are shown\n{shown}");
    }
}

#[test]
fn rule_built_in_another_directory_has_the_same_bytes() {
    let mut digests = Vec::new();
    for place in ["a", "some/where else"] {
        let directory = tempfile::tempdir().unwrap();
        let lines = format!("refiner rule new same-bytes --dir '{place}' --json\nrefiner rule build '{place}' --json");
        let shown = paste(&lines, directory.path());
        let built: Value = serde_json::from_str(shown.lines().last().unwrap()).unwrap();
        digests.push(built["sha256"].as_str().unwrap().to_owned());
    }
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn new_rule_overwrites_nothing_and_takes_no_name_that_cargo_refuses() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("notes"), "mine").unwrap();
    let at = directory.path().display().to_string();
    let ended = refiner(&["rule", "new", "my-rule", "--dir", &at]).expect(2);
    assert!(ended.stderr.contains("nothing is overwritten"), "{}", ended.stderr);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    for name in ["My-Rule", "fn", "../up"] {
        refiner(&["rule", "new", name]).expect(2);
    }
    let ended = refiner(&["rule", "new", "serde", "--dir", &format!("{at}/serde")]).expect(2);
    let hint = "hint: give the rule another name, such as my-serde";
    assert!(ended.stderr.contains("serde is the name of a package") && ended.stderr.contains(hint), "{}", ended.stderr);
}

#[test]
fn check_says_what_was_found_and_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let check = |bytes: &[u8], found: &str, remedy: &str| {
        let path = directory.path().join("rule.wasm");
        fs::write(&path, bytes).unwrap();
        let path = path.display().to_string();
        let ended = refiner(&["rule", "check", &path]).expect(6);
        assert!(ended.stderr.contains(found) && ended.stderr.contains(remedy), "{}", ended.stderr);
        let line = refiner(&["rule", "check", &path, "--json"]).expect(6).json_lines().remove(0);
        assert_eq!(line["admitted"], false);
        assert!(line["reason"].as_str().unwrap().contains(found), "{line}");
        assert!(line["remedy"].as_str().unwrap().contains(remedy), "{line}");
    };
    check(b"", "no bytes", "refiner rule build");
    check(CORE_MODULE, "a core module", "refiner rule build");
    check(b"(component)", "WebAssembly text", "refiner rule build");
    check(EMPTY_COMPONENT, "does not export", "export_transform!");
    check(&[EMPTY_COMPONENT, b"\x0b\xff"].concat(), "malformed", "damaged");
}

#[test]
fn check_of_a_good_rule_repeats_it_in_fresh_instances() {
    let specimen = samples().remove(0).display().to_string();
    let arguments = ["rule", "check", "block-result", "--repeat", "4", "--specimen", &specimen, "--json"];
    let line = refiner(&arguments).expect(0).json_lines().remove(0);
    assert_eq!((&line["admitted"], &line["name"]), (&Value::Bool(true), &Value::from("block-result")));
    assert_eq!((&line["runs"][0]["repeated"], &line["runs"][0]["same"]), (&Value::from(4), &Value::Bool(true)));
    assert!(line["runs"][0]["usage"]["fuel"]["used"].as_u64() > Some(0), "{line}");
}

#[test]
fn run_shows_every_limit_and_writes_what_replay_writes() {
    let directory = tempfile::tempdir().unwrap();
    let out = |name: &str| directory.path().join(name).display().to_string();
    let specimen = samples().remove(4).display().to_string();
    let run = refiner(&["rule", "run", "block-result", &specimen, "--out", &out("run"), "--json"]).expect(0);
    let run = run.json_lines().remove(0);
    assert_eq!((&run["verdict"], &run["granted"]), (&Value::from("produced"), &Value::from("evm, as asked")));
    for number in ["asked", "granted", "used"] {
        assert!(run["usage"]["memoryBytes"][number].as_u64() > Some(0), "{run}");
    }
    refiner(&["replay", &specimen, "--out", &out("replay")]).expect(0);
    let file = PathBuf::from(run["artifacts"][0]["file"].as_str().unwrap());
    let replayed = directory.path().join("replay").join(file.file_name().unwrap());
    assert!(fs::read(file).unwrap() == fs::read(replayed).unwrap());
}

/// A quarter of what its code uses in `spin`, three quarters in `spin` under `long`, and as much as it takes to write 4,000 bytes to the log, twenty times.
const SPINS: &str = r#"(import "refiner:rule/log" "write" (func $log (param i32 i32 i32)))
    (func $spin (param $n i32)
        (loop $again (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $again (local.get $n))))
    (func $long (call $spin (i32.const 90000)))
    (func $talk (param $n i32)
        (loop $again (call $log (i32.const 1) (i32.const 256) (i32.const 4000))
            (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $again (local.get $n))))
    (func $refine (export "refiner:rule/rule#refine") (param i32) (result i32)
        (call $spin (i32.const 30000)) (call $long) (call $talk (i32.const 20)) (call $ok (local.get 0) (i64.const 0)))"#;

#[test]
fn profile_divides_the_fuel_of_a_run_among_its_functions_and_is_the_same_again() {
    let directory = tempfile::tempdir().unwrap();
    let rule = directory.path().join("rule.wasm").display().to_string();
    fs::write(&rule, crate::component::component(SPINS)).unwrap();
    let specimen = samples().remove(4).display().to_string();
    let run = |more: &[&str]| {
        let arguments = [&["rule", "run", &rule, &specimen, "--json"], more].concat();
        refiner(&arguments).expect(0).json_lines().remove(0)
    };
    let profiled = |name: &str, form: &str| {
        let file = directory.path().join(name);
        let run = run(&["--profile", &file.display().to_string(), "--profile-form", form, "--profile-samples", "100"]);
        (run, fs::read(file).unwrap())
    };
    let (plain, (run, bytes)) = (run(&[]), profiled("first", "speedscope"));
    for part in ["verdict", "usage", "artifacts", "ruleIdentity", "log"] {
        assert_eq!(run[part], plain[part], "{part} is what it is without a profile");
    }
    let fuel = plain["usage"]["fuel"]["used"].as_u64().unwrap();
    let profile = &run["profile"];
    let functions = profile["functions"].as_array().unwrap();
    let of = |name: &str, part: &str| {
        let function = functions.iter().find(|function| function["name"] == name).unwrap();
        function[part].as_u64().unwrap()
    };
    let own: u64 = functions.iter().map(|function| function["own"].as_u64().unwrap()).sum();
    assert_eq!((own, of("refine", "total")), (fuel, fuel));
    assert_eq!(profile["code"].as_u64().unwrap() + profile["calls"].as_u64().unwrap(), fuel);
    assert_eq!(of("host: log.write", "own"), 20 * (1_600 + 4_000 * 8), "what calls are charged is in their names");
    let (spin, long) = (of("spin", "own"), of("long", "total"));
    assert!(long * 100 / spin > 72 && long * 100 / spin < 78, "three quarters of {spin}: {long}");

    let speedscope: Value = serde_json::from_slice(&bytes).unwrap();
    let sampled = &speedscope["profiles"][0];
    let numbers =
        |key: &str| sampled[key].as_array().unwrap().iter().map(|weight| weight.as_u64().unwrap()).sum::<u64>();
    assert_eq!((numbers("weights"), sampled["endValue"].as_u64()), (fuel, Some(fuel)));
    let frames = speedscope["shared"]["frames"].as_array().unwrap();
    let samples = sampled["samples"].as_array().unwrap();
    let stack = |sample: &Value| -> Vec<String> {
        let name = |number: &Value| {
            frames[usize::try_from(number.as_u64().unwrap()).unwrap()]["name"].as_str().unwrap().to_owned()
        };
        sample.as_array().unwrap().iter().map(name).collect()
    };
    assert_eq!((samples.len(), &profile["samples"]), (100, &Value::from(100)));
    assert_eq!(stack(&samples[0]), ["refine", "spin"], "the order is that of the run");
    assert_eq!(stack(&samples[99]), ["refine", "talk", "host: log.write"]);

    assert!(profiled("second", "speedscope").1 == bytes, "two profiles of a run have the same bytes");
    let (_, firefox) = profiled("third", "firefox");
    let firefox: Value = serde_json::from_slice(&firefox).unwrap();
    let thread = &firefox["threads"][0];
    assert_eq!(thread["samples"]["length"], 100);
    assert!(thread["stringArray"].as_array().unwrap().contains(&Value::from("long")));
    // A unit of fuel stands as a microsecond, and the viewer counts milliseconds.
    let weights = thread["samples"]["weight"].as_array().unwrap().iter().map(|weight| weight.as_f64().unwrap());
    assert!((weights.sum::<f64>() * 1_000.0 - fuel as f64).abs() < 1.0);
}

#[test]
fn profile_of_a_component_without_names_shows_numbers_and_the_command_that_keeps_names() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("profile").display().to_string();
    let specimen = samples().remove(4).display().to_string();
    let run = |more: &[&str]| {
        refiner(&[&["rule", "run", "transaction-summary", &specimen, "--profile", &file], more].concat())
    };
    let shown = run(&["--profile-samples", "20"]).expect(0).text();
    for part in ["fuel by function, from 20 samples", "wasm-function[", "refiner rule build --names"] {
        assert!(shown.contains(part), "{shown}");
    }
    let refused = run(&["--profile-form", "perf"]).expect(2).stderr;
    assert!(refused.contains("expected \"speedscope\" or \"firefox\""), "{refused}");
    let quiet = directory.path().join("quiet.wasm").display().to_string();
    let spins = r#"(func (export "refiner:rule/rule#refine") (param i32) (result i32) (local i32)
        (loop $again (br_if $again (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 100))))
        (call $ok (local.get 0) (i64.const 0)))"#;
    fs::write(&quiet, crate::component::component(spins)).unwrap();
    let short = refiner(&["rule", "run", &quiet, &specimen, "--profile", &file]).expect(0).text();
    assert!(short.contains("a short run") && short.contains("1000 units of fuel"), "{short}");
    for samples in ["0", "10001"] {
        run(&["--profile-samples", samples]).expect(2);
    }
    let nowhere = ["rule", "run", "logs", &specimen, "--profile", "/nowhere/profile"];
    assert!(refiner(&nowhere).expect(5).stderr.contains("/nowhere/profile"));
}

#[test]
fn limit_is_granted_up_to_its_cap_and_decides_the_verdict() {
    let specimen = samples().remove(4).display().to_string();
    let run = |limit: &str| refiner(&["rule", "run", "block-result", &specimen, "--limit", limit]);
    let starved = run("output_bytes=10").expect(3).text();
    assert!(starved.contains("over budget: 10 output_bytes granted"), "{starved}");
    run("output_bytes=536870912").expect(0);
    let above = run("output_bytes=536870913").expect(2).stderr;
    assert!(above.contains("536870913 asked for as output_bytes, and at most 536870912"), "{above}");
    let unknown = run("output=1").expect(2).stderr;
    assert!(unknown.contains("there are component_bytes"), "{unknown}");
    let of_admission = run("component_bytes=1").expect(2).stderr;
    assert!(of_admission.contains("--rule-limit component_bytes=…"), "{of_admission}");
    let uncounted = starved.lines().filter(|line| line.ends_with(" -")).filter_map(|line| line.split(' ').next());
    assert_eq!(uncounted.collect::<Vec<_>>(), ["component_bytes", "wall_ms"], "{starved}");
}

#[test]
fn info_tells_what_a_rule_asks_for_without_running_it() {
    let line = refiner(&["rule", "info", "block-result", "--json"]).expect(0).json_lines().remove(0);
    assert_eq!(line["world"], "transform-with-evm");
    assert_eq!(line["capabilities"], serde_json::json!(["evm"]));
    let of_contract = |interface| format!("refiner:rule/{interface}@{}", contract::VERSION);
    assert_eq!(line["exports"], serde_json::json!([of_contract("rule")]));
    assert!(line["imports"].as_array().unwrap().contains(&Value::from(of_contract("evm"))), "{line}");
    assert!(line["limits"]["fuel"]["cap"].as_u64() > line["limits"]["fuel"]["asked"].as_u64(), "{line}");
    let text = refiner(&["rule", "info", "block-result"]).expect(0).text();
    assert!(text.contains(line["sha256"].as_str().unwrap()), "{text}");
}

#[test]
fn columns_of_a_rule_are_listed_and_make_its_json_schema_and_its_arrow_schema() {
    let line = refiner(&["rule", "info", "logs", "--json"]).expect(0).json_lines().remove(0);
    let column =
        json!({ "name": "log_index", "type": "u32", "nullable": false, "key": true, "doc": "Position in the block." });
    assert_eq!(line["outputs"][0]["columns"][6], column);
    let text = refiner(&["rule", "info", "logs"]).expect(0).text();
    assert!(text.contains("\n    topic0               hash           null  Topic 0.\n"), "{text}");

    // A key of the rows that is not the column's name.
    let line = refiner(&["rule", "info", "state-access", "--json"]).expect(0).json_lines().remove(0);
    let of_accounts = line["outputs"].as_array().unwrap().iter().find(|output| output["name"] == "accounts.ndjson");
    let columns = of_accounts.unwrap()["columns"].as_array().unwrap();
    let field = |name: &str| &columns.iter().find(|column| column["name"] == name).unwrap()["field"];
    assert_eq!(
        (field("chain_id"), field("slots_read"), field("address")),
        (&json!("chainId"), &json!("slots"), &Value::Null)
    );
    let text = refiner(&["rule", "info", "state-access"]).expect(0).text();
    assert!(text.contains("  field chainId  ") && text.contains("  field slots  "), "{text}");

    let schema: Value = serde_json::from_str(&refiner(&["rule", "schema", "logs"]).expect(0).text()).unwrap();
    assert_eq!(schema["properties"]["topic0"]["oneOf"][1], json!({ "type": "null" }));
    assert_eq!(schema["required"].as_array().map(Vec::len), Some(8));
    let tables = refiner(&["rule", "schema", "state-diffs", "--arrow"]).expect(0).text();
    assert_eq!(tables.matches("# state-diffs 0.2.0, ").count(), 4, "{tables}");
    assert!(tables.contains("\nto_value: Utf8 not null\nto_value_f64: Float64 not null\n"), "{tables}");
    let none = refiner(&["rule", "schema", "block-result"]).expect(6).stderr;
    assert!(none.contains("block-result names no columns for any output") && none.contains("hint: "), "{none}");
}

/// Serves these bytes to every client, for as long as the test's process lives. Gives its URL.
fn serve(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/rule.wasm", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", bytes.len()).unwrap();
            stream.write_all(&bytes).unwrap();
        }
    });
    url
}

/// The program, started in `directory`, with its cache there.
fn in_directory(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output =
        command(arguments).current_dir(directory).env("REFINER_CACHE_DIR", directory.join("cache")).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn rule_of_a_web_server_is_used_when_it_is_pinned_and_locked_for_everybody() {
    let directory = tempfile::tempdir().unwrap();
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rules/transaction-summary.wasm");
    let url = serve(fs::read(built).unwrap());
    let specimen = samples().remove(4).canonicalize().unwrap().display().to_string();
    let here = |arguments: &[&str]| in_directory(directory.path(), arguments);
    let replay = |rule: &str, option: &str| {
        let arguments = ["replay", &specimen, "--rule", rule, "--report", "summary", option];
        here(&arguments[..if option.is_empty() { 6 } else { 7 }])
    };

    let (code, _, stderr) = replay(&url, "");
    assert_eq!(code, 6, "{stderr}");
    let pinned = stderr.split("name it as ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    assert!(pinned.starts_with(&format!("{url}#sha256=")), "{stderr}");
    let (code, _, stderr) = replay(&pinned, "");
    assert_eq!(code, 0, "{stderr}");

    let (code, _, stderr) = replay(&pinned, "--locked");
    assert!(code == 2 && stderr.contains("rules.lock"), "{code} {stderr}");
    let (code, stdout, stderr) = here(&["rule", "lock", &url]);
    assert!(code == 0 && stdout.starts_with("new"), "{stdout} {stderr}");
    let (code, _, stderr) = replay(&url, "--locked");
    assert_eq!(code, 0, "{stderr}");
    let (_, stdout, _) = here(&["rule", "lock", &url]);
    assert!(stdout.starts_with("unchanged"), "{stdout}");

    let lock = directory.path().join("rules.lock");
    let text = fs::read_to_string(&lock).unwrap();
    let digest = pinned.split_once("#sha256=").unwrap().1;
    let other = "0".repeat(64);
    fs::write(&lock, text.replace(digest, &other)).unwrap();
    let (code, _, stderr) = replay(&url, "--locked");
    assert!(code == 6 && stderr.contains(digest) && stderr.contains(&other), "{code} {stderr}");
}

/// A component from text in a file, checked: exit code, and what a person reads.
fn checked(directory: &Path, component: &[u8]) -> crate::program::Ended {
    let path = directory.join("rule.wasm");
    fs::write(&path, component).unwrap();
    refiner(&["rule", "check", &path.display().to_string()])
}

#[test]
fn refusals_of_other_contracts_name_the_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let check = |text: &str, parts: [&str; 2]| {
        let ended = checked(directory.path(), &wat::parse_str(text).unwrap()).expect(6);
        for part in parts {
            assert!(ended.stderr.contains(part), "{part:?} is not in {}", ended.stderr);
        }
    };
    let later = r#"(component (import "refiner:rule/log@1.7.0" (instance (export "shout" (func)))))"#;
    check(later, ["refiner:rule/log@1.7.0", "upgrade refiner"]);
    let unreleased = r#"(component (import "refiner:rule/log@0.9.0" (instance (export "shout" (func)))))"#;
    check(unreleased, ["refiner:rule/log@0.9.0", "build it anew for the contract of this program"]);
    let asynchronous = "(component (core func (canon task.return)))";
    check(asynchronous, ["has async functions, streams or futures", "build for WASI 0.2"]);
    check("(component)", ["does not export", "in Python, JavaScript and C build for the world"]);
}

#[test]
fn source_without_a_scheme_or_with_a_path_gets_the_form_that_works() {
    let check = |source: &str, code: i32, part: &str| {
        let ended = refiner(&["rule", "info", source]).expect(code);
        assert!(ended.stderr.contains(part), "{part:?} is not in {}", ended.stderr);
    };
    check("ghcr.io/owner/rule:1.0.0", 6, "as oci://ghcr.io/owner/rule:1.0.0");
    check("example.org/rules/a.wasm", 6, "as https://example.org/rules/a.wasm");
    check("ipfs://bafy/dist/a.wasm", 2, "`ipfs resolve -r /ipfs/bafy/dist/a.wasm`");
    check("no-such-rule", 6, "built-in rules: ");
}

#[test]
fn check_shows_the_log_and_ends_with_3_when_nothing_was_produced() {
    let directory = tempfile::tempdir().unwrap();
    let traps = r#"(func $count_transfers unreachable)
        (func (export "refiner:rule/rule#refine") (param i32) (result i32) call $count_transfers unreachable)"#;
    let ended = checked(directory.path(), &crate::component::component(traps)).expect(3);
    let shown = ended.text();
    for part in ["rule.wasm: admitted", "trapped", "log error trapped in count_transfers"] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
}

#[test]
fn lock_of_a_page_or_a_pointer_names_it_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for (body, named, remedy) in [
        (&b"<!DOCTYPE html><html>"[..], "is an HTML page", "raw.githubusercontent.com"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "is a Git LFS pointer", "git lfs pull"),
    ] {
        let url = format!("{}?token=canary", serve(body.to_vec()));
        let (code, _, stderr) = in_directory(directory.path(), &["rule", "lock", &url]);
        assert!(code == 6 && stderr.contains(named) && stderr.contains(remedy), "{code} {stderr}");
        assert!(stderr.contains("/rule.wasm?…") && !stderr.contains("canary"), "{stderr}");
        assert!(!directory.path().join("rules.lock").exists());
    }
}

#[test]
fn manifest_in_another_encoding_is_refused_alike_inside_beside_and_by_embed() {
    let directory = tempfile::tempdir().unwrap();
    let whole =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rules/transaction-summary.wasm")).unwrap();
    let text = refiner_manifest::read(&whole).unwrap().unwrap().to_owned();
    let latin: Vec<u8> =
        format!("{text}# caf\n").into_bytes().into_iter().map(|byte| if byte == b'#' { 0xe9 } else { byte }).collect();
    let line = 1 + text.lines().take_while(|line| !line.contains('#')).count();
    let fault = format!("line {line} is not UTF-8 (byte 0xe9)");
    let bare = refiner_manifest::without(&whole).unwrap();
    let at = |name: &str| directory.path().join(name).display().to_string();
    fs::write(at("beside.wasm"), &bare).unwrap();
    fs::write(at("beside.toml"), &latin).unwrap();
    // The writer takes text; one byte of it is changed behind its back.
    let mut inside = refiner_manifest::embed(&bare, &format!("{text}# caf\n"));
    let start = inside.len() - latin.len();
    inside[start..].copy_from_slice(&latin);
    fs::write(at("inside.wasm"), inside).unwrap();
    fs::write(at("bare.wasm"), &bare).unwrap();
    for arguments in [
        vec!["rule", "check", &at("beside.wasm")],
        vec!["rule", "info", &at("inside.wasm")],
        vec!["rule", "embed", &at("bare.wasm"), &at("beside.toml")],
    ] {
        let ended = refiner(&arguments);
        assert!(ended.stderr.contains(&fault), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn panic_of_a_rule_reaches_the_log_with_its_text_and_place_when_it_is_built() {
    let directory = tempfile::tempdir().unwrap();
    let lines = "refiner rule new panics
        sed -i 's|\\(fn refine(.*{\\)$|\\1 assert!(specimen.counts().transactions > 1_000_000, \"too few: {}\", 5);|' panics/src/lib.rs
        refiner rule build panics || echo \"ended with $?\"";
    let shown = paste(lines, directory.path());
    for part in ["panics.wasm: admitted", "log error panicked at src/lib.rs:", "too few: 5", "ended with 3"] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
}

#[test]
fn verify_builds_again_and_names_the_parts_that_differ() {
    let directory = tempfile::tempdir().unwrap();
    let lines = "refiner rule new verified
        refiner rule build verified --out published.wasm
        refiner rule verify published.wasm --source verified
        sed -i 's|senders|contracts_of_block|; s|0x|0X|' verified/src/lib.rs
        printf 'licence = \"0BSD\"\\n' > licence
        sed -i 's|^licence.*|licence = \"0BSD\"|' verified/rule.toml
        refiner rule verify published.wasm --source verified || echo \"ended with $?\"";
    let shown = paste(lines, directory.path());
    for part in [
        "published.wasm: the same bytes, sha256 ",
        "published.wasm: other bytes",
        "differs: the manifest section",
        "ended with 3",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
}

#[test]
fn component_that_was_cut_short_is_called_damaged_by_every_command() {
    let directory = tempfile::tempdir().unwrap();
    let at = |file: &str| directory.path().join(file).display().to_string();
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rules/transaction-summary.wasm");
    let whole = fs::read(built).unwrap();
    fs::write(at("cut.wasm"), &whole[..whole.len() / 2]).unwrap();
    fs::write(at("rule.toml"), "name = 1").unwrap();
    refiner(&["rule", "keygen", &at("signing.pem")]).expect(0);
    let (cut, specimen) = (at("cut.wasm"), samples().remove(0).display().to_string());
    for arguments in [
        vec!["rule", "info", &cut],
        vec!["rule", "schema", &cut],
        vec!["rule", "check", &cut],
        vec!["rule", "run", &cut, &specimen],
        vec!["rule", "push", &cut, "oci://127.0.0.1:1/a:1"],
        vec!["rule", "embed", &cut, &at("rule.toml")],
        vec!["rule", "sign", &cut, "--key", &at("signing.pem")],
        vec!["rule", "verify", &cut, "--source", &at("")],
    ] {
        let refused = refiner(&arguments).expect(6).stderr;
        for part in [&format!("{cut}: malformed at byte "), "the file is damaged: build or fetch it again"] {
            assert!(refused.contains(part), "{arguments:?}: {part:?} is not in {refused}");
        }
    }
}

#[test]
fn artifacts_over_a_folder_of_specimens_are_compared_with_those_agreed_on() {
    let directory = tempfile::tempdir().unwrap();
    let (specimens, golden) = (directory.path().join("specimens"), directory.path().join("golden"));
    fs::create_dir(&specimens).unwrap();
    for sample in samples().iter().take(2) {
        fs::copy(sample, specimens.join(sample.file_name().unwrap())).unwrap();
    }
    let (folder, agreed) = (specimens.display().to_string(), golden.display().to_string());
    let test = |more: &[&str]| {
        let arguments = ["rule", "test", "transaction-summary", &folder, "--golden", &agreed];
        refiner(&[&arguments[..], more].concat())
    };
    let shown = test(&[]).expect(3).text();
    assert!(shown.contains("transaction-summary.ndjson: nothing was agreed on; --bless writes it"), "{shown}");
    let shown = test(&["--bless"]).expect(0).text();
    assert!(shown.contains("transaction-summary.ndjson: nothing was agreed on before\n"), "{shown}");
    let shown = test(&[]).expect(0).text();
    assert_eq!(shown.lines().filter(|line| line.starts_with("ok ")).count(), 2, "{shown}");
    let file = fs::read_dir(&golden).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen('{', "[", 1)).unwrap();
    let shown = test(&[]).expect(3).text();
    assert!(shown.contains("line 1, byte 1: expected [") && shown.contains(", found {"), "{shown}");
    // The end of a long line: what stands before it is left out on both sides.
    fs::write(&file, text.replacen("}\n", "]\n", 1)).unwrap();
    let (shown, byte) = (test(&[]).expect(3).text(), text.find("}\n").unwrap() + 1);
    assert!(shown.contains(&format!("line 1, byte {byte}: expected …")), "{shown}");
    assert!(shown.contains("], found …") && shown.trim_end().ends_with('}'), "{shown}");
    fs::write(&file, text).unwrap();
    let stem = file.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_owned();
    fs::write(golden.join(format!("{stem}.verdict")), "rejected\n").unwrap();
    let shown = test(&[]).expect(3).text();
    assert!(shown.contains("verdict: agreed on, and not made any more"), "{shown}");
}

#[test]
fn golden_of_an_output_that_the_rule_lost_is_named_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(&samples()[0], directory.path().join("a.avro")).unwrap();
    let folder = directory.path().display().to_string();
    let test =
        |more: &[&str]| refiner(&[&["rule", "test", "transaction-summary", &folder], more].concat()).expect(0).stderr;
    assert!(!test(&["--bless"]).contains("of no output"));
    let lost = directory.path().join("a.lost.ndjson");
    fs::write(&lost, "{}\n").unwrap();
    for more in [&[][..], &["--bless"]] {
        let said = test(more);
        assert!(said.contains("file of no output of the rule") && said.contains("a.lost.ndjson"), "{said}");
    }
    assert!(lost.exists());
}

/// A rule that opens the output `avro` and does not finish it.
const OPENS_AVRO: &str = r#"
;; output: avro text/plain
(import "refiner:rule/output" "[constructor]artifact"
    (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(data (i32.const 256) "avrotext/plain")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
    (drop (call $artifact (i32.const 256) (i32.const 4) (i32.const 260) (i32.const 10)
        (i32.const 0) (i32.const 0) (i32.const 0)))
    (call $ok (local.get 0) (i64.const 0)))"#;

#[test]
fn bless_replaces_and_removes_no_specimen_and_no_two_specimens_share_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let specimens = directory.path().join("specimens");
    fs::create_dir(&specimens).unwrap();
    let sample = fs::read(&samples()[0]).unwrap();
    fs::write(specimens.join("1-2-a.avro"), &sample).unwrap();
    let rule = directory.path().join("rule.wasm");
    fs::write(&rule, crate::component::component(OPENS_AVRO)).unwrap();
    let bless = |rule: &str, expected: &str| {
        let ended = refiner(&["rule", "test", rule, &specimens.display().to_string(), "--bless"]).expect(2);
        assert!(ended.stderr.contains(expected) && ended.stderr.contains("hint: "), "{}", ended.stderr);
    };
    bless(&rule.display().to_string(), "the output \"avro\" would be kept in this file, which is a specimen");
    assert!(fs::read(specimens.join("1-2-a.avro")).unwrap() == sample);
    fs::write(specimens.join("1-2-a"), &sample).unwrap();
    bless("transaction-summary", "two specimens would be compared with this one file");
    assert_eq!(fs::read_dir(&specimens).unwrap().count(), 2, "nothing was written");
}

#[test]
fn file_that_is_no_specimen_is_named_and_the_others_are_tested() {
    let directory = tempfile::tempdir().unwrap();
    let (specimens, golden) = (directory.path().join("specimens"), directory.path().join("golden"));
    fs::create_dir(&specimens).unwrap();
    fs::write(specimens.join("a.avro"), "no specimen").unwrap();
    fs::copy(&samples()[0], specimens.join("b.avro")).unwrap();
    let (folder, agreed) = (specimens.display().to_string(), golden.display().to_string());
    let arguments = ["rule", "test", "transaction-summary", &folder, "--golden", &agreed];
    let blessed = refiner(&[&arguments[..], &["--bless"]].concat()).expect(4);
    assert!(blessed.stderr.contains("a.avro: ") && !blessed.stderr.contains("given up"), "{}", blessed.stderr);
    let lines = refiner(&[&arguments[..], &["--json"]].concat()).expect(4).json_lines();
    assert!(lines[0]["specimen"] == "a" && lines[0]["error"].is_string(), "{lines:?}");
    assert!(lines[1]["specimen"] == "b" && lines[1]["differences"] == json!([]), "{lines:?}");
}

#[test]
fn lines_that_a_full_log_lost_are_counted_in_what_a_person_reads() {
    let directory = tempfile::tempdir().unwrap();
    let rule = directory.path().join("rule.wasm").display().to_string();
    let write = "(call $log (i32.const 1) (i32.const 256) (i32.const 4))";
    let talks = format!(
        r#"(import "refiner:rule/log" "write" (func $log (param i32 i32 i32))) (data (i32.const 256) "line")
        (func (export "refiner:rule/rule#refine") (param i32) (result i32)
            {write} {write} {write} (call $ok (local.get 0) (i64.const 0)))"#
    );
    fs::write(&rule, crate::component::component(&talks)).unwrap();
    let specimen = samples().remove(4).display().to_string();
    let run = |lines: &str| refiner(&["rule", "run", &rule, &specimen, "--limit", lines]).expect(0).text();
    let shown = run("log_lines=1");
    assert!(shown.contains("log info  line\n\n… and 2 more lines were lost or cut short\n"), "{shown}");
    assert!(!run("log_lines=3").contains("more line"));
}
