//! Tests of the checks before work begins: each outcome that can be brought about, in `refiner doctor` and at the start of `run`.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use alloy_primitives::Address;
use axum::{Json, Router, extract::State as Shared, routing::post};
use refiner_evm::{EmbeddedExecutor, Era, ResultFormat};
use refiner_journal::State;
use refiner_specimen::decode;
use refiner_testchain::{Fault, LimitedRange, OPERATOR, OPERATOR_KEY, OPERATOR_KEYSTORE, Provider, Setup};
use refiner_testkit::{
    evm_server::EvmServerDouble,
    pinner::{Fault as PinnerFault, Route},
    unused_address,
};
use serde_json::{Value, json};

use crate::{bench::Bench, specimens::stream};

/// The sample block that an evm-server is asked for.
pub const SAMPLE: &[u8] = include_bytes!("../../samples/1-15600000.avro");
/// A port where nothing listens.
const NOWHERE: &str = "http://127.0.0.1:1";

/// A report of `refiner doctor`.
struct Report {
    code: Option<i32>,
    state: String,
    checks: BTreeMap<String, (String, String, Option<String>)>,
    text: String,
}

impl Report {
    fn of(bench: &Bench) -> Self {
        let output = bench.command_of(&["doctor", "--json"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(OPERATOR_KEY), "{text}");
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["schemaVersion"], 2);
        let word = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
        let checks = report["checks"].as_array().unwrap().iter().map(|check| {
            let remedy = check["remedy"].as_str().map(str::to_owned);
            assert_eq!(remedy.is_none(), check["state"] == "ok", "{check}");
            (word(check, "name"), (word(check, "state"), word(check, "detail"), remedy))
        });
        let (checks, state) = (checks.collect(), word(&report, "state"));
        Self { code: output.status.code(), state, checks, text }
    }

    /// The check has this state, and these words.
    #[track_caller]
    fn assert(&self, name: &str, state: &str, words: &str) {
        let (found, detail, _) = self.checks.get(name).unwrap_or_else(|| panic!("no check {name}: {}", self.text));
        assert!(found == state && detail.contains(words), "{name}: {state} {words:?}: {}", self.text);
        let code = if self.state == "error" { 5 } else { 0 };
        assert_eq!(self.code, Some(code), "{}", self.text);
    }
}

