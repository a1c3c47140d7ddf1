//! Sources against real servers on this machine.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod server;

use std::{fs, path::Path, time::Duration};

use refiner_content::content_id;
use refiner_diagnostics::{Diagnostic as _, Hint};
use refiner_sources::{
    Component, CredentialFiles, HttpLimits, Lock, Locked, Resolver, RuleSource, Settings, Sha256, SourceError,
};

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
    assert_eq!(lock.get(&source(&tag)).unwrap().resolved, pinned);
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
    refused(
        get(&server.put_manifest(&[layer("text/plain", RULE)])),
        &["1 layer (text/plain)", "application/wasm (or application/vnd.wasm.content.layer.v1+wasm)"],
    );
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
    refused(
        get("endless/token"),
        &["the token service “http://127.0.0.1", "/endless-token” answered with more than 65536 bytes"],
    );
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
fn refusal_of_a_token_service_is_named_as_its_own() {
    let server = Server::start();
    let registry = server.gateway().replace("http://", "oci://");
    let busy = resolver(settings()).look_up(&source(&format!("{registry}/busy/token:1.0.0")));
    refused(busy, &["the token service “http://127.0.0.1", "/busy-token” answered 429: ", "too many logins"]);
}

#[test]
fn registry_that_wants_a_token_gets_an_anonymous_one() {
    let server = Server::start();
    server.publish(RULE);
    let registry = server.gateway().replace("http://", "oci://");
    let get = |path: &str| resolver(settings()).look_up(&source(&format!("{registry}/{path}:1.0.0")));
    assert_eq!(get("guarded/rule").unwrap().bytes, RULE);
    refused(get("closed/rule"), &["answered 401 without the header WWW-Authenticate"]);
}

