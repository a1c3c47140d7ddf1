//! Components that cost a compiler too much, and code that is kept on disk.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::{
    fmt::Write,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    time::{Duration, Instant},
};

use alloy_primitives::Bytes;
use refiner_diagnostics::{Diagnostic as _, ExitCode};
use refiner_rule_model::{Capability, Grants, Limit, Limits};
use refiner_worker::{COMPILE_ARGUMENT, CacheError, CodeCache, CompileError, CompileLimits, Compiler};
use support::{COPY, child, compiler, component, job, pool, specimen};

/// Limits that a test can wait for. They are the same kind of limit as the real ones.
const TIGHT: CompileLimits = CompileLimits { memory_bytes: 512 << 20, cpu_seconds: 1, wall_ms: 2_000 };

/// A component that wraps a module of these fields and exports nothing.
fn bare(fields: &str) -> Bytes {
    wat::parse_str(format!("(component (core module {fields}))")).unwrap().into()
}

/// A rule with this many more functions, each of this many additions.
fn functions(count: usize, additions: usize) -> Bytes {
    let body = "(i32.const 1) i32.add ".repeat(additions);
    let mut fields = String::from(COPY);
    for number in 0..count {
        write!(fields, "(func $f{number} (param i32) (result i32) local.get 0 {body})").unwrap();
        write!(fields, "(export \"f{number}\" (func $f{number}))").unwrap();
    }
    component(&fields)
}

/// A rule with a function that hands as many values as a block may take through this many loops.
fn loops(count: usize) -> Bytes {
    let (values, constants) = (" i64".repeat(1_000), "(i64.const 1)".repeat(1_000));
    let (loops, drops) = ("loop (type $wide) end ".repeat(count), "drop ".repeat(999));
    component(&format!(
        "(type $wide (func (param{values}) (result{values})))\n{COPY}\n\
         (func (export \"large\") (result i64) {constants} {loops} {drops})"
    ))
}

/// Components within each other, deeper than the scan lets pass.
fn nested(depth: usize) -> Bytes {
    let text = format!("{}{}", "(component ".repeat(depth), ")".repeat(depth));
    wat::parse_str(text).unwrap().into()
}

fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    kib.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn generous() -> Grants {
    Grants { limits: Limits::default().with(Limit::ComponentBytes, 32 << 20).unwrap(), ..Grants::all() }
}

#[test]
fn compile_bombs_end_in_time_and_leave_the_coordinators_memory_alone() {
    let refusals = [
        ("nesting", nested(7), "levels of nesting"),
        ("functions", functions(50_001, 0), "functions"),
        ("locals", bare(&format!("(func (local{}))", " i64".repeat(50_001))), "locals of one function"),
    ];
    let compiler = compiler().with_limits(TIGHT);
    for (bomb, component, words) in refusals {
        let error = compiler.compile(component, None, &generous()).unwrap_err();
        assert!(
            matches!(&error, CompileError::Refused { reason, .. } if reason.as_str().contains(words)),
            "{bomb}: {error:?}"
        );
    }
    for (bomb, component) in [("many functions", functions(20_000, 40)), ("many values", loops(40_000))] {
        let (begun, before) = (Instant::now(), peak_bytes());
        let error = compiler.compile(component, None, &generous()).unwrap_err();
        let took = begun.elapsed();
        println!("{bomb}: {error} after {took:?}");
        assert!(
            matches!(error, CompileError::OutOfTime { .. } | CompileError::OutOfMemory { .. }),
            "{bomb}: {error:?}"
        );
        assert!(took < Duration::from_millis(TIGHT.wall_ms + 1_000), "{bomb} took {took:?}");
        let grown = peak_bytes().saturating_sub(before);
        assert!(grown < 16 << 20, "{bomb} moved memory by {grown} bytes");
    }
    compiler.compile(component(COPY), None, &Grants::all()).unwrap();
}

#[test]
fn compiler_without_enough_memory_says_so() {
    let allowed_bytes = 256 << 20;
    let limits = CompileLimits { memory_bytes: allowed_bytes, ..CompileLimits::default() };
    let compiler = compiler().with_limits(limits);
    compiler.compile(component(COPY), None, &generous()).unwrap();
    let error = compiler.compile(loops(40_000), None, &generous()).unwrap_err();
    assert!(matches!(error, CompileError::OutOfMemory { allowed_bytes: found } if found == allowed_bytes), "{error:?}");
}

#[test]
fn compiler_that_the_system_kills_is_a_failure_of_the_host_and_no_fault_of_the_rule() {
    let error = compiler().with_command(child("hostile:killed")).compile(component(COPY), None, &Grants::all());
    let error = error.unwrap_err();
    assert!(matches!(error, CompileError::Killed { signal: 9 }), "{error:?}");
    assert_eq!(error.exit_code(), ExitCode::Host);
    assert!(error.hint().unwrap().contains("the kernel's log"), "{error:?}");
}

#[test]
fn refusal_says_what_was_found_and_what_is_allowed() {
    let error = compiler().compile(Bytes::from_static(b"\0asm\x01\0\0\0"), None, &Grants::all()).unwrap_err();
    assert_eq!(error.to_string(), "refused: found a core module, and only a WebAssembly component is a rule");
}

