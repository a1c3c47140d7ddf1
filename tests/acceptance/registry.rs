//! Rules in a real registry, Debian's docker-registry on loopback: pushed, pulled by digest and run, with and without a login.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use refiner_rule_model::contract;
use serde_json::Value;

use crate::program::{Ended, command, ended, samples};

/// `author:canary-password`, by bcrypt, as `htpasswd -B` writes it.
const HTPASSWD: &str = "author:$2y$05$abcdefghijklmnopqrstuuTvmw3qcMpAvEgQGhbFMhqjD3R/evDDW\n";
/// The same login in base64, as docker and podman keep it.
const AUTH: &str = "YXV0aG9yOmNhbmFyeS1wYXNzd29yZA==";
/// A login with another password.
const WRONG_AUTH: &str = "YXV0aG9yOm90aGVy";
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// A registry that ends with the test.
pub struct Registry {
    child: Child,
    pub address: SocketAddr,
    pub directory: tempfile::TempDir,
}

impl Registry {
    /// Starts one; none where the program is not to be had, which is printed.
    pub fn start(with_login: bool) -> Option<Self> {
        Self::start_in(tempfile::tempdir().unwrap(), with_login, "")
    }

    /// Starts one with a certificate for an address, and with its authority in `ca.pem`.
    fn start_with_tls(name: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let [authority_key, key] = [(); 2].map(|()| KeyPair::generate().unwrap());
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(directory.path().join("ca.pem"), authority.self_signed(&authority_key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(authority, authority_key);
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let [certificate_file, key_file] = ["server.pem", "server.key"].map(|file| directory.path().join(file));
        fs::write(&certificate_file, certificate.pem()).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        let tls = format!(", tls: {{ certificate: {certificate_file:?}, key: {key_file:?} }}");
        Self::start_in(directory, false, &tls)
    }

    fn start_in(directory: tempfile::TempDir, with_login: bool, tls: &str) -> Option<Self> {
        let program = refiner_testchain::docker_registry().unwrap()?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let storage = directory.path().join("storage");
        let mut settings = format!(
            "version: 0.1\nlog: {{ level: error, accesslog: {{ disabled: true }} }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: '{address}'{tls} }}\n",
            storage.display()
        );
        if with_login {
            let passwords = directory.path().join("htpasswd");
            fs::write(&passwords, HTPASSWD).unwrap();
            settings.push_str(&format!("auth: {{ htpasswd: {{ realm: test, path: {} }} }}\n", passwords.display()));
        }
        let file = directory.path().join("config.yml");
        fs::write(&file, settings).unwrap();
        let mut serve = Command::new(program);
        serve.arg("serve").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = serve.spawn().unwrap();
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < STARTS_WITHIN, "docker-registry does not listen on {address}");
            thread::sleep(Duration::from_millis(20));
        }
        Some(Self { child, address, directory })
    }

    /// A source in it.
    pub fn source(&self, name: &str) -> String {
        format!("oci://{}/{name}", self.address)
    }

    /// The program in a directory of its own, with a cache and a home of nobody else.
    pub fn refiner(&self, arguments: &[&str]) -> Ended {
        self.refiner_with(arguments, "nobody")
    }

    /// The same with these certificates of authorities.
    fn refiner_trusting(&self, arguments: &[&str], authorities: &Path) -> Ended {
        let mut command = command(arguments);
        command.env("SSL_CERT_FILE", authorities).env_remove("SSL_CERT_DIR");
        command.env("HOME", self.directory.path()).env("REFINER_CACHE_DIR", self.directory.path().join("cache"));
        ended(command)
    }

