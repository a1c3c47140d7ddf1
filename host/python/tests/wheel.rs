//! The package as a user has it: the wheel, installed with pip into a fresh environment, and read by DuckDB, Polars and pandas.
//!
//! `cargo xtask readers` installs these for `target/readers`; without them the tests print a line and pass.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use refiner_hostile::component;
use refiner_testkit::renumber::{FIRST_HEIGHT, write_renumbered};
use refiner_wheel::{Compression, of_repository};

/// Blocks that a replay takes many seconds for.
const MANY: u64 = 1_500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The extension, which cargo has built beside this test.
fn extension() -> PathBuf {
    env::current_exe().unwrap().with_file_name("librefiner_python.so")
}

/// A fresh environment with the wheel, which finds the readers too; `None`, and a line, where there are none.
struct Installed {
    folder: tempfile::TempDir,
}

impl Installed {
    fn new() -> Option<Self> {
        let readers = root().join("target/readers");
        if !readers.join("ready").is_file() {
            let reason = fs::read_to_string(readers.join("skipped"));
            println!("skipped: {}", reason.unwrap_or_else(|_| "`cargo xtask readers` has not run".to_owned()));
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let wheel = of_repository(&root(), env!("CARGO_PKG_VERSION"), &extension()).unwrap();
        let path = folder.path().join(wheel.file_name());
        fs::write(&path, wheel.to_bytes(Compression::Stored).unwrap()).unwrap();
        let installed = Self { folder };
        let python = readers.join("bin/python");
        run(Command::new(&python).args(["-m", "venv", "--without-pip"]).arg(installed.environment()));
        let pip = ["-m", "pip", "--disable-pip-version-check", "--quiet", "--python"];
        let offline = ["install", "--no-index", "--no-compile"];
        run(Command::new(&python).args(pip).arg(installed.python()).args(offline).arg(&path));
        fs::remove_file(path).unwrap();
        let packages = "import sysconfig; print(sysconfig.get_paths()['purelib'])";
        let packages = |python: &Path| run(Command::new(python).args(["-c", packages])).trim().to_owned();
        fs::write(Path::new(&packages(&installed.python())).join("readers.pth"), packages(&python)).unwrap();
        Some(installed)
    }

    fn environment(&self) -> PathBuf {
        self.folder.path().join("environment")
    }

    fn python(&self) -> PathBuf {
        self.environment().join("bin/python")
    }

    /// Runs a function of `package.py` with arguments.
    fn check(&self, name: &str, arguments: &[&Path]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/package.py");
        let mut command = Command::new(self.python());
        command.args(["-B", "-W", "error"]).arg(script).arg(name).args(arguments);
        let cache = self.folder.path().join("cache");
        run(command.env("XDG_CACHE_HOME", cache).env_remove("REFINER_CACHE").current_dir(self.folder.path()));
    }
}

/// What a command that succeeds prints.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out.into_owned()
}

#[test]
fn wheel_in_a_fresh_environment_gives_duckdb_polars_and_pandas_every_row_without_a_copy() {
    let Some(installed) = Installed::new() else { return };
    let (samples, rules) = (root().join("tests/samples"), root().join("rules"));
    for check in [
        "rows_are_those_of_the_rule",
        "arrays_are_shared",
        "several_tables",
        "streams",
        "contents",
        "runs_and_warnings",
    ] {
        installed.check(check, &[&samples, &rules]);
    }
    installed.check("errors_have_classes", &[&samples]);
    installed.check("wrong_arguments", &[&samples]);
    installed.check("stubs_agree", &[]);
    installed.check("notebook", &[&root().join("docs/examples")]);
}

#[test]
fn rule_that_is_not_built_in_is_compiled_and_run_in_confined_children_of_the_interpreter() {
    let Some(installed) = Installed::new() else { return };
    let rule = root().join("target/rules/transaction-summary.wasm");
    installed.check("foreign_rules", &[&root().join("tests/samples"), &rule]);
    installed.check("other_programs", &[&root().join("tests/samples"), &rule]);
}

/// A rule of this name with two outputs that it writes no rows of.
fn without_rows(name: &str, outputs: [&str; 2]) -> Vec<u8> {
    let output = |name| format!(";; output: {name} application/x-ndjson\n;; column: {name} number u8\n");
    let refine =
        r#"(func (export "refiner:rule/rule#refine") (param i32) (result i32) (call $ok (local.get 0) (i64.const 0)))"#;
    let module = component::module_of_fields(&(outputs.map(output).concat() + refine));
    let named = |text: &str| text.replace("\"case", &format!("\"{name}"));
    component::with_manifest(&component::bare_component(&named(&module)), &named(&component::manifest(&module)))
}

#[test]
fn tables_whose_names_differ_in_other_characters_than_sql_takes_are_all_there() {
    let Some(installed) = Installed::new() else { return };
    let rules = tempfile::tempdir().unwrap();
    for (name, outputs) in [("a--b", ["rows.ndjson", "1st.ndjson"]), ("a_-b", ["rows.ndjson", "select.ndjson"])] {
        fs::write(rules.path().join(name).with_extension("wasm"), without_rows(name, outputs)).unwrap();
    }
    installed.check("alike_tables", &[&root().join("tests/samples"), rules.path()]);
}

#[test]
fn replay_in_a_process_that_was_forked_after_one_is_an_error_and_waits_for_nothing() {
    let Some(installed) = Installed::new() else { return };
    installed.check("forks", &[&root().join("tests/samples")]);
}

#[test]
fn interrupt_ends_a_replay_within_a_second_and_other_threads_go_on_meanwhile() {
    let Some(installed) = Installed::new() else { return };
    let specimens: Vec<_> =
        refiner_testkit::samples().unwrap().iter().map(|file| refiner_specimen::decode(&file.bytes).unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    write_renumbered(&specimens, FIRST_HEIGHT, MANY, folder.path()).unwrap();
    installed.check("interrupts", &[folder.path()]);
}
