//! `refiner doctor --bundle`: an archive for a bug report, with canary secrets in every place that could hold one.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    thread,
};

use alloy_primitives::B256;
use refiner_journal::{Announcement, Checkpoint, Journal, State, Step, Target};
use serde_json::Value;

use crate::program::{Ended, command, text};

/// Keys of nothing.
const KEYS: [&str; 3] = [
    "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020101",
    "2F2E2D2C2B2A292827262524232221201F1E1D1C1B1A19181716151413121112",
    "3a3b3c3d3e3f303132333435363738393a3b3c3d3e3f30313233343536373839",
];
/// A text that each secret has in it, and nothing else.
const CANARY: &str = "canary";

/// Writes a file of mode 0600.
fn write(path: &Path, content: &str) -> String {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    text(path).to_owned()
}

/// A journal with an item that failed and one that was set aside, whose reasons repeat what a node or a pinner sent.
fn journal(data: &Path) {
    let mut journal = Journal::open(&data.join("journal.sqlite")).unwrap();
    let announcement = |height: u64| Announcement {
        chain: 1,
        height,
        block_hash: B256::repeat_byte(0xb1),
        specimen_hash: B256::with_last_byte(u8::try_from(height).unwrap()),
        announced_in: height,
    };
    let target = Target { rule: B256::repeat_byte(7), name: "block-result".into(), proves: true };
    let checkpoint = Checkpoint { number: 3, hash: B256::repeat_byte(3) };
    let announced: Vec<_> = (1..=3).map(announcement).collect();
    journal.scanned(&announced, &[target], &[checkpoint], 3).unwrap();
    let items = journal.due(State::Announced, u64::MAX >> 1, 9).unwrap();
    let error = format!(
        "https://someone:canary-reason-1@pin.example/canary-reason-2?key=canary-reason-3 answered 401: \"Authorization: Bearer canary-reason-4\", \
         x-api-key: canary-reason-5, {}",
        KEYS[1]
    );
    journal.failed(items[0].id, State::Announced, &error, 5).unwrap();
    let reason = format!("fetch: token=canary-reason-6 \u{1b}[31m 0x{}", KEYS[0].to_uppercase());
    journal.advance(items[1].id, &Step::Quarantined { reason }, 0).unwrap();
}

/// A daemon that repeats secrets in its status and metrics.
fn daemon() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 512];
            let length = stream.read(&mut request).unwrap_or_default();
            let body = match String::from_utf8_lossy(&request[..length]).split(' ').nth(1) {
                Some("/status") => {
                    r#"{"schemaVersion":2,"now":{"lastFailure":"at https://a/canary-status-1, password: canary-status-2"},"password":"canary-status-3","block":17}"#
                }
                Some("/metrics") => "# HELP a b\nrefiner_requests_total{node=\"https://a/canary-metric\"} 4711\n",
                _ => "starting\n",
            };
            let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    address
}