    /// The same with a home directory of this name.
    pub fn refiner_with(&self, arguments: &[&str], home: &str) -> Ended {
        let home = self.directory.path().join(home);
        fs::create_dir_all(&home).unwrap();
        let mut command = command(arguments);
        for variable in ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE"] {
            command.env_remove(variable);
        }
        command.env("HOME", &home).env("REFINER_CACHE_DIR", home.join("cache")).current_dir(&home);
        ended(command)
    }

    /// The same with a credential helper of this script on the PATH.
    pub fn refiner_helped(&self, arguments: &[&str], home: &str, script: &str) -> Ended {
        let home = self.directory.path().join(home);
        let helper = home.join("bin/docker-credential-desktop");
        fs::create_dir_all(helper.parent().unwrap()).unwrap();
        fs::write(&helper, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o700)).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = command(arguments);
        for variable in ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE"] {
            command.env_remove(variable);
        }
        command.env("PATH", format!("{}:{path}", home.join("bin").display()));
        command.env("HOME", &home).env("REFINER_CACHE_DIR", home.join("cache")).current_dir(&home);
        ended(command)
    }

    /// A file of logins in a home directory.
    pub fn write_logins(&self, home: &str, file: &str, auth: &str) {
        let path = self.directory.path().join(home).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, self.address)).unwrap();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn built(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rules").join(name).with_extension("wasm")
}

fn sample() -> String {
    samples().remove(4).canonicalize().unwrap().display().to_string()
}

#[test]
fn rule_is_pushed_and_run_by_the_digest_that_was_printed() {
    let Some(registry) = Registry::start(false) else { return };
    let rule = built("transaction-summary").display().to_string();
    let pushed = registry.refiner(&["rule", "push", &rule, &registry.source("rules/summary:1.0.0"), "--json"]);
    let pushed: Value = pushed.expect(0).json_lines().remove(0);
    let pinned = pushed["source"].as_str().unwrap();
    assert!(pinned.starts_with(&registry.source("rules/summary:1.0.0@sha256:")), "{pinned}");
    let again = registry.refiner(&["rule", "push", &rule, &registry.source("rules/summary:1.0.1")]).expect(0).text();
    let digest = pinned.split_once("@sha256:").unwrap().1;
    assert!(again.contains(digest), "the same rule has the same digest under every tag: {again}");

    let run = registry.refiner(&["rule", "run", pinned, &sample(), "--json"]).expect(0).json_lines().remove(0);
    assert_eq!(
        format!("0x{}", run["component"].as_str().unwrap().trim_start_matches("0x")),
        format!("0x{}", pushed["sha256"].as_str().unwrap())
    );
    let unpinned = registry.refiner(&["rule", "info", &registry.source("rules/summary:1.0.0")]).expect(6);
    assert!(unpinned.stderr.contains(&format!("name it as {pinned}")), "{}", unpinned.stderr);
}

#[test]
fn artifact_in_the_registry_has_the_media_types_that_wkg_reads() {
    let Some(registry) = Registry::start(false) else { return };
    let rule = built("transaction-summary").display().to_string();
    registry.refiner(&["rule", "push", &rule, &registry.source("summary:1")]).expect(0);
    let storage = registry.directory.path().join("storage/docker/registry/v2");
    let link = fs::read_to_string(storage.join("repositories/summary/_manifests/tags/1/current/link")).unwrap();
    let blob = |digest: &str| {
        let hex = digest.trim().trim_start_matches("sha256:");
        fs::read(storage.join("blobs/sha256").join(&hex[..2]).join(hex).join("data")).unwrap()
    };
    let manifest: Value = serde_json::from_slice(&blob(&link)).unwrap();
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    assert_eq!(manifest["annotations"]["org.opencontainers.image.title"], "transaction-summary");
    let config: Value = serde_json::from_slice(&blob(manifest["config"]["digest"].as_str().unwrap())).unwrap();
    assert_eq!((&config["architecture"], &config["os"]), (&Value::from("wasm"), &Value::from("wasip2")));
    assert_eq!(config["layerDigests"][0], manifest["layers"][0]["digest"]);
    assert_eq!(config["component"]["exports"][0], format!("refiner:rule/rule@{}", contract::VERSION));
}

