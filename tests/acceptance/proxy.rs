//! `--proxy` of the commands beside the daemon, as their user meets it.

use std::fs;

use refiner_evm::{EmbeddedExecutor, Era, ResultFormat};
use refiner_testkit::{
    evm_server::EvmServerDouble,
    pinner::PinnerDouble,
    proxy::{Manner, ProxyDouble},
};

use crate::program::{refiner, samples_directory, text};

/// An id of other content than anything here has.
const ID: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

#[test]
fn content_goes_through_the_proxy() {
    let (pinner, proxy) = (PinnerDouble::start().unwrap(), ProxyDouble::start().unwrap());
    proxy.knows("pinner.test", pinner.address());
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    fs::write(&file, "small").unwrap();
    let to = ["--pinner", "http://pinner.test", "--proxy", &proxy.url()];
    let data = scratch.path().join("data");
    let put = refiner(&[&["content", "put", text(&file), "--data", text(&data)][..], &to].concat()).expect(0).text();
    let id = put.split(' ').next().unwrap();
    let get = [&["content", "get", id, "--gateway", "none"][..], &to].concat();
    assert_eq!(refiner(&get).expect(0).text(), "small");
    assert_eq!(proxy.requests().len(), 2, "{:?}", proxy.requests());

    let refused = refiner(&[&get[..], &["--proxy-except", "pinner.test"]].concat()).expect(5);
    assert!(refused.stderr.contains("http://pinner.test: no connection"), "{}", refused.stderr);
    proxy.set(Manner::Asks("Basic others".to_owned()));
    let refused = refiner(&get).expect(5).stderr;
    assert!(refused.contains(&format!("the proxy {} answered 407", proxy.url())), "{refused}");
}

#[test]
fn evm_server_is_asked_through_the_proxy() {
    let (double, proxy) = (EvmServerDouble::start().unwrap(), ProxyDouble::start().unwrap());
    let path = samples_directory().join("1-15600000.avro");
    let raw = fs::read(&path).unwrap();
    let specimen = refiner_specimen::decode(&raw).unwrap();
    let execution = EmbeddedExecutor::default().execute(&specimen, ResultFormat::EvmServer(Era::B)).unwrap();
    double.teach(&raw, &execution.block_result(&specimen).unwrap());
    proxy.knows("evm.test", double.url().trim_start_matches("http://").parse().unwrap());
    let url = proxy.url();
    let replay = ["replay", text(&path), "--format", "evm-server@b", "--json", "--evm", "remote"];
    let replay = [&replay[..], &["--evm-server", "http://evm.test", "--proxy", &url]].concat();
    let ended = refiner(&replay).expect(0);
    assert_eq!(ended.json_lines()[0]["verdict"], "produced");
    assert_eq!(proxy.requests(), ["POST http://evm.test/process"]);

    proxy.set(Manner::ShowsPage(200));
    let ended = refiner(&[&replay[..], &["--evm-timeout", "3s"]].concat());
    assert_ne!(ended.code, 0);
    let told = ended.text() + &ended.stderr;
    assert!(told.contains("came through the proxy"), "{told}");
}

#[test]
fn rules_and_sessions_are_asked_for_through_the_proxy() {
    let proxy = ProxyDouble::start().unwrap();
    let sha256 = "0".repeat(64);
    let rules = [
        (format!("https://rules.test/a.wasm#sha256={sha256}"), "rules.test:443"),
        (format!("oci://registry.test/a@sha256:{sha256}"), "registry.test:443"),
    ];
    for (rule, target) in &rules {
        let refused = refiner(&["rule", "info", rule, "--proxy", &proxy.url()]);
        let told = format!("opens no tunnel to {}", target.trim_end_matches(":443"));
        assert!(refused.code != 0 && refused.stderr.contains(&told), "{}", refused.stderr);
        assert!(proxy.requests().contains(&format!("CONNECT {target}")), "{:?}", proxy.requests());
    }
    let rule = format!("ipfs://{ID}");
    refiner(&["rule", "info", &rule, "--ipfs-gateway", "http://gateway.test", "--proxy", &proxy.url()]);
    let session =
        ["session", "show", "1", "--network", "moonbeam", "--rpc", "http://node.test", "--proxy", &proxy.url()];
    let told = refiner(&session).stderr;
    for request in ["GET http://gateway.test/ipfs/".to_owned() + ID, "POST http://node.test/".to_owned()] {
        assert!(proxy.requests().contains(&request), "{:?}: {told}", proxy.requests());
    }
}

#[test]
fn other_schemes_are_refused_by_name_and_without_credentials() {
    for scheme in ["https", "socks5", "socks5h", "socks4"] {
        let proxy = format!("{scheme}://user:canary@proxy.example:3128");
        let refused = refiner(&["content", "get", ID, "--proxy", &proxy]).expect(2).stderr;
        assert!(refused.contains(&format!("{scheme}://…")) && refused.contains("begins with http://"), "{refused}");
        assert!(!refused.contains("canary"), "{refused}");
    }
}
