//! Sources against real servers on this machine.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod server;

use std::{fs, path::Path, time::Duration};

use refiner_content::content_id;
use refiner_sources::{Component, HttpLimits, Lock, Locked, Resolver, RuleSource, Settings, Sha256, SourceError};

use crate::server::{Server, layer};

const RULE: &[u8] = b"the bytes of a rule";
const OTHER: &[u8] = b"the bytes of another";
const LIMIT_BYTES: usize = 4096;

/// Bounds that a test can wait for.
fn settings() -> Settings {
    let http = HttpLimits {
        idle: Duration::from_millis(300),
        deadline: Duration::from_secs(10),
        body_bytes: LIMIT_BYTES,
        redirects: 2,
        ..HttpLimits::default()
    };
    Settings { http, ..Settings::default() }
}

fn resolver(settings: Settings) -> Resolver {
    Resolver::new(settings, Lock::default(), false)
}

fn under(lock: &Lock, locked_only: bool) -> Resolver {
    Resolver::new(settings(), lock.clone(), locked_only)
}

fn source(text: &str) -> RuleSource {
    text.parse().unwrap()
}

fn cached_in(directory: &Path) -> Settings {
    Settings { cache: Some(directory.to_owned()), ..settings() }
}

fn lock_of(source_text: &str) -> Lock {
    let mut lock = Lock::default();
    lock.set(resolver(settings()).look_up(&source(source_text)).unwrap().locked);
    lock
}