fn file(bench: &Bench, name: &str, text: &str, mode: u32) -> String {
    let path = bench.directory.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn flags(flags: &[&str]) -> Vec<String> {
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_everything_ok_where_a_daemon_can_work() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.key = "";
    bench.flags = flags(&["--key-file", &file(&bench, "key", OPERATOR_KEY, 0o600)]);
    let report = Report::of(&bench);
    for (name, words) in [
        ("limits", "stop a guest that spins"),
        ("key", &format!("{OPERATOR}, from a file, which its owner alone may read")),
        ("disk", "MiB/s"),
        ("clock", "not behind"),
        ("contracts", "results 0x"),
        ("operator", "has the role, and its validator is enabled"),
        ("balance", "proofs left"),
        ("session", "proofs of recent blocks of chain 1 are taken"),
        ("nonces", "none that this journal does not know"),
        ("pinner", "names content as the network does"),
        (&format!("node {}", bench.rpc.url()), "newest block"),
        (&format!("log range of {}", bench.rpc.url()), "1024 blocks at once"),
    ] {
        let state = if name == "disk" { &report.checks["disk"].0 } else { "ok" };
        report.assert(name, state, words);
    }
    assert_ne!(report.state, "error", "{}", report.text);
    let output = bench.command_of(&["doctor"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("ok       pinner ") && told.contains("\nAll checks passed"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_judges_the_key_and_its_file() {
    let Some(mut bench) = Bench::new().await else { return };
    Report::of(&bench).assert("key", "warning", "from the environment");
    bench.key = "";
    let open = file(&bench, "open", OPERATOR_KEY, 0o644);
    bench.flags = flags(&["--key-file", &open]);
    Report::of(&bench).assert("key", "error", "open to others (mode 644)");
    bench.flags = flags(&["--key-file", &open, "--insecure-key-permissions"]);
    Report::of(&bench).assert("key", "warning", "is open to others (mode 644)");
    bench.flags = flags(&["--key-file", "/no/such/file"]);
    Report::of(&bench).assert("key", "error", "No such file");
    let (keystore, password) = (file(&bench, "keystore", OPERATOR_KEYSTORE, 0o600), file(&bench, "no", "no", 0o600));
    bench.flags = flags(&["--keystore", &keystore, "--password-file", &password]);
    Report::of(&bench).assert("key", "error", "password");
    bench.flags = flags(&["--prove", "none"]);
    Report::of(&bench).assert("key", "ok", "results are not proved");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_judges_contracts_and_operator() {
    let Some(mut bench) = Bench::new().await else { return };
    let (specimens, results) = (bench.chain.specimen_contract().to_string(), bench.chain.result_contract().to_string());
    bench.flags = flags(&["--specimen-contract", &results, "--result-contract", &specimens]);
    Report::of(&bench).assert("contracts", "error", "are swapped");
    bench.flags = flags(&["--result-contract", &specimens]);
    Report::of(&bench).assert("contracts", "error", "takes no proofs of results");
    bench.flags = flags(&["--specimen-contract", &results]);
    Report::of(&bench).assert("contracts", "error", "so it is not one");
    bench.flags = flags(&["--result-contract", &Address::repeat_byte(7).to_string()]);
    Report::of(&bench).assert("proof chain", "error", "no contract at 0x0707");
    bench.flags.clear();

    // Code that answers nothing.
    let other = Address::repeat_byte(9);
    bench.chain.rpc("anvil_setCode", json!([other, "0x00"])).await.unwrap();
    bench.flags = flags(&["--result-contract", &other.to_string()]);
    Report::of(&bench).assert("contracts", "error", "answers otherwise than version 1.5");
    bench.flags = flags(&["--rpc-timeout", "1s"]);
    bench.rpc.fail("eth_gasPrice", Fault::Hang);
    Report::of(&bench).assert("proof chain", "error", "did not answer eth_gasPrice");
    bench.rpc.heal("eth_gasPrice");
    bench.flags.clear();

    bench.chain.set_operator_enabled(false).await.unwrap();
    Report::of(&bench).assert("operator", "error", "validator is not enabled");
    bench.chain.set_operator_enabled(true).await.unwrap();
    // A key that is no operator's.
    bench.key = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
    Report::of(&bench).assert("operator", "error", "is not a block result producer");
    bench.key = OPERATOR_KEY;

    for (wei, state) in [("0x1", "error"), ("0xb5e620f48000", "warning")] {
        bench.chain.rpc("anvil_setBalance", json!([OPERATOR, wei])).await.unwrap();
        // 350,000 gas at a price of a few gwei, and of a hundredth of it at the least.
        let price = bench.chain.rpc("eth_gasPrice", json!([])).await.unwrap();
        let price = u64::from_str_radix(price.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
        if state == "warning" {
            let ten = format!("{:#x}", u128::from(price) * 3_500_000);
            bench.chain.rpc("anvil_setBalance", json!([OPERATOR, ten])).await.unwrap();
        }
        Report::of(&bench).assert("balance", state, "proofs left");
    }
    bench.flags = flags(&["--low-balance", "3"]);
    Report::of(&bench).assert("balance", "ok", "proofs left");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_judges_sessions_clock_and_log_ranges() {
    let unset = Setup { source_height: None, ..Setup::default() };
    let Some(bench) = Bench::with(&unset).await else { return };
    Report::of(&bench).assert("session", "warning", "its sync data is not set");
    let range = format!("log range of {}", bench.rpc.url());
    let refusal = Fault::Refuse { code: -32005, message: "query exceeds the range of 10 blocks".to_owned() };
    bench.rpc.fail("eth_getLogs", refusal);
    Report::of(&bench).assert(&range, "error", "gives no logs");
    bench.rpc.heal("eth_getLogs");
    bench.chain.rpc("evm_increaseTime", json!([3_600])).await.unwrap();
    bench.chain.mine(1).await.unwrap();
    Report::of(&bench).assert("clock", "warning", "behind the newest block's time");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_judges_pinner_and_evm_server() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.pinner.fault(Route::Health, PinnerFault::Status(503, "later".to_owned()));
    Report::of(&bench).assert("pinner", "error", "503");
    bench.pinner.mend(Route::Health);
    bench.pinner.fault(Route::Cid, PinnerFault::WrongCid);
    Report::of(&bench).assert("pinner", "error", "");
    bench.pinner.fault(Route::Cid, PinnerFault::Panic);
    Report::of(&bench).assert("pinner", "error", "nil pointer");
    bench.pinner.mend(Route::Cid);
    bench.urls[1] = NOWHERE.to_owned();
    Report::of(&bench).assert("pinner", "error", "127.0.0.1:1");
    bench.urls[1] = bench.pinner.url();

    let double = EvmServerDouble::start().unwrap();
    teach_sample(&double, Era::D);
    let with = |url: &str| flags(&["--format", "evm-server@d", "--evm", "remote", "--evm-server", url]);
    bench.flags = with(&double.url());
    Report::of(&bench).assert("evm-server", "ok", "are the embedded executor's");
    double.teach(SAMPLE, b"{}");
    Report::of(&bench).assert("evm-server", "error", "different results");
    bench.flags = [with(NOWHERE), flags(&["--evm-timeout", "1s"])].concat();
    Report::of(&bench).assert("evm-server", "error", "no answer from the evm-server");
}

/// Teaches the double the sample of the preflight.
pub fn teach_sample(double: &EvmServerDouble, era: Era) {
    let specimen = decode(SAMPLE).unwrap();
    let execution = EmbeddedExecutor::default().execute(&specimen, ResultFormat::EvmServer(era)).unwrap();
    double.teach(SAMPLE, &execution.block_result(&specimen).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_password_and_missing_key_file_end_the_start_at_once_while_all_nodes_are_down() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.urls[0] = NOWHERE.to_owned();
    bench.key = "";
    let (keystore, password) = (file(&bench, "keystore", OPERATOR_KEYSTORE, 0o600), file(&bench, "no", "no", 0o600));
    for (place, words) in [
        (vec!["--key-file", "/no/such/file"], "No such file"),
        (vec!["--keystore", &keystore, "--password-file", &password], "password"),
    ] {
        bench.flags = flags(&place);
        let begun = Instant::now();
        bench.start();
        assert_eq!(bench.ended().await, Some(2), "{}", bench.log());
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        let log = bench.log();
        assert!(log.contains("cannot load the operator's key") && log.contains(words), "{log}");
        assert!(!log.contains("node unreachable") && !bench.data.join("journal.sqlite").exists(), "{log}");
    }
}

/// A Web3Signer that holds these keys.
async fn web3signer(listener: TcpListener, held: Arc<Mutex<Vec<Address>>>) {
    async fn answer(Shared(held): Shared<Arc<Mutex<Vec<Address>>>>, Json(question): Json<Value>) -> Json<Value> {
        assert_eq!(question["method"], "eth_accounts");
        Json(json!({"jsonrpc": "2.0", "id": question["id"], "result": *held.lock().unwrap()}))
    }
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let router = Router::new().route("/", post(answer)).with_state(held);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
}

#[tokio::test(flavor = "multi_thread")]
async fn web3signer_that_is_down_is_waited_for_and_one_without_the_key_is_an_error() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.key = "";
    let address = unused_address();
    bench.flags = flags(&["--signer", &format!("http://{address}"), "--operator", &OPERATOR.to_string()]);
    Report::of(&bench).assert("key", "error", &address.to_string());
    bench.start();
    bench.until("it waits for the signer", |bench| bench.waits_for("signer").is_some()).await;
    let waits = |bench: &Bench| {
        bench.get("/readyz").is_some_and(|answer| answer.contains(" 503 ") && answer.contains("waits for signer: "))
    };
    bench.until("readiness names the signer", |bench| waits(bench)).await;
    let metric = "refiner_waiting{part=\"signer\"} 1";
    bench.until("the metric shows it", |bench| bench.get("/metrics").is_some_and(|told| told.contains(metric))).await;

    let held = Arc::new(Mutex::new(vec![OPERATOR]));
    web3signer(TcpListener::bind(address).unwrap(), Arc::clone(&held)).await;
    bench.until("it is ready", |bench| bench.get("/readyz").is_some_and(|answer| answer.contains(" 200 "))).await;
    assert_eq!(bench.waits_for("signer"), None);
    assert_eq!(bench.log().matches("signer unreachable").count(), 1, "{}", bench.log());
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    Report::of(&bench).assert("key", "ok", "from a Web3Signer");

    held.lock().unwrap().clear();
    Report::of(&bench).assert("key", "error", "the Web3Signer has not the key");
    bench.start();
    assert_eq!(bench.ended().await, Some(2), "{}", bench.log());
    let log = bench.log();
    assert!(
        log.contains("the Web3Signer has not the key of") && log.contains("hint: load the operator's key"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_is_ready_only_when_no_check_is_an_error_and_works_all_the_same() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    bench.pinner.fault(Route::Cid, PinnerFault::WrongCid);
    bench.announce(&given).await;
    bench.start();
    bench
        .until("readiness names the pinner", |bench| {
            bench.get("/readyz").is_some_and(|answer| answer.contains(" 503 ") && answer.contains("waits for pinner: "))
        })
        .await;
    bench.until_all(State::Final, 1).await;
    assert!(bench.get("/readyz").unwrap().contains(" 503 "));
    let status = bench.status().unwrap();
    assert_eq!(status["now"]["ready"], false);
    let checks = status["now"]["preflight"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["name"] == "pinner" && check["state"] == "error"), "{status}");
    bench.pinner.mend(Route::Cid);
    bench.until("it is ready", |bench| bench.get("/readyz").is_some_and(|answer| answer.contains(" 200 "))).await;
    assert_eq!(bench.log().matches("check failed, not ready").count(), 1, "{}", bench.log());
    let checked = bench.status().unwrap()["now"]["preflightMs"].as_u64().unwrap();

    // What fails later holds no orchestrator up, and is named.
    for method in ["eth_blockNumber", "eth_getLogs", "eth_getBlockByNumber"] {
        bench.rpc.fail(method, Fault::Status(404));
    }
    let names_scan = |answer: String| answer.contains(" 200 ") && answer.contains("\nwaits for scan: ");
    bench.until("readiness names the scan", |bench| bench.get("/readyz").is_some_and(names_scan)).await;
    assert_eq!(bench.status().unwrap()["now"]["preflightMs"], checked, "the checks are not made again");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_of_the_key_is_noticed_in_the_pool_and_on_chain() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    bench.start_ready().await;
    bench.announce(&given).await;
    bench.until_all(State::Final, 1).await;
    assert!(bench.status().unwrap()["now"]["foreign"].is_null());
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());

    bench.chain.set_automine(false).await.unwrap();
    let transaction = json!([{"from": OPERATOR, "to": OPERATOR, "value": "0x1"}]);
    bench.chain.rpc("anvil_impersonateAccount", json!([OPERATOR])).await.unwrap();
    bench.chain.rpc("eth_sendTransaction", transaction).await.unwrap();
    Report::of(&bench).assert("nonces", "warning", "1 transactions of the operator that are not this daemon's wait");
    bench.start_ready().await;
    let foreign = bench.status().unwrap()["now"]["foreign"].clone();
    assert!(foreign["what"].as_str().unwrap().contains("wait in the pool"), "{foreign}");
    assert!(foreign["hint"].as_str().unwrap().contains("stop the other refiner"), "{foreign}");
    assert_eq!(bench.log().matches("operator's key is used elsewhere").count(), 1, "{}", bench.log());
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());

    bench.chain.set_automine(true).await.unwrap();
    bench.chain.mine(1).await.unwrap();
    Report::of(&bench).assert("nonces", "warning", "1 transactions of the operator on chain are not this daemon's");

    // Once a later nonce is this daemon's, the other one is a hole between two that the journal knows.
    bench.start_ready().await;
    bench.announce(&stream(2)[1..]).await;
    bench.until_all(State::Final, 2).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    Report::of(&bench).assert("nonces", "warning", "1 transactions of the operator on chain are not this daemon's");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_range_that_a_provider_shortens_is_a_warning() {
    let Some(bench) = Bench::new().await else { return };
    bench.chain.mine(1_100).await.unwrap();
    bench.rpc.behave(&Arc::new(LimitedRange { provider: Provider::Alchemy, blocks: 100 }));
    let name = format!("log range of {}", bench.rpc.url());
    Report::of(&bench).assert(&name, "warning", "fewer than 1024 blocks at once");
}