#[test]
fn private_registry_takes_the_login_of_docker_and_of_podman() {
    let Some(registry) = Registry::start(true) else { return };
    let rule = built("transaction-summary").display().to_string();
    let to = registry.source("private/summary:1.0.0");
    let refused = registry.refiner(&["rule", "push", &rule, &to]).expect(5).stderr;
    for part in ["gives no anonymous access", ".docker/config.json", "podman login 127.0.0.1:"] {
        assert!(refused.contains(part), "{part:?} is not in {refused}");
    }
    registry.write_logins("mistaken", ".docker/config.json", WRONG_AUTH);
    let refused = registry.refiner_with(&["rule", "push", &rule, &to], "mistaken").expect(5).stderr;
    assert!(refused.contains("does not accept the login"), "{refused}");

    registry.write_logins("docker", ".docker/config.json", AUTH);
    registry.write_logins("podman", ".config/containers/auth.json", AUTH);
    let pushed = registry.refiner_with(&["rule", "push", &rule, &to, "--json"], "docker").expect(0);
    let pinned = pushed.json_lines().remove(0)["source"].as_str().unwrap().to_owned();
    registry.refiner_with(&["rule", "run", &pinned, &sample()], "podman").expect(0);
    registry.refiner_with(&["replay", &sample(), "--rule", &pinned], "docker").expect(0);
    registry.refiner_with(&["rule", "lock", &to], "podman").expect(0);
    registry.refiner_with(&["replay", &sample(), "--rule", &to, "--locked"], "podman").expect(0);
    let refused = registry.refiner(&["rule", "run", &pinned, &sample()]).expect(5).stderr;
    assert!(refused.contains("gives no anonymous access"), "{refused}");
}