/// The content of one file of an archive, as the system's tar reads it.
fn file(archive: &Path, name: &str) -> String {
    let output = Command::new("tar").arg("-xOf").arg(archive).arg(format!("refiner-bundle/{name}")).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn assert_no_secret(bytes: &[u8]) {
    let told = String::from_utf8_lossy(bytes).to_lowercase();
    for secret in [CANARY].into_iter().chain(KEYS) {
        if let Some(at) = told.find(&secret.to_lowercase()) {
            let start = told.floor_char_boundary(at.saturating_sub(200));
            panic!("{secret}: {}", &told[start..told.floor_char_boundary(at + 40)]);
        }
    }
}

/// Everything that a report is made of, each with secrets of its own.
struct Scene {
    directory: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        journal(&data);
        write(&directory.path().join(".env"), "MORALIS_KEY=canary-dotenv\n");
        let scene = Self { directory };
        let lines: String =
            (0..60_000).map(|line| format!("{line} INFO scan at https://a.example/canary-log-1 head=17\n")).collect();
        let log = format!(
            "canary-first-line {lines}WARN signer ipfs://{} Bearer canary-log-2x AbCdEfGhIjKlMnOpQrSt12canary {}\nlast line, item=4\n",
            "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", KEYS[2]
        );
        write(&scene.path("log"), &log);
        scene
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    /// `refiner doctor --bundle` with these flags after the ordinary ones.
    fn doctor(&self, archive: &str, daemon: &str, more: &[&str]) -> Ended {
        let mut command = command(&["doctor", "--bundle", archive, "--network", "moonbeam"]);
        command
            .current_dir(self.directory.path())
            .args(["--rpc", "http://someone:canary-rpc-1@127.0.0.1:1/v3/canary-rpc-2?apikey=canary-rpc-3#canary-rpc-4"])
            .args(["--evm", "remote", "--evm-server", "http://127.0.0.1:1/canary-evm"])
            .args(["--format", "evm-server@e", "--health", daemon, "--log-file", "log", "--data", "data"])
            .args(["--gateway", "https://canary-user@127.0.0.1:1/canary-gateway", "--rpc-timeout", "1s"])
            .args(more)
            .env("IPFS_PINNER_URL", "http://token:canary-pinner@127.0.0.1:1/canary-pinner-path")
            .env("MORALIS_KEY", "canary-variable-1")
            .env("SOME_SERVICE_PASSWORD", "canary \"variable\" 2")
            .env("EXTRA_RPC", "wss://h/canary-variable-3");
        let output = command.output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[test]
fn bundle_tells_what_a_report_needs_and_no_secret() {
    let scene = Scene::new();
    let key = write(&scene.path("key"), &format!("0x{}\n", KEYS[1]));
    let ended = scene.doctor("a.tar", &daemon(), &["--key-file", &key]).expect(5);
    let told = ended.text();
    assert!(told.contains("a.tar: 9 files; look through them before you publish them"), "{told}");
    let archive = scene.path("a.tar");
    let bytes = fs::read(&archive).unwrap();
    assert_no_secret(&bytes);
    assert_no_secret(&ended.stdout);
    assert_no_secret(ended.stderr.as_bytes());
    assert_eq!(fs::metadata(&archive).unwrap().permissions().mode() & 0o777, 0o600);

    let json = |name: &str| serde_json::from_str::<Value>(&file(&archive, name)).unwrap();
    assert_eq!(json("about.json")["program"], env!("CARGO_PKG_VERSION"));
    let doctor = json("doctor.json");
    assert_eq!((&doctor["schemaVersion"], &doctor["state"]), (&2.into(), &"error".into()));
    let settings = json("settings.json");
    assert_eq!(settings["rpc"], serde_json::json!({ "value": ["http://127.0.0.1:1/…"], "origin": "flag" }));
    assert_eq!(settings["pinner"]["origin"], "environment, IPFS_PINNER_URL");
    assert_eq!(settings["key-file"]["value"], key.as_str());
    assert_eq!(settings["poll-interval"]["origin"], "default");
    let journal = json("journal.json");
    let counts: Vec<_> =
        journal["counts"].as_array().unwrap().iter().map(|count| (&count["state"], &count["items"])).collect();
    assert_eq!(counts, [(&"announced".into(), &2.into()), (&"quarantined".into(), &1.into())]);
    let failures = journal["failures"].as_array().unwrap();
    assert_eq!((failures.len(), &failures[0]["height"], &failures[1]["attempts"]), (2, &2.into(), &1.into()));
    let error = failures[1]["lastError"].as_str().unwrap();
    assert!(error.starts_with("https://pin.example/… answered 401: "), "{error}");
    assert_eq!(json("status.json")["block"], 17);
    assert!(file(&archive, "metrics.txt").contains("refiner_requests_total{node=\"https://a/…\"} 4711"));
    assert_eq!(file(&archive, "ready.txt"), "starting\n");
    let log = file(&archive, "log.txt");
    assert!(log.ends_with("last line, item=4\n") && log.contains("head=17") && log.contains("bafkreigh2ak"));
    assert!(log.len() < 1 << 20 && !log.contains("\n0 INFO"), "{}", log.len());
    let machine = file(&archive, "machine.txt");
    for fact in ["== processor", "Linux version", "MemTotal", "Seccomp:", "memory.max", "max_user_namespaces"] {
        assert!(machine.contains(fact), "{fact}: {machine}");
    }
}

#[test]
fn bundle_holds_no_key_of_the_environment_or_a_keystore() {
    let scene = Scene::new();
    let password = write(&scene.path("password"), "canary words of a password\n");
    let keystore =
        write(&scene.path("keystore"), &format!(r#"{{"version":3,"crypto":{{"ciphertext":"{}"}}}}"#, KEYS[0]));
    let log = format!("the ciphertext {} of canary words of a password\n", KEYS[0]);
    write(&scene.path("log"), &log);
    // Nothing listens there.
    scene.doctor("b.tar", "127.0.0.1:1", &["--keystore", &keystore, "--password-file", &password]).expect(5);
    assert_no_secret(&fs::read(scene.path("b.tar")).unwrap());
    assert!(file(&scene.path("b.tar"), "status.json").starts_with("no answer of 127.0.0.1:1/status: "));
    assert_eq!(file(&scene.path("b.tar"), "log.txt"), "the ciphertext … of …\n");

    write(&scene.path("log"), &format!("{} {}\n", KEYS[0].to_uppercase(), KEYS[0]));
    let mut command = command(&["doctor", "--json", "--bundle", "c.tar", "--log-file", "log"]);
    let output =
        command.current_dir(scene.directory.path()).env("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", KEYS[0]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["bundle"]["path"], report["bundle"]["files"].as_array().unwrap().len()), (&"c.tar".into(), 9));
    assert_no_secret(&fs::read(scene.path("c.tar")).unwrap());
    assert_eq!(file(&scene.path("c.tar"), "log.txt"), "… …\n");
}

#[test]
fn bundle_replaces_no_file_and_needs_the_log_that_is_named() {
    let scene = Scene::new();
    write(&scene.path("d.tar"), "mine");
    let ended = scene.doctor("d.tar", "127.0.0.1:1", &[]).expect(2);
    assert!(ended.stderr.contains("d.tar: exists already, and no file is overwritten"), "{}", ended.stderr);
    assert_eq!(fs::read(scene.path("d.tar")).unwrap(), b"mine");
    fs::remove_file(scene.path("log")).unwrap();
    let ended = scene.doctor("e.tar", "127.0.0.1:1", &[]).expect(2);
    assert!(ended.stderr.contains("log: cannot read the log"), "{}", ended.stderr);
    assert!(!scene.path("e.tar").exists());
}