/// The error, which must contain each of these.
#[track_caller]
fn refused(result: Result<Component, SourceError>, said: &[&str]) {
    let error = result.expect_err("it is refused");
    let mut text = error.to_string();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        text = format!("{text}: {next}");
        cause = next;
    }
    for part in said {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn pinned_url_gives_its_bytes_and_the_next_time_without_the_server() {
    let server = Server::start();
    server.put("rule.wasm", RULE);
    let cache = tempfile::tempdir().unwrap();
    let pinned = source(&format!("{}#sha256={}", server.url("rule.wasm"), Sha256::of(RULE)));
    for _ in 0..2 {
        let component = resolver(cached_in(cache.path())).resolve(&pinned).unwrap();
        assert_eq!(component.bytes, RULE);
        assert_eq!(component.locked.resolved, pinned.to_string());
    }
    assert_eq!(server.requests(), 1);
    let kept = fs::read_dir(cache.path()).unwrap().next().unwrap().unwrap().path();
    fs::write(kept, OTHER).unwrap();
    assert_eq!(resolver(cached_in(cache.path())).resolve(&pinned).unwrap().bytes, RULE);
    assert_eq!(server.requests(), 2, "a damaged file is fetched again");
}

#[test]
fn unpinned_source_is_refused_with_the_argument_that_works() {
    let server = Server::start();
    server.put("rule.wasm", RULE);
    server.publish(RULE);
    for text in [server.url("rule.wasm"), server.reference()] {
        match resolver(settings()).resolve(&source(&text)) {
            Err(SourceError::Unpinned { unpinned, found, pinned }) => {
                assert_eq!((unpinned, found), (text, Sha256::of(RULE)));
                assert_eq!(resolver(settings()).resolve(&source(&pinned)).unwrap().bytes, RULE, "{pinned}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn url_with_other_bytes_than_pinned_is_refused_with_both_digests() {
    let server = Server::start();
    server.put("rule.wasm", OTHER);
    let (pinned, found) = (Sha256::of(RULE).to_string(), Sha256::of(OTHER).to_string());
    let source = source(&format!("{}#sha256={pinned}", server.url("rule.wasm")));
    refused(resolver(settings()).resolve(&source), &[&pinned, &found]);
    refused(resolver(settings()).look_up(&source), &[&pinned, &found]);
}

#[test]
fn download_is_bounded_in_bytes_time_and_redirects() {
    let server = Server::start();
    server.put("full.wasm", &[7; LIMIT_BYTES]);
    server.put("large.wasm", &[7; LIMIT_BYTES + 1]);
    server.put("rule.wasm", RULE);
    let get = |path: &str| resolver(settings()).look_up(&source(&server.url(path)));
    assert_eq!(get("full.wasm").unwrap().bytes.len(), LIMIT_BYTES);
    refused(get("large.wasm"), &["more than 4096 bytes"]);
    refused(get("stalls.wasm"), &["silent for 300 ms"]);
    refused(get("missing.wasm"), &["does not have the content"]);
    assert_eq!(get("moved.wasm").unwrap().bytes, RULE);
    refused(get("circles.wasm"), &["more than 2 redirects"]);
}

#[test]
fn lock_pins_what_the_argument_does_not() {
    let server = Server::start();
    server.put("rule.wasm", RULE);
    let url = server.url("rule.wasm");
    let lock = lock_of(&url);
    assert_eq!(under(&lock, true).resolve(&source(&url)).unwrap().bytes, RULE);
    server.put("rule.wasm", OTHER);
    let (locked, found) = (Sha256::of(RULE).to_string(), Sha256::of(OTHER).to_string());
    refused(under(&lock, false).resolve(&source(&url)), &[&locked, &found]);
    refused(under(&lock, false).resolve(&source(&format!("{url}#sha256={found}"))), &["in the lock", &locked, &found]);
}

#[test]
fn with_locked_only_nothing_else_is_used_and_nothing_is_asked() {
    let server = Server::start();
    server.put("rule.wasm", RULE);
    let pinned = source(&format!("{}#sha256={}", server.url("rule.wasm"), Sha256::of(RULE)));
    refused(under(&Lock::default(), true).resolve(&pinned), &["not in the lock"]);
    assert_eq!(server.requests(), 0);
}

#[test]
fn registry_gives_the_one_wasm_layer_by_tag_in_the_lock_or_by_digest() {
    let server = Server::start();
    let digest = server.publish(RULE);
    let tag = server.reference();
    let pinned = format!("{tag}@{digest}");
    assert_eq!(resolver(settings()).resolve(&source(&pinned)).unwrap().bytes, RULE);
    let lock = lock_of(&tag);
    assert_eq!(lock.get(&tag).unwrap().resolved, pinned);
    let moved_to = server.publish(OTHER);
    assert_eq!(under(&lock, true).resolve(&source(&tag)).unwrap().bytes, RULE, "a tag that moved moves nobody");
    refused(under(&lock, false).resolve(&source(&format!("{tag}@{moved_to}"))), &["in the lock", &digest, &moved_to]);
}

#[test]
fn registry_that_lies_or_holds_something_else_is_refused() {
    let server = Server::start();
    let get = |digest: &str| resolver(settings()).resolve(&source(&format!("{}@{digest}", server.reference())));
    let digest = server.publish(RULE);
    server.put_blob(RULE, &vec![7; RULE.len()]);
    refused(get(&digest), &["igest"]);
    server.put_blob(RULE, RULE);
    server.forge_manifest(&digest, b"{\"schemaVersion\": 2}");
    refused(get(&digest), &["igest"]);

    refused(get(&server.put_manifest(&[])), &["0 layers"]);
    refused(get(&server.put_manifest(&[layer("text/plain", RULE)])), &["0 layers"]);
    let two = [layer("application/wasm", RULE), layer("application/wasm", OTHER)];
    refused(get(&server.put_manifest(&two)), &["2 layers"]);
    refused(get(&server.publish(&[7; LIMIT_BYTES + 1])), &["more than 4096 bytes"]);
    assert_eq!(get(&server.publish(&[7; LIMIT_BYTES])).unwrap().bytes.len(), LIMIT_BYTES);

    for stated in [1, RULE.len() - 1] {
        let mut short = layer("application/wasm", RULE);
        short["size"] = stated.into();
        refused(
            get(&server.put_manifest(&[short])),
            &[&format!("longer than the {stated} bytes that its manifest states")],
        );
    }
    refused(get(&format!("sha256:{}", Sha256::of(b"nothing"))), &["oci://"]);
}

#[test]
fn endless_manifests_and_tokens_are_read_up_to_a_bound() {
    let before = peak_kib();
    let server = Server::start();
    let get = |path: &str| {
        let registry = server.gateway().replace("http://", "oci://");
        resolver(settings()).look_up(&source(&format!("{registry}/{path}:1.0.0")))
    };
    refused(get("endless/manifest"), &["more than 4194304 bytes"]);
    refused(get("endless/token"), &["more than 65536 bytes"]);
    let grown = peak_kib() - before;
    assert!(grown < 64 << 10, "{grown} KiB");
    // A layer of a stated length whose bytes do not end.
    let digest = server.put_manifest(&[layer("application/wasm", RULE)]);
    server.make_endless(RULE);
    let endless = resolver(settings()).resolve(&source(&format!("{}@{digest}", server.reference())));
    refused(endless, &[&format!("longer than the {} bytes", RULE.len())]);
    // Some 50,000 manifests in an index.
    let entry = br#"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:00","size":1},"#;
    let index = [br#"{"schemaVersion":2,"manifests":["#.as_slice(), &entry.repeat(50_000), b"{}]}"].concat();
    server.put("v2/test/rule/manifests/1.0.0", &index);
    let before_index = peak_kib();
    refused(resolver(settings()).look_up(&source(&server.reference())), &["more than 4194304 bytes"]);
    // The double copies it for its answer.
    assert!(peak_kib() - before_index < (64 << 10) + (index.len() as u64 >> 10), "{} KiB", peak_kib() - before_index);
}

#[test]
fn registry_that_wants_a_token_gets_an_anonymous_one() {
    let server = Server::start();
    server.publish(RULE);
    let registry = server.gateway().replace("http://", "oci://");
    let get = |path: &str| resolver(settings()).look_up(&source(&format!("{registry}/{path}:1.0.0")));
    assert_eq!(get("guarded/rule").unwrap().bytes, RULE);
    refused(get("closed/rule"), &["no anonymous access"]);
}

#[test]
fn index_of_manifests_is_not_followed() {
    let server = Server::start();
    let index = br#"{ "schemaVersion": 2, "manifests": [] }"#;
    server.put("v2/test/rule/manifests/1.0.0", index);
    refused(resolver(settings()).look_up(&source(&server.reference())), &["an index is not followed"]);
}

/// The most memory that this process ever had.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}

#[test]
fn content_id_is_its_own_pin_and_a_gateway_cannot_lie() {
    let server = Server::start();
    let id = content_id(RULE);
    let cache = tempfile::tempdir().unwrap();
    let settings = || Settings { gateways: vec![server.gateway()], ..cached_in(cache.path()) };
    let source = source(&format!("ipfs://{id}"));
    server.put(&format!("ipfs/{id}"), OTHER);
    refused(resolver(settings()).resolve(&source), &[&id.to_string()]);
    server.put(&format!("ipfs/{id}"), RULE);
    assert_eq!(resolver(settings()).resolve(&source).unwrap().bytes, RULE);
    let asked = server.requests();
    assert_eq!(resolver(settings()).resolve(&source).unwrap().bytes, RULE);
    assert_eq!(server.requests(), asked, "it is in the cache");
}

#[test]
fn file_is_taken_with_the_manifest_beside_it_and_the_lock_holds_both() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rule.wasm");
    let text = path.display().to_string();
    fs::write(&path, RULE).unwrap();
    assert_eq!(resolver(settings()).resolve(&source(&text)).unwrap().beside, None);
    fs::write(path.with_extension("toml"), "name = 1").unwrap();
    assert_eq!(resolver(settings()).resolve(&source(&text)).unwrap().beside.as_deref(), Some("name = 1"));

    let lock = lock_of(&text);
    let Locked { sha256, manifest_sha256, bytes, .. } = lock.get(&text).unwrap();
    assert_eq!((*sha256, *manifest_sha256), (Sha256::of(RULE), Some(Sha256::of(b"name = 1"))));
    assert_eq!(*bytes, RULE.len() as u64);
    under(&lock, true).resolve(&source(&text)).unwrap();
    fs::write(path.with_extension("toml"), "name = 2").unwrap();
    refused(under(&lock, true).resolve(&source(&text)), &["manifest beside", &Sha256::of(b"name = 2").to_string()]);
    fs::remove_file(path.with_extension("toml")).unwrap();
    refused(under(&lock, true).resolve(&source(&text)), &["is none"]);
    fs::write(&path, OTHER).unwrap();
    refused(
        under(&lock, true).resolve(&source(&text)),
        &[&Sha256::of(RULE).to_string(), &Sha256::of(OTHER).to_string()],
    );
    fs::remove_file(&path).unwrap();
    refused(resolver(settings()).resolve(&source(&text)), &["rule.wasm"]);
}
