use std::{sync::Arc, time::Duration, time::Instant};

use refiner_content::{
    ATTEMPTS_MAX, Accept, AddressPolicy, Blame, Content, ContentId, FetchBackend, FetchError, Fetcher, Gateway,
    HedgePolicy, LocalStore, Locations, Pinner, UrlFetcher, content_id,
};

use crate::{
    LIMIT_BYTES, Outcome, PATIENT, SHORT, bytes, patient, patient_pinner,
    pinner::{Fault, PinnerDouble, Route},
};

/// So patient that a test which needs a hedge or a deadline would not end.
const UNHURRIED: HedgePolicy =
    HedgePolicy { hedge: Duration::from_secs(600), attempt: Duration::from_secs(600), in_flight: 4 };

fn pinner(double: &PinnerDouble) -> Arc<dyn FetchBackend> {
    Arc::new(Pinner::new(&double.url(), patient_pinner()).unwrap())
}

fn gateway(double: &PinnerDouble) -> Arc<dyn FetchBackend> {
    Arc::new(Gateway::new(&double.url(), patient()).unwrap())
}

fn web(reach: AddressPolicy) -> Option<UrlFetcher> {
    Some(UrlFetcher::new(patient(), reach).unwrap())
}

fn doubles<const N: usize>() -> [PinnerDouble; N] {
    std::array::from_fn(|_| PinnerDouble::start().unwrap())
}

fn is(expected: &'static [u8]) -> Option<Accept> {
    Some(Arc::new(move |bytes| bytes == expected))
}

