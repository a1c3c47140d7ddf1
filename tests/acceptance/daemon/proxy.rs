//! The daemon behind an HTTP proxy: used when it is asked for, named when it fails, and never taken from the environment.

use refiner_journal::State;
use refiner_testkit::proxy::{Manner, ProxyDouble};

use crate::{bench::Bench, faults::until_waits, specimens::stream};

/// `canary-proxy-user` and `canary-proxy-password` as the header has them.
const CREDENTIALS: &str = "Basic Y2FuYXJ5LXByb3h5LXVzZXI6Y2FuYXJ5LXByb3h5LXBhc3N3b3Jk";

/// Names that only the proxy knows, in place of the loopback addresses of node and pinner.
fn behind(bench: &mut Bench, proxy: &ProxyDouble) {
    for (url, name) in bench.urls.iter_mut().zip(["node.test", "pinner.test"]) {
        proxy.knows(name, url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap());
        *url = format!("http://{name}");
    }
    let url = proxy.url().replace("//", "//canary-proxy-user:canary-proxy-password@");
    bench.flags = ["--proxy", &url].map(str::to_owned).into();
}

fn assert_conceals(bench: &Bench) {
    let status = bench.get("/status").unwrap_or_default();
    for text in [bench.log(), status] {
        assert!(!text.contains("canary") && !text.contains(&CREDENTIALS[6..]), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_asked_through_the_proxy_and_waits_while_that_fails() {
    let Some(mut bench) = Bench::new().await else { return };
    let proxy = ProxyDouble::start().unwrap();
    behind(&mut bench, &proxy);
    bench.flags.extend(["--log", "trace"].map(str::to_owned));
    let given = stream(2);
    let (address, url) = (proxy.address(), proxy.url());
    drop(proxy);

    bench.start();
    until_waits(&mut bench, "connect", &format!("no connection to the proxy {url}; start it, or correct --proxy"))
        .await;
    let proxy = ProxyDouble::start_at(address).unwrap();
    let knows = |proxy: &ProxyDouble, bench: &Bench| {
        proxy.knows("node.test", bench.rpc.url().trim_start_matches("http://").trim_end_matches('/').parse().unwrap());
        proxy.knows("pinner.test", bench.pinner.address());
    };
    knows(&proxy, &bench);
    proxy.set(Manner::Asks("Basic others".to_owned()));
    until_waits(&mut bench, "connect", &format!("the proxy {url} answered 407")).await;
    proxy.set(Manner::ShowsPage(200));
    until_waits(&mut bench, "connect", "HTTP 200 with an HTML page came through the proxy").await;
    proxy.set(Manner::Asks(CREDENTIALS.to_owned()));
    bench.announce(&given[..1]).await;
    bench.until_all(State::Final, 1).await;

    // What is announced while the proxy shows a page is late, and not lost.
    proxy.set(Manner::ShowsPage(503));
    bench.announce(&given[1..]).await;
    until_waits(&mut bench, "scan", "came through the proxy").await;
    assert_conceals(&bench);
    proxy.set(Manner::Asks(CREDENTIALS.to_owned()));
    bench.until_all(State::Final, 2).await;
    bench.assert_proved_once(&given).await;
    let requests = proxy.requests();
    for (request, by) in [
        ("POST http://node.test/", "RPC"),
        ("POST http://pinner.test/upload", "pins"),
        ("GET http://pinner.test/get", "fetches"),
    ] {
        assert!(requests.iter().any(|found| found.starts_with(request)), "{by}: {requests:?}");
    }
    assert_conceals(&bench);

    let doctor = bench.command_of(&["doctor", "--json"]).output().unwrap();
    let report = String::from_utf8(doctor.stdout).unwrap();
    assert!(report.contains(r#""name":"pinner","state":"ok""#) && report.contains("node http://node.test"), "{report}");
    assert!(!report.contains("canary"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_of_the_environment_are_named_once_and_not_used() {
    let Some(mut bench) = Bench::new().await else { return };
    let proxy = ProxyDouble::start().unwrap();
    let with_secret = proxy.url().replace("//", "//canary-user:canary-password@");
    for variable in ["HTTP_PROXY", "https_proxy", "ALL_PROXY"] {
        bench.environment.push((variable.to_owned(), with_secret.clone()));
    }
    let ignored = "proxy variables of the environment are ignored";
    let given = stream(1);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Final, 1).await;
    let log = bench.log();
    assert_eq!(log.matches(ignored).count(), 1, "{log}");
    assert!(log.contains("HTTP_PROXY, https_proxy, ALL_PROXY") && !log.contains("canary"), "{log}");
    let doctor = bench.command_of(&["doctor"]).output().unwrap();
    let notice = String::from_utf8(doctor.stderr).unwrap();
    assert!(notice.matches(ignored).count() == 1 && !notice.contains("canary"), "{notice}");
    bench.assert_proved_once(&given).await;

    // With a proxy of its own there is nothing to warn of, and this machine is asked without it.
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    bench.flags = ["--proxy", &proxy.url()].map(str::to_owned).into();
    bench.start_ready().await;
    assert_eq!(bench.log().matches(ignored).count(), 1, "{}", bench.log());
    assert!(proxy.requests().is_empty(), "{:?}", proxy.requests());
}
