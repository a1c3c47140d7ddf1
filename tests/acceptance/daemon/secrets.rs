//! Secrets that must never be shown: the operator's key, and what URLs carry for providers.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
};

use alloy_primitives::{U256, hex};
use refiner_journal::State;
use refiner_testchain::{Fault, OPERATOR_KEY, OPERATOR_KEYSTORE, TRIAL};
use refiner_testkit::pinner::{Fault as PinnerFault, Route};

use crate::{bench::Bench, specimens::stream};

/// Secrets of URLs, and a password. Each is found in no other text.
const CANARIES: [&str; 6] = [
    "canary-user",
    "canary-password",
    "canary-path",
    "canary-query",
    "canary-pinner",
    // The keystore's password.
    "testpassword",
];

/// Every spelling of the key that a careless line could have.
fn spellings() -> Vec<Vec<u8>> {
    let key = hex::decode(OPERATOR_KEY).unwrap();
    let decimal = U256::from_be_slice(&key).to_string();
    let list = key[..8].iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    let mut spellings: Vec<Vec<u8>> = vec![decimal.into(), list.into(), key.clone()];
    for hex in [OPERATOR_KEY.to_owned(), OPERATOR_KEY.to_uppercase()] {
        // A part of it is too much as well.
        spellings.extend([hex[..32].into(), hex[32..].into()]);
        spellings.push(base64(hex.as_bytes()).into());
    }
    let base64 = base64(&key);
    spellings.push(base64.replace('+', "-").replace('/', "_").trim_end_matches('=').into());
    spellings.push(base64.trim_end_matches('=').into());
    spellings
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, index| bits << 8 | u32::from(*group.get(index).unwrap_or(&0)));
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit > group.len() { '=' } else { char::from(DIGITS[value as usize]) });
        }
    }
    text
}

#[test]
fn spellings_of_the_key_are_what_they_should_be() {
    assert_eq!(base64(b"Man"), "TWFu");
    assert_eq!((base64(b"Ma"), base64(b"M")), ("TWE=".to_owned(), "TQ==".to_owned()));
}

