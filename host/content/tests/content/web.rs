use refiner_content::{AddressPolicy, Blame, Content, FetchError, TransportError, UrlFetcher};
use url::Url;

use crate::{
    LIMIT_BYTES, Outcome, bytes, patient,
    pinner::{Fault, PinnerDouble, Route},
};

#[tokio::test]
async fn unverified_bytes_come_out_only_through_the_callers_check() -> Outcome {
    let double = PinnerDouble::start()?;
    double.serve_at("/1.avro", 200, b"specimen");
    let web = UrlFetcher::new(patient(), AddressPolicy::Anywhere)?;
    let url = Url::parse(&format!("{}/1.avro", double.url()))?;

    let unverified = web.fetch(&url).await?;
    assert!(!format!("{unverified:?}").contains("specimen"));
    let content = unverified.check(|bytes| bytes == b"specimen").await?;
    assert_eq!(content, Content::of("specimen".into()));

    let refused = web.fetch(&url).await?.check(|_| false).await.unwrap_err();
    assert!(matches!(refused, FetchError::NotAnnounced { .. }), "{refused:?}");
    assert_eq!(refused.blame(), Blame::Infrastructure);
    Ok(())
}

#[tokio::test]
async fn reading_stops_at_the_size_limit() -> Outcome {
    let double = PinnerDouble::start()?;
    let web = UrlFetcher::new(patient(), AddressPolicy::Anywhere)?;
    let url = Url::parse(&format!("{}/a", double.url()))?;
    double.serve_at("/a", 200, &bytes(LIMIT_BYTES));
    assert!(web.fetch(&url).await.is_ok());
    double.serve_at("/a", 200, &bytes(LIMIT_BYTES + 1));
    assert!(matches!(web.fetch(&url).await, Err(FetchError::TooLarge { limit_bytes: LIMIT_BYTES, .. })));
    Ok(())
}

#[tokio::test]
async fn an_announced_url_never_leads_into_a_private_network() -> Outcome {
    let double = PinnerDouble::start()?;
    let port = double.address().port();
    let web = UrlFetcher::new(patient(), AddressPolicy::Public)?;
    for host in [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[fd00::1]",
        "[fe80::1]",
        "[ff02::1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:db8::1]",
        "[2001::1]",
        "[::127.0.0.1]",
    ] {
        let url = Url::parse(&format!("http://{host}:{port}/a"))?;
        let refused = web.fetch(&url).await.unwrap_err();
        let private = matches!(refused, FetchError::Transport { source: TransportError::PrivateAddress, .. });
        assert!(private, "{host}: {refused:?}");
        assert_eq!(refused.blame(), Blame::Final);
    }
    assert!(double.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn redirects_are_followed_and_have_an_end() -> Outcome {
    let double = PinnerDouble::start()?;
    let web = UrlFetcher::new(patient(), AddressPolicy::Anywhere)?;
    let url = Url::parse(&format!("{}/a", double.url()))?;
    double.fault_times(Route::Other, Fault::Redirect("/b".into()), 1);
    double.serve_at("/b", 200, b"specimen");
    assert!(web.fetch(&url).await.is_ok());
    double.fault(Route::Other, Fault::RedirectLoop);
    assert!(matches!(web.fetch(&url).await, Err(FetchError::Transport { .. })));
    Ok(())
}