#[test]
fn rule_that_asks_for_more_than_its_ceiling_or_for_what_is_denied_is_refused_also_where_its_code_is_kept() {
    let (compiler, cache_only, _directory) = cached();
    let (fuel, pool) = (9_000_000_000, pool(1));
    let with = |capabilities: &[Capability], ceiling| Grants {
        capabilities: capabilities.iter().copied().collect(),
        limits: Limits::caps().with(Limit::Fuel, ceiling).unwrap(),
    };
    let asks = component::with_manifest(
        &component::bare_component(&component::module_of_fields(EXECUTES)),
        &(component::manifest(EXECUTES) + &format!("[limits]\nfuel = {fuel}\n")),
    );
    let asks = Bytes::from(asks);
    let refused = |compiler: &Compiler, grants: &Grants, words: &str| {
        let error = compiler.compile(asks.clone(), None, grants).unwrap_err();
        assert!(matches!(error, CompileError::Refused { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    };
    let over = "9000000000 asked for as fuel, and the ceiling is 8999999999";
    let denied = "needs the capability 'evm', which was not granted";
    refused(&compiler, &with(&Capability::ALL, fuel - 1), over);
    refused(&compiler, &with(&[Capability::Wasi], fuel), denied);
    let compiled = compiler.compile(asks.clone(), None, &with(&Capability::ALL, fuel)).unwrap();
    assert_eq!(compiled.default_limits().get(Limit::Fuel), fuel);
    pool.admit(&compiled, compiled.default_limits()).unwrap();
    cache_only.compile(asks.clone(), None, &with(&Capability::ALL, fuel)).unwrap();
    refused(&cache_only, &with(&Capability::ALL, fuel - 1), over);
    refused(&cache_only, &with(&[Capability::Wasi], fuel), denied);
}

/// Has the block executed.
const EXECUTES: &str = r#"
(import "refiner:rule/evm" "execute" (func $execute (param i32 i32 i32 i32)))
(data (i32.const 256) "canonical")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (call $execute (local.get 0) (i32.const 256) (i32.const 9) (i32.const 512))
  (call $ok (local.get 0) (i64.const 1)))"#;

/// A compiler with a cache in a new directory, one that cannot compile and only has the cache, and the directory.
fn cached() -> (Compiler, Compiler, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("code");
    let with_child = |argument| Compiler::new(Some(CodeCache::open(&path).unwrap())).with_command(child(argument));
    (with_child(COMPILE_ARGUMENT), with_child("hostile:compiles-nothing"), directory)
}

fn only_file(directory: &tempfile::TempDir) -> PathBuf {
    let mut files: Vec<_> =
        fs::read_dir(directory.path().join("code")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn compiled_code_is_found_again_and_runs() {
    let (compiler, cache_only, directory) = cached();
    assert!(matches!(cache_only.compile(component(COPY), None, &Grants::all()), Err(CompileError::Died { .. })));
    compiler.compile(component(COPY), None, &Grants::all()).unwrap();
    assert_eq!(only_file(&directory).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let found = std::sync::Arc::new(cache_only.compile(component(COPY), None, &Grants::all()).unwrap());
    assert_eq!(pool(1).run(&job(&found, &specimen(1))).unwrap().run.verdict.kind(), "produced");
}

#[test]
fn compiled_code_that_is_not_what_was_written_is_not_loaded() {
    type Damage = fn(&PathBuf);
    let damages: [(&str, Damage); 6] = [
        ("a flipped bit", |path| {
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        ("another hash", |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[8] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        ("another format", |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[7] = b'2';
            fs::write(path, bytes).unwrap();
        }),
        ("a cut", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..39]).unwrap();
        }),
        ("access for others", |path| fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap()),
        ("a link", |path| {
            let elsewhere = path.with_extension("elsewhere");
            fs::rename(path, &elsewhere).unwrap();
            symlink(&elsewhere, path).unwrap();
        }),
    ];
    for (what, damage) in damages {
        let (compiler, cache_only, directory) = cached();
        compiler.compile(component(COPY), None, &Grants::all()).unwrap();
        cache_only.compile(component(COPY), None, &Grants::all()).unwrap();
        damage(&only_file(&directory));
        assert!(cache_only.compile(component(COPY), None, &Grants::all()).is_err(), "{what}");
        compiler.compile(component(COPY), None, &Grants::all()).unwrap();
        cache_only.compile(component(COPY), None, &Grants::all()).unwrap();
    }
}

#[test]
fn cache_is_a_directory_of_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    CodeCache::open(path("new")).unwrap();
    assert_eq!(fs::metadata(path("new")).unwrap().permissions().mode() & 0o777, 0o700);
    CodeCache::open(path("new")).unwrap();

    symlink(path("new"), path("link")).unwrap();
    assert!(matches!(CodeCache::open(path("link")), Err(CacheError::NotADirectory { .. })));
    fs::write(path("file"), "").unwrap();
    assert!(matches!(CodeCache::open(path("file")), Err(CacheError::NotADirectory { .. })));
    for mode in [0o710, 0o701, 0o770, 0o755] {
        fs::set_permissions(path("new"), fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(CodeCache::open(path("new")), Err(CacheError::Mode { mode: found, .. }) if found == mode));
    }
    assert!(matches!(CodeCache::open(path("not/there")), Err(CacheError::Io { .. })));
}