#[test]
fn login_is_taken_from_the_credential_helper_that_keeps_it_and_one_that_gives_none_is_named() {
    let Some(registry) = Registry::start(true) else { return };
    let path = registry.directory.path().join("helped/.docker/config.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!(r#"{{"auths": {{"{}": {{}}}}, "credsStore": "desktop"}}"#, registry.address)).unwrap();
    let rule = built("transaction-summary").display().to_string();
    let to = registry.source("a:1");
    let push = ["rule", "push", &rule, &to];
    let refused = registry.refiner_with(&push, "helped").expect(5).stderr;
    for part in
        ["credential helper docker-credential-desktop", "it cannot be started", "podman login --authfile auth.json"]
    {
        assert!(refused.contains(part), "{part:?} is not in {refused}");
    }
    let refused = registry.refiner_helped(&push, "helped", "echo canary-password; exit 1").expect(5).stderr;
    assert!(refused.contains("it has no login, or failed: exit status: 1"), "{refused}");
    assert!(!refused.contains("canary"), "{refused}");
    let answer =
        r#"read -r server; printf '{"ServerURL":"%s","Username":"author","Secret":"canary-password"}' "$server""#;
    let asked = format!("{answer}; echo \"$1 $server\" > asked");
    let pushed = registry.refiner_helped(&push, "helped", &asked).expect(0);
    assert!(!format!("{}{}", pushed.stderr, pushed.text()).contains("canary"), "{}", pushed.stderr);
    let asked = fs::read_to_string(registry.directory.path().join("helped/asked")).unwrap();
    assert_eq!(asked, format!("get {}\n", registry.address));
}

#[test]
fn registry_of_an_authority_of_ones_own_is_reached_with_its_certificate_and_refused_with_the_way_without() {
    // An address of this machine that is not of loopback: it is asked by https.
    let Some(registry) = Registry::start_with_tls("0.0.0.0") else { return };
    let (rule, port) = (built("transaction-summary").display().to_string(), registry.address.port());
    let to = format!("oci://0.0.0.0:{port}/summary:1.0.0");
    let system = Path::new("/etc/ssl/certs/ca-certificates.crt");
    if system.is_file() {
        let page = format!("https://0.0.0.0:{port}/a.wasm");
        for arguments in [vec!["rule", "push", &rule, &to], vec!["rule", "info", &page]] {
            let refused = registry.refiner_trusting(&arguments, system).expect(5).stderr;
            assert!(refused.contains("UnknownIssuer") && refused.contains("SSL_CERT_FILE=FILE"), "{refused}");
        }
    }
    registry.refiner_trusting(&["rule", "push", &rule, &to], &registry.directory.path().join("ca.pem")).expect(0);
    let refused = registry.refiner(&["rule", "push", &rule, &registry.source("summary:1.0.0")]).expect(5).stderr;
    assert!(refused.contains("a registry on this machine is asked without TLS"), "{refused}");
}

#[test]
fn password_in_a_source_is_shown_by_no_command() {
    let directory = tempfile::tempdir().unwrap();
    let rule = built("transaction-summary").display().to_string();
    let source = "oci://alice:canary@registry.example:5443/a/rule:1";
    for arguments in [
        vec!["rule", "run", source, &sample()],
        vec!["rule", "info", source],
        vec!["rule", "lock", source],
        vec!["rule", "push", &rule, source],
        vec!["replay", "--rule", source, &sample()],
    ] {
        let mut command = command(&arguments);
        command.current_dir(directory.path());
        let refused = ended(command).expect(2).stderr;
        assert!(refused.contains("user name or password") && refused.contains("`docker login`"), "{refused}");
        assert!(!refused.contains("canary"), "{refused}");
    }
}

#[test]
fn manifest_beside_a_component_travels_as_a_layer_of_its_own() {
    let Some(registry) = Registry::start(false) else { return };
    let whole = fs::read(built("transaction-summary")).unwrap();
    let manifest = refiner_manifest::read(&whole).unwrap().unwrap().to_owned();
    let bare = registry.directory.path().join("bare.wasm");
    fs::write(&bare, refiner_manifest::without(&whole).unwrap()).unwrap();
    fs::write(bare.with_extension("toml"), manifest).unwrap();
    let pushed = registry.refiner(&["rule", "push", &bare.display().to_string(), &registry.source("bare:1"), "--json"]);
    let pinned = pushed.expect(0).json_lines().remove(0)["source"].as_str().unwrap().to_owned();
    for _ in ["from the registry", "from the cache"] {
        registry.refiner(&["rule", "run", &pinned, &sample()]).expect(0);
    }
    registry.refiner(&["rule", "lock", &registry.source("bare:1")]).expect(0);
    registry.refiner(&["rule", "run", &registry.source("bare:1"), &sample(), "--locked"]).expect(0);
}

#[test]
fn push_of_what_is_no_rule_or_to_what_is_no_registry_sends_nothing() {
    let Some(registry) = Registry::start(false) else { return };
    let path = registry.directory.path().join("page.wasm");
    let page = path.display().to_string();
    fs::write(&path, "<!DOCTYPE html><html>").unwrap();
    let refused = registry.refiner(&["rule", "push", &page, &registry.source("a:1")]).expect(6).stderr;
    assert!(refused.contains("is an HTML page, expected a WebAssembly component"), "{refused}");
    fs::write(&path, b"\0asm\x01\0\0\0").unwrap();
    registry.refiner(&["rule", "push", &page, &registry.source("a:1")]).expect(6);
    let rule = built("transaction-summary").display().to_string();
    let refused = registry.refiner(&["rule", "push", &rule, "https://example.org/a.wasm"]).expect(2).stderr;
    assert!(refused.contains("is no registry"), "{refused}");
    let digest = format!("{}@sha256:{}", registry.source("a:1"), "0".repeat(64));
    let refused = registry.refiner(&["rule", "push", &rule, &digest]).expect(5).stderr;
    assert!(refused.contains("name a tag"), "{refused}");
    assert!(!registry.directory.path().join("storage/docker").exists(), "nothing was sent");
}

/// A component as a toolchain left it, or none, with the reason printed, where it was not built.
fn twin(name: &str) -> Option<PathBuf> {
    let twins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/twins");
    let bare = twins.join(name).with_extension("bare.wasm");
    if bare.is_file() {
        return Some(bare);
    }
    let why = fs::read_to_string(twins.join(name).with_extension("skipped"));
    #[allow(clippy::print_stderr, reason = "a test that was skipped tells why")]
    {
        eprintln!("skipped: {name}: {}", why.unwrap_or_else(|_| "not built; `cargo xtask twins` builds it".to_owned()));
    }
    None
}

/// Embeds, pushes, pulls by digest and runs what another toolchain made, by commands of this program alone.
fn published_and_run(name: &str, manifest: &str) {
    let (Some(bare), Some(registry)) = (twin(name), Registry::start(true)) else { return };
    registry.write_logins("author", ".docker/config.json", AUTH);
    let here = |arguments: &[&str]| registry.refiner_with(arguments, "author");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/twins").join(manifest);
    let rule = registry.directory.path().join("author/by-sender.wasm").display().to_string();
    here(&["rule", "embed", &bare.display().to_string(), &manifest.display().to_string(), "--out", &rule]).expect(0);
    let to = registry.source("rules/by-sender:0.1.0");
    let pushed = here(&["rule", "push", &rule, &to, "--json"]).expect(0).json_lines().remove(0);
    fs::remove_file(&rule).unwrap();
    let pinned = pushed["source"].as_str().unwrap();
    let run = here(&["rule", "run", pinned, &sample(), "--json"]).expect(0).json_lines().remove(0);
    let golden = fs::read_to_string(manifest.parent().unwrap().parent().unwrap().join("golden.toml")).unwrap();
    let golden: toml::Table = golden.parse().unwrap();
    let sample = samples().remove(4).file_name().unwrap().to_str().unwrap().to_owned();
    let expected = golden[&sample]["sha256"].as_str().unwrap().trim_start_matches("0x").to_owned();
    assert_eq!(run["artifacts"][0]["sha256"].as_str().unwrap().trim_start_matches("0x"), expected);
}

#[test]
fn component_of_componentize_py_is_embedded_pushed_pulled_by_digest_and_run() {
    published_and_run("python-stubbed", "python/stubbed.toml");
}

#[test]
fn component_of_componentize_js_is_embedded_pushed_pulled_by_digest_and_run() {
    published_and_run("javascript", "javascript/by_sender.toml");
}

/// A second build of a twin that differs in one byte of its stored memory, and what is reported of it.
fn verified(name: &str, folder: &str, manifest: &str, toolchain: &str) {
    let Some(bare) = twin(name) else { return };
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("source");
    fs::create_dir(&source).unwrap();
    let twins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/twins").join(folder);
    for entry in fs::read_dir(&twins).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), source.join(entry.file_name())).unwrap();
    }
    fs::copy(twins.join(manifest), source.join("rule.toml")).unwrap();
    let at = |name: &str| directory.path().join(name).display().to_string();
    let (published, again, source) = (at("published.wasm"), at("again.wasm"), source.display().to_string());
    let toml = format!("{source}/rule.toml");
    let run = |arguments: &[&str]| ended(command(arguments));
    run(&["rule", "embed", &bare.display().to_string(), &toml, "--out", &published]).expect(0);
    let refused = run(&["rule", "verify", &published, "--source", &source]).expect(2).stderr;
    assert!(refused.contains("built by its own toolchain") && refused.contains("--built FILE"), "{refused}");
    let mut bytes = fs::read(&bare).unwrap();
    fs::write(&again, &bytes).unwrap();
    run(&["rule", "verify", &published, "--source", &source, "--built", &again]).expect(0);
    let memory = largest_data(&bytes);
    bytes[memory] ^= 1;
    fs::write(&again, &bytes).unwrap();
    let shown = run(&["rule", "verify", &published, "--source", &source, "--built", &again]).expect(3).text();
    for part in ["differs: the data section of module", "not reproducible", toolchain] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
}

/// The middle of the largest data section.
fn largest_data(component: &[u8]) -> usize {
    let sections = wasmparser::Parser::new(0).parse_all(component).filter_map(|payload| match payload.unwrap() {
        wasmparser::Payload::DataSection(section) => Some(section.range()),
        _ => None,
    });
    let range = sections.max_by_key(|range| range.end - range.start).unwrap();
    usize::midpoint(range.start, range.end)
}

#[test]
fn second_build_by_componentize_py_differs_in_the_memory_that_it_stores() {
    verified("python-stubbed", "python", "stubbed.toml", "componentize-py");
}

#[test]
fn second_build_by_componentize_js_differs_in_the_memory_that_it_stores() {
    verified("javascript", "javascript", "by_sender.toml", "componentize-js");
}