/// No secret is in the output.
#[track_caller]
fn assert_tells_nothing(what: &str, told: &[u8]) {
    for (index, spelling) in spellings().iter().enumerate() {
        assert!(!holds(told, spelling), "{what} holds the key, spelling {index}");
    }
    for canary in CANARIES {
        assert!(!holds(told, canary.as_bytes()), "{what} holds {canary}");
    }
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn look_everywhere(bench: &Bench) {
    for path in ["/status", "/metrics", "/readyz", "/livez"] {
        assert_tells_nothing(path, bench.get(path).unwrap().as_bytes());
    }
    let workers = bench.workers();
    assert_ne!(workers, []);
    for worker in workers {
        let process = format!("/proc/{}", worker.as_raw_nonzero());
        for file in ["environ", "cmdline"] {
            // A worker may have ended since.
            let told = fs::read(format!("{process}/{file}")).unwrap_or_default();
            assert_tells_nothing(&format!("a worker's {file}"), &told);
        }
    }
    assert_tells_nothing("the command line", &fs::read(format!("/proc/{}/cmdline", bench.pid())).unwrap());
    // URLs stay where the operator put them; the key does not.
    let environment = fs::read(format!("/proc/{}/environ", bench.pid())).unwrap();
    assert!(holds(&environment, b"REFINER_LOG="));
    spellings().iter().for_each(|spelling| assert!(!holds(&environment, spelling), "the environment holds the key"));
}

/// An archive for a bug report, of a daemon that runs and logs all there is.
fn look_into_bundle(bench: &Bench) {
    let archive = bench.directory.path().join("bundle.tar");
    let mut doctor = bench.command_of(&["doctor"]);
    let output = doctor.arg("--bundle").arg(&archive).arg("--log-file").arg(bench.log_path()).output().unwrap();
    let told =
        fs::read(&archive).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    for part in ["refiner_items{", "\"state\": \"final\"", "\"waitsFor\"", "IPFS_PINNER_URL"] {
        assert!(holds(&told, part.as_bytes()), "no {part} in {}", String::from_utf8_lossy(&told));
    }
    assert_tells_nothing("a bundle", &told);
    assert_tells_nothing("doctor", &output.stdout);
    fs::remove_file(archive).unwrap();
}

fn holds(told: &[u8], secret: &[u8]) -> bool {
    told.windows(secret.len()).any(|window| window == secret)
}

/// Ends the daemon, and looks at what it leaves: its log and its files.
async fn stop_and_look(bench: &mut Bench) {
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    assert!(bench.log().contains("TRACE") && bench.log().contains("DEBUG"), "the log holds everything there is");
    assert_tells_nothing("the log", bench.log().as_bytes());
    let files = files_below(&bench.data);
    assert!(files.iter().any(|path| path.ends_with("journal.sqlite")), "{files:?}");
    for path in files {
        assert_tells_nothing(&path.display().to_string(), &fs::read(&path).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_and_passwords_are_told_nowhere_also_when_everything_fails() {
    let Some(mut bench) = Bench::new().await else { return };
    let with = |url: &str, user: &str| url.replace("http://", &format!("http://{user}@"));
    let [rpc, pinner] = bench.urls.clone();
    bench.urls = [
        format!("{}/v3/canary-path?apikey=canary-query", with(&rpc, "canary-user:canary-password")),
        with(&pinner, "someone:canary-pinner"),
    ];
    bench.flags = ["--log", "trace", "--rpc-s", "1", "--upload-s", "1"].map(str::to_owned).into();
    let given = stream(7);
    bench.start_ready().await;
    bench.announce(&given[..1]).await;
    bench.until_all(State::Final, 1).await;
    look_everywhere(&bench);
    look_into_bundle(&bench);

    // Whatever has an address, a transaction or an answer in its error.
    for (fault, given) in
        [PinnerFault::Panic, PinnerFault::Stall, PinnerFault::DieInRequest].into_iter().zip(&given[1..])
    {
        bench.pinner.fault(Route::Upload, fault);
        bench.announce(std::slice::from_ref(given)).await;
        bench.until("pinning failed", |bench| bench.items().last().is_some_and(|item| item.attempts > 0)).await;
        look_everywhere(&bench);
        bench.pinner.mend(Route::Upload);
        bench.until("it is proved", |bench| bench.items().iter().all(|item| item.state == State::Final)).await;
    }
    let refusal = |message: &str| Fault::Refuse { code: -32000, message: message.to_owned() };
    for (method, fault, given) in [
        (TRIAL, Fault::Status(401), &given[4]),
        ("eth_sendRawTransaction", refusal("invalid sender"), &given[5]),
        ("eth_sendRawTransaction", Fault::Bytes(b"<html>".to_vec()), &given[6]),
    ] {
        bench.rpc.fail(method, fault);
        bench.announce(std::slice::from_ref(given)).await;
        bench
            .until("proving stopped", |bench| {
                let status = bench.status().unwrap_or_default();
                status["now"]["waitsFor"]["prove"].is_object() || status["now"]["paused"].is_object()
            })
            .await;
        look_everywhere(&bench);
        bench.rpc.heal(method);
        bench.until("it is proved", |bench| bench.items().iter().all(|item| item.state == State::Final)).await;
    }
    bench.assert_proved_once(&given).await;

    stop_and_look(&mut bench).await;
    for question in [&["export"][..], &["list"], &["show", "1"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refiner"));
        let output = command.arg("journal").args(question).arg("--data").arg(&bench.data).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{question:?}");
        assert_tells_nothing(&format!("journal {question:?}"), &output.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_from_a_file_or_a_keystore_is_told_nowhere_either() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    let file = |name: &str, text: &str| {
        let path = bench.directory.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (key, keystore) = (file("key", OPERATOR_KEY), file("keystore", OPERATOR_KEYSTORE));
    let password = file("password", "testpassword");
    let places = [
        vec!["--key-file".to_owned(), key],
        vec!["--keystore".to_owned(), keystore, "--password-file".to_owned(), password],
    ];
    bench.key = "";
    for (round, place) in places.into_iter().enumerate() {
        bench.flags = [vec!["--log".to_owned(), "trace".to_owned()], place].concat();
        bench.start_ready().await;
        bench.announce(&given[round..=round]).await;
        bench.until_all(State::Final, round + 1).await;
        look_everywhere(&bench);
        stop_and_look(&mut bench).await;
    }
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_that_does_not_start_says_why_and_tells_no_secret() {
    let Some(mut bench) = Bench::new().await else { return };
    let [rpc, pinner] = bench.urls.clone();
    let secret = "canary-user:canary-password";
    let cases = [
        (
            "a chain of another number",
            [format!("{}/canary-path", rpc.replace("//", &format!("//{secret}@"))), pinner.clone()],
            &["--proof-chain-id", "99"][..],
        ),
        ("no URL at all", [format!("htp://{secret}@node/canary-path"), pinner], &[]),
        ("a pinner that is none", [rpc.clone(), format!("ftp://{secret}@pinner/canary-path")], &[]),
    ];
    for (what, urls, flags) in cases {
        bench.urls = urls;
        bench.flags = ["--log", "trace"].iter().chain(flags).map(|flag| (*flag).to_owned()).collect();
        bench.start();
        let code = bench.ended().await;
        assert!(matches!(code, Some(2 | 5)), "{what}: {code:?}\n{}", bench.log());
        assert!(bench.log().contains("error: "), "{what}: {}", bench.log());
        assert_tells_nothing(what, bench.log().as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_with_a_key_is_closed_to_other_processes_of_its_user_and_dumps_no_core() {
    let Some(mut bench) = Bench::new().await else { return };
    // A user without rights, where this one has them.
    bench.user = rustix::process::getuid().is_root().then_some(65_534);
    let user = bench.user;
    let as_user = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        user.into_iter().for_each(|user| {
            command.uid(user).gid(user);
        });
        command.arg(argument).output().unwrap()
    };
    let from_a_file = |bench: &Bench| {
        let path = bench.directory.path().join("key");
        fs::write(&path, OPERATOR_KEY).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        bench.user.into_iter().for_each(|user| chown(&path, Some(user), Some(user)).unwrap());
        vec!["--key-file".to_owned(), path.to_str().unwrap().to_owned()]
    };
    for (key, flags) in [(OPERATOR_KEY, vec![]), ("", from_a_file(&bench))] {
        (bench.key, bench.flags) = (key, flags);
        bench.start_ready().await;
        let process = format!("/proc/{}", bench.pid());
        for file in ["environ", "maps", "auxv"] {
            let read = as_user("cat", &format!("{process}/{file}"));
            let told = String::from_utf8_lossy(&read.stderr).into_owned();
            assert!(!read.status.success() && told.contains("Permission denied"), "{file}: {told}");
        }
        let status = as_user("cat", &format!("{process}/status"));
        assert!(status.status.success(), "what is no secret can be read");
        let limits = fs::read_to_string(format!("{process}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
        assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    }
    let warnings = bench.log().matches("name that by --key-file (REFINER_KEY_FILE)").count();
    assert_eq!(warnings, 1, "the environment is warned of, and a file is not:\n{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn key_file_that_others_may_read_is_refused_unless_that_is_permitted() {
    let Some(mut bench) = Bench::new().await else { return };
    let path = bench.directory.path().join("key");
    fs::write(&path, OPERATOR_KEY).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    bench.key = "";
    bench.flags = vec!["--key-file".to_owned(), path.to_str().unwrap().to_owned()];
    bench.start();
    assert_eq!(bench.ended().await, Some(2), "{}", bench.log());
    let log = bench.log();
    assert!(log.contains("open to others (mode 644), expected mode 600") && log.contains("hint: chmod 600"), "{log}");
    assert_tells_nothing("the log", log.as_bytes());

    bench.flags.push("--insecure-key-permissions".to_owned());
    bench.start_ready().await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
}