#[test]
fn login_that_was_not_sent_is_not_called_refused() {
    let server = Server::start();
    let directory = tempfile::tempdir().unwrap();
    let asks = |way: &str, entry: &str| {
        let registry = server.gateway().replace("http://", "oci://");
        logged_in(&server, directory.path(), entry).look_up(&source(&format!("{registry}/asks/{way}:1.0.0")))
    };
    // `name:canary` in base64.
    let password = r#"{"auth": "bmFtZTpjYW5hcnk="}"#;
    for (way, said) in [
        (
            "openly",
            "the registry sends logins to “http://token.example/token?…”, which would show the password; only https is used",
        ),
        ("without-realm", "asks for a token and names no address that gives one"),
        ("by-negotiate", "asks for a login by “Negotiate, NTLM”, and Basic and Bearer are known"),
        ("without-a-challenge", "answered 401 without the header WWW-Authenticate"),
    ] {
        let error = asks(way, password).unwrap_err();
        let hint = error.hint().unwrap();
        assert!(hint.starts_with("no login was sent") && !format!("{error:?}").contains("canary"), "{error:?}");
        refused(Err(error), &[said]);
    }
    refused(
        asks("for-a-password", r#"{"identitytoken": "canary"}"#),
        &["asks for a user name and a password", "is a token"],
    );
    refused(asks("for-a-password", password), &["does not accept the login"]);
    refused(asks("for-an-empty-token", password), &["/empty-token” answered 200 without a token"]);
}

#[test]
fn refusal_without_a_reason_is_given_the_name_of_its_status() {
    let server = Server::start();
    let registry = server.gateway().replace("http://", "oci://");
    let busy = resolver(settings()).look_up(&source(&format!("{registry}/asks/for-patience:1.0.0")));
    refused(busy, &["the registry answered 429 (Too Many Requests)"]);
}

#[test]
fn registry_of_this_machine_that_expects_tls_is_told_from_others_by_a_hint() {
    let server = Server::start();
    let registry = server.gateway().replace("http://", "oci://");
    let hint = |source_text: &str| resolver(settings()).look_up(&source(source_text)).unwrap_err().hint();
    let without_tls = |hint: Option<Hint>| {
        hint.is_some_and(|hint| hint.starts_with("a registry on this machine is asked without TLS"))
    };
    assert!(without_tls(hint(&format!("{registry}/asks/for-tls:1.0.0"))));
    assert!(!without_tls(hint(&format!("{registry}/asks/for-patience:1.0.0"))));
    // What ends the connection at the first byte that is not TLS.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    assert!(without_tls(hint(&format!("oci://{address}/rule:1.0.0"))));
}

#[test]
fn index_of_manifests_is_not_followed_and_what_it_lists_is_named() {
    let server = Server::start();
    let look = || resolver(settings()).look_up(&source(&server.reference()));
    server.put("v2/test/rule/manifests/1.0.0", br#"{ "schemaVersion": 2, "manifests": [] }"#);
    refused(look(), &["is an index of several artifacts", "it lists none"]);
    let entry = r#"{"digest": "sha256:ab", "size": 1, "platform": {"os": "wasip1", "architecture": "wasm"}}"#;
    let index = format!(r#"{{"schemaVersion": 2, "manifests": [{}]}}"#, [entry; 9].join(","));
    server.put("v2/test/rule/manifests/1.0.0", index.as_bytes());
    refused(look(), &["sha256:ab wasip1/wasm, ", " and 1 more"]);
    let hint = look().unwrap_err().hint().unwrap();
    assert!(hint.contains(&format!("{}@sha256:…", server.reference())), "{hint}");
}

/// A component without a manifest, and its manifest.
const BARE: &[u8] = b"\0asm\x0d\0\x01\0";
const MANIFEST: &[u8] = b"name = \"bare\"";

#[test]
fn manifest_beside_a_component_on_the_web_is_found_and_has_a_pin_of_its_own() {
    let server = Server::start();
    server.put("bare.wasm", BARE);
    let url = source(&server.url("bare.wasm"));
    assert_eq!(resolver(settings()).look_up(&url).unwrap().beside, None);
    server.put("bare.toml", MANIFEST);
    let component = resolver(settings()).look_up(&url).unwrap();
    assert_eq!(component.beside.as_deref().map(str::as_bytes), Some(MANIFEST));
    let pins = format!("#sha256={}&manifest={}", Sha256::of(BARE), Sha256::of(MANIFEST));
    assert_eq!(component.locked.resolved, format!("{}{pins}", server.url("bare.wasm")));

    let pinned = source(&component.locked.resolved);
    assert_eq!(resolver(settings()).resolve(&pinned).unwrap(), component);
    let half = source(&format!("{}#sha256={}", server.url("bare.wasm"), Sha256::of(BARE)));
    match resolver(settings()).resolve(&half) {
        Err(SourceError::Unpinned { pinned, .. }) => assert_eq!(pinned, component.locked.resolved),
        other => panic!("{other:?}"),
    }
    let lock = lock_of(&server.url("bare.wasm"));
    assert_eq!(under(&lock, true).resolve(&url).unwrap().beside, component.beside);
    server.put("bare.toml", b"name = \"other\"");
    refused(under(&lock, true).resolve(&url), &[&Sha256::of(MANIFEST).to_string()]);
    refused(resolver(settings()).resolve(&pinned), &[&Sha256::of(MANIFEST).to_string()]);
    server.put("bare.toml", b"licence = \"caf\xe9\"");
    refused(
        resolver(settings()).look_up(&url),
        &["the manifest beside http://127.0.0.1", "line 1 is not UTF-8 (byte 0xe9)"],
    );
}

#[test]
fn page_in_place_of_a_manifest_is_none_and_with_a_pin_is_named_by_its_own_address() {
    const PAGE: &[u8] = b"<!doctype html><title>the one page of this host</title>";
    let server = Server::start();
    server.put("bare.wasm", BARE);
    server.put("bare.toml", PAGE);
    let (url, manifest) = (server.url("bare.wasm"), server.url("bare.toml"));
    let component = resolver(settings()).look_up(&source(&url)).unwrap();
    assert_eq!((component.beside, component.locked.manifest_sha256), (None, None));
    // Longer than any manifest is.
    let roomy = || {
        let http = HttpLimits { body_bytes: 4 << 20, ..settings().http };
        resolver(Settings { http, ..settings() }).look_up(&source(&url))
    };
    server.put("bare.toml", &[PAGE, &[b' '; 40 << 10]].concat());
    assert_eq!(roomy().unwrap().beside, None);
    server.put("bare.toml", &[b' '; 40 << 10]);
    refused(roomy(), &[&format!("{manifest} has more than 32768 bytes")]);
    server.put("bare.toml", PAGE);
    let pins = format!("#sha256={}&manifest={}", Sha256::of(BARE), Sha256::of(MANIFEST));
    let named = format!("{manifest} is an HTML page, expected the manifest of a rule");
    refused(resolver(settings()).resolve(&source(&format!("{url}{pins}"))), &[&named]);
    server.put("bare.toml", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n");
    refused(resolver(settings()).look_up(&source(&url)), &[&format!("{manifest} is a Git LFS pointer")]);
    server.put("bare.toml", b"name = \"other\"");
    let other = Sha256::of(b"name = \"other\"");
    refused(
        resolver(settings()).resolve(&source(&format!("{url}{pins}"))),
        &[&format!("the manifest beside {url} is {other}, and {} was agreed on", Sha256::of(MANIFEST))],
    );
}

#[test]
fn page_in_place_of_a_registrys_answer_is_named_before_its_digest_and_length() {
    let page = [b"<!DOCTYPE html>".as_slice(), &[b' '; 400]].concat();
    let server = Server::start();
    let layer_named = format!("answer is an HTML page, expected the layer sha256:{}", Sha256::of(RULE));
    let digest = server.publish(RULE);
    let pinned = source(&format!("{}@{digest}", server.reference()));
    server.put_blob(RULE, &page);
    refused(resolver(settings()).resolve(&pinned), &[&layer_named]);
    let mut long = layer("application/wasm", RULE);
    long["size"] = LIMIT_BYTES.into();
    let digest = server.put_manifest(&[long]);
    refused(resolver(settings()).resolve(&source(&format!("{}@{digest}", server.reference()))), &[&layer_named]);
    server.put("v2/test/rule/manifests/1.0.0", &page);
    let error = resolver(settings()).look_up(&source(&server.reference())).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("the registry's answer is an HTML page, expected the artifact's manifest"), "{text}");
    assert!(error.hint().unwrap().contains("web page"));
}

#[test]
fn text_of_a_registry_is_shown_from_its_start_and_never_whole() {
    let server = Server::start();
    let look = || resolver(settings()).look_up(&source(&server.reference())).unwrap_err().to_string();
    let long = "7".repeat(3_000_000);
    let mut of_a_long_digest = layer("application/wasm", RULE);
    of_a_long_digest["digest"] = format!("md5:{long}").into();
    server.put_manifest(&[of_a_long_digest]);
    let text = look();
    assert!(text.contains("is named by the digest “md5:777") && text.len() < 1_000, "{} bytes", text.len());
    server.put("v2/test/rule/manifests/1.0.0", format!(r#"{{"layers": "{long}"}}"#).as_bytes());
    let text = look();
    assert!(text.contains("the manifest is malformed: line 1, column ") && text.len() < 1_000, "{} bytes", text.len());
    assert!(text.contains(r#"invalid type: string \"777"#), "{text}");
    let registry = server.gateway().replace("http://", "oci://");
    let failed = resolver(settings()).look_up(&source(&format!("{registry}/failing/rule:1.0.0")));
    refused(failed, &["the registry answered 500: “no room left on the device"]);
}

#[test]
fn manifest_of_a_content_id_is_named_by_another() {
    let server = Server::start();
    let (id, manifest) = (content_id(BARE), content_id(MANIFEST));
    server.put(&format!("ipfs/{id}"), BARE);
    server.put(&format!("ipfs/{manifest}"), MANIFEST);
    let settings = || Settings { gateways: vec![server.gateway()], ..settings() };
    let both = source(&format!("ipfs://{id}#manifest={manifest}"));
    let component = resolver(settings()).resolve(&both).unwrap();
    assert_eq!(component.beside.as_deref().map(str::as_bytes), Some(MANIFEST));
    assert_eq!(component.locked.resolved, both.to_string());
    assert_eq!(resolver(settings()).resolve(&source(&format!("ipfs://{id}"))).unwrap().beside, None);
}

#[test]
fn manifest_in_a_layer_of_its_own_is_taken_once() {
    let server = Server::start();
    server.put_blob(BARE, BARE);
    server.put_blob(MANIFEST, MANIFEST);
    for kind in ["application/vnd.refiner.rule.manifest.v1+toml", "application/toml"] {
        let layers = [layer("application/wasm", BARE), layer(kind, MANIFEST)];
        let digest = server.put_manifest(&layers);
        let pinned = source(&format!("{}@{digest}", server.reference()));
        let component = resolver(settings()).resolve(&pinned).unwrap();
        assert_eq!(component.beside.as_deref().map(str::as_bytes), Some(MANIFEST), "{kind}");
        let twice = [layers[0].clone(), layers[1].clone(), layers[1].clone()];
        let digest = server.put_manifest(&twice);
        let pinned = source(&format!("{}@{digest}", server.reference()));
        refused(resolver(settings()).resolve(&pinned), &["several layers of the type"]);
    }
}

#[test]
fn pages_and_pointers_in_place_of_a_component_are_named_whatever_the_pin() {
    let server = Server::start();
    let pin = Sha256::of(RULE);
    for (body, named) in [
        (&b"<!DOCTYPE html><title>rule.wasm</title>"[..], "is an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "is a Git LFS pointer"),
    ] {
        server.put("rule.wasm", body);
        let url = server.url("rule.wasm");
        refused(resolver(settings()).look_up(&source(&url)), &[&url, named, "expected a WebAssembly component"]);
        refused(resolver(settings()).resolve(&source(&format!("{url}#sha256={pin}"))), &[named]);
        refused(resolver(settings()).look_up(&source(&format!("oci://{}", oci_of(&server, body)))), &[named]);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rule.wasm");
        fs::write(&path, body).unwrap();
        refused(resolver(settings()).look_up(&source(&path.display().to_string())), &["rule.wasm", named]);
        assert!(resolver(settings()).look_up(&source(&url)).unwrap_err().hint().is_some());
    }
}

fn oci_of(server: &Server, component: &[u8]) -> String {
    server.publish(component);
    server.reference().trim_start_matches("oci://").to_owned()
}

#[test]
fn failure_of_a_web_server_names_the_path_and_nothing_of_the_query() {
    let server = Server::start();
    let url = source(&server.url("a/missing.wasm?token=canary"));
    let error = resolver(settings()).look_up(&url).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("/a/missing.wasm?…") && !text.contains("canary"), "{text}");
    server.put("a/rule.wasm", RULE);
    let unpinned = resolver(settings()).resolve(&source(&server.url("a/rule.wasm?token=canary"))).unwrap_err();
    let hint = unpinned.hint().unwrap().to_string();
    let pin = format!("add #sha256={} to the address as you typed it", Sha256::of(RULE));
    assert!(hint.contains(&pin) && hint.contains("`refiner rule lock` with the address"), "{hint}");
    assert!(!hint.contains('…') && !hint.contains("canary"), "{hint}");
}

#[test]
fn source_that_is_not_in_the_lock_is_named_with_its_pin_and_nothing_of_its_query() {
    let pin = Sha256::of(RULE);
    let url = source(&format!("https://example.org/rule.wasm?token=canary#sha256={pin}"));
    let error = under(&Lock::default(), true).resolve(&url).unwrap_err();
    let hint = error.hint().unwrap().to_string();
    // An address without its query is another one, so it is not given to be pasted.
    assert_eq!(hint, "`refiner rule lock` with the address as you typed it adds it");
    let plain = under(&Lock::default(), true).resolve(&source(&format!("https://example.org/rule.wasm#sha256={pin}")));
    let plain = plain.unwrap_err().hint().unwrap().to_string();
    assert!(plain.contains(&format!("`refiner rule lock https://example.org/rule.wasm#sha256={pin}`")), "{plain}");
    let text = format!("{error} {error:?} {hint}");
    assert!(text.contains("https://example.org/rule.wasm?… is not in the lock") && !text.contains("canary"), "{text}");
}

/// A resolver with a file of logins for the double.
fn logged_in(server: &Server, directory: &Path, entry: &str) -> Resolver {
    let path = directory.join("auth.json");
    let name = server.gateway().trim_start_matches("http://").to_owned();
    fs::write(&path, format!(r#"{{"auths": {{"{name}": {entry}}}}}"#)).unwrap();
    resolver(Settings { credentials: CredentialFiles { named: Some(path), usual: Vec::new() }, ..settings() })
}

#[test]
fn login_is_exchanged_for_a_token_by_password_and_by_identity() {
    let server = Server::start();
    server.publish(RULE);
    let directory = tempfile::tempdir().unwrap();
    let private = source(&format!("{}/private/rule:1.0.0", server.gateway().replace("http://", "oci://")));
    // `name:canary` in base64.
    for entry in [r#"{"auth": "bmFtZTpjYW5hcnk="}"#, r#"{"identitytoken": "canary"}"#] {
        let component = logged_in(&server, directory.path(), entry).look_up(&private);
        assert_eq!(component.unwrap().bytes, RULE, "{entry}");
    }
    let error = logged_in(&server, directory.path(), r#"{"auth": "bmFtZTpvdGhlcg=="}"#).look_up(&private).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("does not accept the login") && !text.contains("other"), "{text}");
    refused(resolver(settings()).look_up(&private), &["gives no anonymous access"]);
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
    let Locked { sha256, manifest_sha256, bytes, .. } = lock.get(&source(&text)).unwrap();
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
