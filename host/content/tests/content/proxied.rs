//! Requests through a proxy: used when it is asked for, never for this machine, and never because of the environment.

use std::{env, net::TcpListener, process::Command, time::Duration};

use refiner_content::{
    AddressPolicy, Blame, Content, ContentStore as _, FetchBackend as _, FetchError, Gateway, KeepError, Pinner,
    TransportError, UrlFetcher,
};
use refiner_diagnostics::ErrorChain;
use refiner_http_client::{Egress, ProxyFailure};
use url::Url;

use crate::{
    Outcome, patient, patient_pinner,
    pinner::PinnerDouble,
    proxy::{Manner, ProxyDouble},
};

/// Credentials of the proxies of these tests: `user` and a password with a character that URLs escape.
const CREDENTIALS: &str = "Basic dXNlcjpjYW5hcnk6L0A=";

fn through(proxy: &ProxyDouble) -> Egress {
    let url = proxy.url().replace("//", "//user:canary%3A%2F%40@");
    Egress::through(url.parse().unwrap(), ["direct.test".to_owned()])
}

fn proxy_failure(error: FetchError) -> (String, ProxyFailure) {
    assert_eq!(error.blame(), Blame::Infrastructure, "what a proxy does is no fault of the content");
    let text = format!("{} {error:?}", ErrorChain(&error));
    assert!(!text.contains("canary"), "{text}");
    match error {
        FetchError::Transport { source: TransportError::Proxy(failure), .. } => (text, failure),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn requests_go_through_the_proxy_with_its_credentials() -> Outcome {
    let (double, proxy) = (PinnerDouble::start()?, ProxyDouble::start()?);
    proxy.knows("pinner.test", double.address());
    proxy.set(Manner::Asks(CREDENTIALS.to_owned()));
    let egress = through(&proxy);
    let pinner = Pinner::through(&egress, "http://pinner.test:5080", patient_pinner())?;
    let content = Content::of("specimen".into());
    let id = pinner.keep(&content).await?;
    assert_eq!(pinner.fetch(&id).await?.bytes(), "specimen");
    let gateway = Gateway::through(&egress, "http://pinner.test", patient())?;
    assert_eq!(gateway.fetch(&id).await?.bytes(), "specimen");
    let expected = [
        "POST http://pinner.test:5080/upload".to_owned(),
        format!("GET http://pinner.test:5080/get?cid={id}"),
        format!("GET http://pinner.test/ipfs/{id}"),
    ];
    assert_eq!(proxy.requests(), expected);
    assert!(!format!("{pinner:?} {gateway:?}").contains("canary"));
    Ok(())
}

#[tokio::test]
async fn this_machine_and_exempted_hosts_are_asked_without_the_proxy() -> Outcome {
    let (double, proxy) = (PinnerDouble::start()?, ProxyDouble::start()?);
    double.serve_at("/a", 200, b"specimen");
    let web = UrlFetcher::through(&through(&proxy), patient(), AddressPolicy::Anywhere)?;
    let port = double.address().port();
    for host in ["127.0.0.1", "localhost", "0.0.0.0"] {
        assert!(web.fetch(&Url::parse(&format!("http://{host}:{port}/a"))?).await.is_ok(), "{host}");
    }
    let direct = web.fetch(&Url::parse("http://direct.test/a")?).await.unwrap_err();
    assert!(matches!(direct, FetchError::Transport { source: TransportError::Connect(_), .. }), "{direct:?}");
    assert!(proxy.requests().is_empty(), "{:?}", proxy.requests());
    Ok(())
}

#[tokio::test]
async fn https_goes_through_a_tunnel() -> Outcome {
    let (listener, proxy) = (TcpListener::bind("127.0.0.1:0")?, ProxyDouble::start()?);
    proxy.knows("gateway.test", listener.local_addr()?);
    proxy.set(Manner::Asks(CREDENTIALS.to_owned()));
    let hello = std::thread::spawn(move || {
        let mut first = [0];
        std::io::Read::read_exact(&mut listener.accept().unwrap().0, &mut first).unwrap();
        first[0]
    });
    let gateway = Gateway::through(&through(&proxy), "https://gateway.test", patient())?;
    let error = gateway.health().await.unwrap_err();
    // Its other end speaks no TLS, which is no fault of the proxy.
    assert!(matches!(error, FetchError::Transport { source: TransportError::Connect(_), .. }), "{error:?}");
    const TLS_HANDSHAKE: u8 = 0x16;
    assert_eq!(hello.join().unwrap(), TLS_HANDSHAKE);
    assert_eq!(proxy.requests(), ["CONNECT gateway.test:443"]);
    Ok(())
}

#[tokio::test]
async fn failing_proxy_is_named_with_the_remedy() -> Outcome {
    let (double, proxy) = (PinnerDouble::start()?, ProxyDouble::start()?);
    proxy.knows("pinner.test", double.address());
    let egress = through(&proxy);
    let gateways =
        ["http://pinner.test", "https://pinner.test"].map(|base| Gateway::through(&egress, base, patient()).unwrap());
    let health = async |index: usize| proxy_failure(gateways[index].health().await.unwrap_err());

    proxy.set(Manner::Asks("Basic others".to_owned()));
    for index in [0, 1] {
        let (text, failure) = health(index).await;
        assert!(matches!(failure, ProxyFailure::Credentials { .. }), "{failure:?}");
        assert!(text.contains(&format!("the proxy {} answered 407", proxy.url())), "{text}");
        assert!(text.contains("--proxy http://USER:PASSWORD@HOST:PORT"), "{text}");
    }
    proxy.set(Manner::ShowsPage(403));
    let (text, failure) = health(0).await;
    assert!(matches!(failure, ProxyFailure::Page { status: 403, .. }), "{failure:?}");
    assert!(text.contains("HTML page came through the proxy") && text.contains("--proxy-except"), "{text}");
    let (text, failure) = health(1).await;
    assert!(matches!(failure, ProxyFailure::Tunnel { .. }), "{failure:?}");
    assert!(text.contains("opens no tunnel to pinner.test"), "{text}");
    // A page in place of the pinner's answer, as of a network that wants a login.
    proxy.set(Manner::ShowsPage(200));
    let pinner = Pinner::through(&egress, "http://pinner.test", patient_pinner())?;
    let error = pinner.keep(&Content::of("specimen".into())).await.unwrap_err();
    let KeepError::Transport { source: TransportError::Proxy(ProxyFailure::Page { status: 200, .. }), .. } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(error.blame(), Blame::Infrastructure);

    let url = proxy.url();
    drop(proxy);
    for gateway in &gateways {
        let (text, failure) = proxy_failure(gateway.health().await.unwrap_err());
        assert!(matches!(failure, ProxyFailure::Unreachable { .. }), "{failure:?}");
        assert!(text.contains(&format!("no connection to the proxy {url}; start it, or correct --proxy")), "{text}");
    }
    Ok(())
}

/// A proxy connects for its clients, so that their own resolver is not asked.
#[tokio::test]
async fn names_of_announced_urls_are_checked_behind_a_proxy_too() -> Outcome {
    let (inside, proxy) = (PinnerDouble::start()?, ProxyDouble::start()?);
    inside.serve_at("/control", 200, b"some");
    for host in ["localhost.test", "93.184.216.34"] {
        proxy.knows(host, inside.address());
    }
    let egress = through(&proxy);
    let anywhere = UrlFetcher::through(&egress, patient(), AddressPolicy::Anywhere)?;
    assert!(anywhere.fetch(&Url::parse("http://localhost.test/control")?).await.is_ok());
    let public = UrlFetcher::through(&egress, patient(), AddressPolicy::Public)?;
    for url in ["http://10.0.0.1/inside", "http://localhost/inside", "http://[fd00::1]/inside"] {
        let refused = public.fetch(&Url::parse(url)?).await.unwrap_err();
        let is_private = matches!(refused, FetchError::Transport { source: TransportError::PrivateAddress, .. });
        assert!(is_private, "{url}: {refused:?}");
    }
    // A name that cannot be looked up here is not left to the proxy.
    let unknown = public.fetch(&Url::parse("http://localhost.test/control")?).await.unwrap_err();
    assert!(matches!(unknown, FetchError::Transport { source: TransportError::Lookup(_), .. }), "{unknown:?}");
    inside.serve_at("/public", 200, b"some");
    assert!(public.fetch(&Url::parse("http://93.184.216.34/public")?).await.is_ok());
    let expected = ["GET http://localhost.test/control", "GET http://93.184.216.34/public"];
    assert_eq!(proxy.requests(), expected);
    Ok(())
}

/// A proxy that the operator names may have a private address, which only announced URLs may not.
#[tokio::test]
async fn proxy_may_be_named_by_a_name_with_a_private_address() -> Outcome {
    let (double, proxy) = (PinnerDouble::start()?, ProxyDouble::start()?);
    double.serve_at("/public", 200, b"some");
    proxy.knows("93.184.216.34", double.address());
    let by_name = format!("http://localhost:{}", proxy.address().port());
    let egress = Egress::through(by_name.parse()?, []);
    let public = UrlFetcher::through(&egress, patient(), AddressPolicy::Public)?;
    assert!(public.fetch(&Url::parse("http://93.184.216.34/public")?).await.is_ok());
    assert_eq!(proxy.requests(), ["GET http://93.184.216.34/public"]);
    Ok(())
}

/// The environment is a process's own, hence the second one.
#[test]
fn proxies_of_the_environment_are_not_used() -> Outcome {
    const CHILD: &str = "REFINER_TEST_OF_PROXY_VARIABLES";
    const TEST: &str = "proxied::proxies_of_the_environment_are_not_used";
    if env::var_os(CHILD).is_some() {
        return tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
            let limits = refiner_content::HttpLimits { connect: Duration::from_millis(200), ..patient() };
            for base in ["http://192.0.2.1", "https://192.0.2.1"] {
                assert!(Gateway::new(base, limits)?.health().await.is_err());
                let web = UrlFetcher::new(limits, AddressPolicy::Anywhere)?;
                assert!(web.fetch(&Url::parse(base)?).await.is_err());
            }
            Ok(())
        });
    }
    let proxy = ProxyDouble::start()?;
    let mut child = Command::new(env::current_exe()?);
    child.args(["--exact", TEST, "--nocapture"]).env(CHILD, "1").env_remove("NO_PROXY").env_remove("no_proxy");
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        child.env(variable, proxy.url());
    }
    let output = child.output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert!(proxy.requests().is_empty(), "{:?}", proxy.requests());
    Ok(())
}