#[tokio::test]
async fn the_first_source_that_has_it_is_enough() -> Outcome {
    let [first, second] = doubles();
    first.put(b"hello");
    let fetcher = Fetcher::new(vec![pinner(&first), gateway(&second)], None, UNHURRIED);
    let fetched = fetcher.fetch(&content_id(b"hello")).await?;
    assert_eq!(fetched.content, Content::of("hello".into()));
    assert_eq!(fetched.from.as_str(), first.url());
    assert!(fetched.failed.is_empty() && second.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn after_a_failure_the_next_source_is_asked_at_once() -> Outcome {
    let [missing, lying, dying, good] = doubles();
    for double in [&lying, &dying, &good] {
        double.put(b"hello");
    }
    lying.fault(Route::Get, Fault::Flipped);
    dying.fault(Route::Get, Fault::DieInAnswer);
    let sources = [&missing, &lying, &dying, &good].map(pinner).to_vec();
    let fetched = Fetcher::new(sources, None, UNHURRIED).fetch(&content_id(b"hello")).await?;
    assert_eq!(fetched.from.as_str(), good.url());
    assert_eq!(fetched.failed.len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_source_that_stalls_is_overtaken_after_the_hedge_delay() -> Outcome {
    let [stalling, good] = doubles();
    good.put(b"hello");
    stalling.fault(Route::Get, Fault::Stall);
    let pace = HedgePolicy { hedge: SHORT, ..UNHURRIED };
    let begun = Instant::now();
    let fetched = Fetcher::new(vec![pinner(&stalling), pinner(&good)], None, pace).fetch(&content_id(b"hello")).await?;
    assert_eq!(fetched.from.as_str(), good.url());
    assert!(begun.elapsed() >= SHORT);
    assert!(tokio::task::spawn_blocking(move || stalling.sees_hang_up(PATIENT)).await?, "the loser was not dropped");
    Ok(())
}

#[tokio::test]
async fn an_attempt_ends_at_its_deadline() -> Outcome {
    let [stalling] = doubles();
    stalling.fault(Route::Get, Fault::Stall);
    let pace = HedgePolicy { attempt: SHORT, ..UNHURRIED };
    let failure = Fetcher::new(vec![pinner(&stalling)], None, pace).fetch(&content_id(b"hello")).await.unwrap_err();
    assert!(matches!(failure.attempts[..], [FetchError::Deadline { deadline_ms: 200, .. }]), "{failure:?}");
    assert_eq!(failure.blame(), Blame::Infrastructure);
    Ok(())
}

#[tokio::test]
async fn no_more_attempts_run_at_once_than_allowed() -> Outcome {
    let [first, second, third] = doubles();
    for double in [&first, &second, &third] {
        double.fault(Route::Get, Fault::Stall);
    }
    let sources = [&first, &second, &third].map(pinner).to_vec();
    let pace = HedgePolicy { hedge: Duration::from_millis(1), attempt: SHORT, in_flight: 2 };
    let begun = Instant::now();
    let failure = Fetcher::new(sources, None, pace).fetch(&content_id(b"hello")).await.unwrap_err();
    // The third begins when one of the others has ended.
    assert!(begun.elapsed() >= SHORT * 2);
    assert_eq!(failure.attempts.len(), 3);
    assert_eq!(third.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_failure_tells_of_every_source() -> Outcome {
    let [missing, large] = doubles();
    let content = bytes(LIMIT_BYTES + 1);
    large.put(&content);
    let id = content_id(&content);
    let fetch = async |sources: Vec<Arc<dyn FetchBackend>>| {
        Fetcher::new(sources, None, UNHURRIED).fetch(&id).await.unwrap_err()
    };

    let both = fetch(vec![pinner(&missing), gateway(&large)]).await;
    assert_eq!((both.attempts.len(), both.blame()), (2, Blame::Infrastructure));
    let text = both.to_string();
    assert!(text.contains(&missing.url()) && text.contains(&large.url()), "{text}");

    let many = fetch(vec![pinner(&missing); 10]).await;
    assert!(many.attempts.len() == 10 && many.to_string().ends_with("; and 2 more"), "{many}");

    assert_eq!(fetch(vec![gateway(&large)]).await.blame(), Blame::Final);
    let nowhere = fetch(Vec::new()).await;
    assert_eq!((nowhere.to_string().as_str(), nowhere.blame()), ("no source to fetch from", Blame::Final));
    Ok(())
}

#[tokio::test]
async fn a_damaged_local_file_is_fetched_from_elsewhere() -> Outcome {
    let dir = tempfile::tempdir()?;
    let store = LocalStore::open(dir.path(), LIMIT_BYTES)?;
    let id = store.write(&Content::of("hello".into()))?;
    std::fs::write(store.path(&id), b"hellO")?;
    let [double] = doubles();
    double.put(b"hello");
    let fetched = Fetcher::new(vec![Arc::new(store), pinner(&double)], None, UNHURRIED).fetch(&id).await?;
    assert_eq!(fetched.content.into_bytes(), "hello");
    assert!(matches!(fetched.failed[..], [FetchError::Damaged { .. }]), "{:?}", fetched.failed);
    Ok(())
}

#[tokio::test]
async fn announced_places_are_tried_until_one_has_the_announced_bytes() -> Outcome {
    let [double] = doubles();
    let wrong: ContentId = double.put(b"another specimen").parse()?;
    double.serve_at("/empty", 200, b"");
    double.serve_at("/wrong", 200, b"not it");
    double.serve_at("/1.avro", 200, b"specimen");
    let url = double.url();
    let locations = Locations::parse(&[
        "only local: /tmp/1.avro".to_owned(),
        wrong.url(),
        format!("{url}/gone"),
        format!("{url}/empty"),
        format!("{url}/wrong"),
        format!("{url}/1.avro"),
    ]);
    let fetcher = Fetcher::new(vec![pinner(&double)], web(AddressPolicy::Anywhere), UNHURRIED);
    let fetched = fetcher.fetch_any(&locations, is(b"specimen")).await?;
    assert_eq!(fetched.content, Content::of("specimen".into()));
    assert!(
        matches!(
            fetched.failed[..],
            [
                FetchError::NotAccepted { .. },
                FetchError::NotFound { .. },
                FetchError::EmptyAnswer { .. },
                FetchError::NotAnnounced { .. }
            ]
        ),
        "{:?}",
        fetched.failed
    );
    Ok(())
}

#[tokio::test]
async fn each_source_is_asked_however_many_ids_are_announced() -> Outcome {
    let [first, second, third] = doubles();
    let ids = (0..500_u32).map(|number| content_id(&number.to_le_bytes()).url());
    let url = format!("{}/1.avro", third.url());
    let locations = Locations::parse(&ids.chain([url]).collect::<Vec<_>>());
    let fetch = async || {
        let sources = vec![pinner(&first), pinner(&second)];
        Fetcher::new(sources, web(AddressPolicy::Anywhere), UNHURRIED).fetch_any(&locations, is(b"specimen")).await
    };
    let failed = fetch().await.unwrap_err();
    assert!((ATTEMPTS_MAX - 2..=ATTEMPTS_MAX).contains(&failed.attempts.len()), "{}", failed.attempts.len());
    let asked = [&first, &second, &third].map(|double| double.requests().len());
    assert_eq!((asked[0], asked[2]), (asked[1], 1));
    third.serve_at("/1.avro", 200, b"specimen");
    assert_eq!(fetch().await?.content, Content::of("specimen".into()));
    Ok(())
}

#[tokio::test]
async fn page_in_place_of_an_announced_url_is_the_sources_fault_and_content_of_an_announced_id_is_not() -> Outcome {
    let [double] = doubles();
    let page = b"<html>under maintenance</html>";
    double.serve_at("/1.avro", 200, page);
    let wrong: ContentId = double.put(b"another specimen").parse()?;
    let fetcher = Fetcher::new(vec![pinner(&double)], web(AddressPolicy::Anywhere), UNHURRIED);
    let of_url = Locations::parse(&[format!("{}/1.avro", double.url())]);
    let of_id = Locations::parse(&[wrong.url()]);
    let failed = fetcher.fetch_any(&of_url, is(b"specimen")).await.unwrap_err();
    assert_eq!(failed.blame(), Blame::Infrastructure, "{failed}");
    let failed = fetcher.fetch_any(&of_id, is(b"specimen")).await.unwrap_err();
    assert_eq!(failed.blame(), Blame::Final, "{failed}");
    double.serve_at("/1.avro", 200, b"specimen");
    assert_eq!(fetcher.fetch_any(&of_url, is(b"specimen")).await?.content, Content::of("specimen".into()));
    Ok(())
}

#[tokio::test]
async fn a_url_without_an_id_is_not_asked_when_nothing_could_check_it() -> Outcome {
    let [double] = doubles();
    double.serve_at("/1.avro", 200, b"specimen");
    let locations = Locations::parse(&[format!("{}/1.avro", double.url())]);
    let fetcher = Fetcher::new(Vec::new(), web(AddressPolicy::Anywhere), UNHURRIED);
    assert!(fetcher.fetch_any(&locations, None).await.unwrap_err().attempts.is_empty());
    assert!(double.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_an_announcement_names_is_asked_and_checked() -> Outcome {
    let [double] = doubles();
    double.put(b"hello");
    let id = content_id(b"hello");
    let locations = Locations::parse(&[format!("{}/ipfs/{id}", double.url())]);
    let fetcher = Fetcher::new(Vec::new(), web(AddressPolicy::Anywhere), UNHURRIED);
    assert_eq!(fetcher.fetch_any(&locations, None).await?.content.into_bytes(), "hello");
    double.fault(Route::Other, Fault::Flipped);
    let failure = fetcher.fetch_any(&locations, None).await.unwrap_err();
    assert!(matches!(failure.attempts[..], [FetchError::Mismatch { .. }]), "{failure:?}");
    Ok(())
}
