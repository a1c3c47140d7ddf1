use std::time::Duration;

use refiner_content::{
    Blame, Content, ContentStore, FetchBackend, FetchError, HttpLimits, KeepError, LeastRate, Pinner, PinnerLimits,
    SetupError, TransportError, content_id,
};

use crate::{
    LIMIT_BYTES, Outcome, SHORT, bytes, chain, patient, patient_pinner,
    pinner::{Fault, PinnerDouble, Route},
};

fn pinner(double: &PinnerDouble, limits: PinnerLimits) -> Pinner {
    Pinner::new(&double.url(), limits).unwrap()
}

#[tokio::test]
async fn what_is_uploaded_has_our_id_and_comes_back() -> Outcome {
    let double = PinnerDouble::start()?;
    let pinner = pinner(&double, patient_pinner());
    pinner.health().await?;
    for length in [1, 262_144, 262_145, LIMIT_BYTES] {
        let content = Content::of(bytes(length).into());
        assert_eq!(pinner.name(&content).await?, content.id());
        assert!(double.content(&content.id().to_string()).is_none());
        assert_eq!(pinner.keep(&content).await?, content.id());
        assert_eq!(double.content(&content.id().to_string()).as_deref(), Some(&content.bytes()[..]));
        assert_eq!(pinner.fetch(&content.id()).await?, content);
    }
    Ok(())
}

#[tokio::test]
async fn every_fault_of_an_upload_is_a_typed_error() -> Outcome {
    type Expected = fn(&KeepError) -> bool;
    let retried: &[(Fault, Expected)] = &[
        (Fault::Empty, |error| matches!(error, KeepError::EmptyAnswer { .. })),
        (Fault::ErrorAfterwards, |error| matches!(error, KeepError::Status { status: 200, .. })),
        (Fault::InvalidJson, |error| matches!(error, KeepError::Status { status: 500, .. })),
        (
            Fault::Panic,
            |error| matches!(error, KeepError::Status { status: 500, answer, .. } if answer.as_str().contains("nil pointer")),
        ),
        (Fault::DieInRequest, |error| matches!(error, KeepError::Transport { .. })),
        (Fault::DieInAnswer, |error| matches!(error, KeepError::Transport { source: TransportError::Broken(_), .. })),
        (Fault::Endless, |error| matches!(error, KeepError::UnreadableAnswer { .. })),
        (Fault::EndlessStated, |error| matches!(error, KeepError::UnreadableAnswer { .. })),
        (Fault::Partial, |error| matches!(error, KeepError::Status { status: 206, .. })),
        (Fault::RedirectLoop, |error| {
            matches!(error, KeepError::Transport { source: TransportError::Redirects { redirects: 3 }, .. })
        }),
        (Fault::Status(200, "<html>Sign in".into()), |error| matches!(error, KeepError::UnreadableAnswer { .. })),
        (Fault::Status(200, "{}".into()), |error| matches!(error, KeepError::UnreadableAnswer { .. })),
        (Fault::Status(405, String::new()), |error| matches!(error, KeepError::Status { status: 405, .. })),
        // A proxy before the pinner, whose bound its operator raises.
        (Fault::Status(413, String::new()), |error| matches!(error, KeepError::Status { status: 413, .. })),
    ];
    let given_up: &[(Fault, Expected)] = &[
        (Fault::WrongCid, |error| matches!(error, KeepError::WrongId { .. })),
        (Fault::Status(200, r#"{"cid": "none"}"#.into()), |error| matches!(error, KeepError::WrongId { .. })),
    ];
    let double = PinnerDouble::start()?;
    let pinner = pinner(&double, patient_pinner());
    let content = Content::of(bytes(300_000).into());
    for (cases, blame) in [(retried, Blame::Infrastructure), (given_up, Blame::Final)] {
        for (fault, expected) in cases {
            double.fault(Route::Upload, fault.clone());
            let error = pinner.keep(&content).await.unwrap_err();
            assert!(expected(&error), "{fault:?}: {error:?}");
            assert_eq!(error.blame(), blame, "{fault:?}");
            assert!(chain(&error).contains(&double.url()) && chain(&error).len() < 500, "{}", chain(&error));
        }
    }
    double.mend(Route::Upload);
    assert_eq!(pinner.keep(&content).await?, content.id());
    Ok(())
}

#[tokio::test]
async fn an_answer_of_several_objects_is_searched_for_our_id() -> Outcome {
    let double = PinnerDouble::start()?;
    double.fault(Route::Upload, Fault::Concatenated);
    let content = Content::of(bytes(1000).into());
    assert_eq!(pinner(&double, patient_pinner()).keep(&content).await?, content.id());
    Ok(())
}

#[tokio::test]
async fn a_wrong_id_is_told_with_both_ids() -> Outcome {
    let double = PinnerDouble::start()?;
    double.fault(Route::Upload, Fault::WrongCid);
    let content = Content::of(bytes(1000).into());
    let error = pinner(&double, patient_pinner()).keep(&content).await.unwrap_err();
    let theirs = content_id(b"somebody else's").to_string();
    assert!(chain(&error).contains(&content.id().to_string()) && chain(&error).contains(&theirs), "{}", chain(&error));
    Ok(())
}

#[tokio::test]
async fn an_upload_that_stalls_or_trickles_ends_at_its_limit() -> Outcome {
    let double = PinnerDouble::start()?;
    let content = Content::of(bytes(300_000).into());
    let limits = PinnerLimits { upload: SHORT, ..patient_pinner() };
    for fault in [Fault::Stall, Fault::Trickle] {
        double.fault(Route::Upload, fault.clone());
        let error = pinner(&double, limits).keep(&content).await.unwrap_err();
        let timed_out = matches!(
            error,
            KeepError::Deadline { .. } | KeepError::Transport { source: TransportError::NoAnswer { .. }, .. }
        );
        assert!(timed_out && error.blame() == Blame::Infrastructure, "{fault:?}: {error:?}");
    }
    double.fault(Route::Upload, Fault::StallInAnswer);
    let limits = PinnerLimits { get: HttpLimits { idle: SHORT, ..patient() }, ..patient_pinner() };
    let error = pinner(&double, limits).keep(&content).await.unwrap_err();
    assert!(
        matches!(error, KeepError::Transport { source: TransportError::Stalled { idle_ms: 200 }, .. }),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn an_upload_is_as_large_as_allowed_and_no_larger() -> Outcome {
    let double = PinnerDouble::start()?;
    let pinner = pinner(&double, PinnerLimits { upload_bytes: 1000, ..patient_pinner() });
    assert!(pinner.keep(&Content::of(bytes(1000).into())).await.is_ok());
    let error = pinner.keep(&Content::of(bytes(1001).into())).await.unwrap_err();
    assert!(matches!(error, KeepError::TooLarge { bytes: 1001, .. }), "{error:?}");
    assert_eq!(double.requests(), ["POST /upload"]);
    Ok(())
}

#[tokio::test]
async fn every_fault_of_a_fetch_is_a_typed_error() -> Outcome {
    type Expected = fn(&FetchError) -> bool;
    let cases: &[(Fault, Expected)] = &[
        (Fault::Empty, |error| matches!(error, FetchError::EmptyAnswer { .. })),
        (Fault::InvalidJson, |error| matches!(error, FetchError::Status { status: 500, .. })),
        (Fault::Panic, |error| matches!(error, FetchError::Status { status: 500, .. })),
        (Fault::Flipped, |error| matches!(error, FetchError::Mismatch { .. })),
        (Fault::Status(200, r#"{"error": "not found"}"#.into()), |error| matches!(error, FetchError::Mismatch { .. })),
        (Fault::Status(400, "CID form parameter is required".into()), |error| {
            matches!(error, FetchError::Status { status: 400, .. })
        }),
        (Fault::Status(404, String::new()), |error| matches!(error, FetchError::NotFound { .. })),
        (Fault::Partial, |error| matches!(error, FetchError::Status { status: 206, .. })),
        (Fault::DieInRequest, |error| matches!(error, FetchError::Transport { source: TransportError::Broken(_), .. })),
        (Fault::DieInAnswer, |error| matches!(error, FetchError::Transport { source: TransportError::Broken(_), .. })),
        (Fault::RedirectLoop, |error| {
            matches!(error, FetchError::Transport { source: TransportError::Redirects { redirects: 3 }, .. })
        }),
    ];
    let double = PinnerDouble::start()?;
    let pinner = pinner(&double, patient_pinner());
    let content = bytes(300_000);
    double.put(&content);
    for (fault, expected) in cases {
        double.fault(Route::Get, fault.clone());
        let error = pinner.fetch(&content_id(&content)).await.unwrap_err();
        assert!(expected(&error), "{fault:?}: {error:?}");
        assert_eq!(error.blame(), Blame::Infrastructure, "{fault:?}");
        assert!(chain(&error).contains(&double.url()) && chain(&error).len() < 500, "{}", chain(&error));
    }
    double.mend(Route::Get);
    assert_eq!(pinner.fetch(&content_id(&content)).await?.into_bytes(), content);
    Ok(())
}

#[tokio::test]
async fn reading_stops_at_the_size_limit() -> Outcome {
    let double = PinnerDouble::start()?;
    let pinner = pinner(&double, patient_pinner());
    let (just_under, just_over) = (bytes(LIMIT_BYTES), bytes(LIMIT_BYTES + 1));
    double.put(&just_under);
    double.put(&just_over);
    assert_eq!(pinner.fetch(&content_id(&just_under)).await?.into_bytes(), just_under);

    let check = async |id| {
        let error = pinner.fetch(&id).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLarge { limit_bytes: LIMIT_BYTES, .. }), "{error:?}");
        assert_eq!(error.blame(), Blame::Final);
    };
    check(content_id(&just_over)).await;
    for fault in [Fault::Endless, Fault::EndlessStated] {
        double.fault(Route::Get, fault);
        check(content_id(b"a gigabyte")).await;
    }
    // What the system's buffers took comes on top of what was read.
    assert!(double.sent_bytes() < 32 << 20, "{}", double.sent_bytes());
    Ok(())
}

#[tokio::test]
async fn a_fetch_that_stalls_ends_at_the_limit_that_fits() -> Outcome {
    let double = PinnerDouble::start()?;
    let content = bytes(300_000);
    let id = content_id(&content);
    double.put(&content);
    let check = async |fault: Fault, get: HttpLimits, expected: fn(&FetchError) -> bool| {
        double.fault(Route::Get, fault);
        let error = pinner(&double, PinnerLimits { get, ..patient_pinner() }).fetch(&id).await.unwrap_err();
        assert!(expected(&error), "{error:?}");
        assert_eq!(error.blame(), Blame::Infrastructure);
    };
    check(Fault::Stall, HttpLimits { answer: SHORT, ..patient() }, |error| {
        matches!(error, FetchError::Transport { source: TransportError::NoAnswer { answer_ms: 200 }, .. })
    })
    .await;
    check(Fault::StallInAnswer, HttpLimits { idle: SHORT, ..patient() }, |error| {
        matches!(error, FetchError::Transport { source: TransportError::Stalled { idle_ms: 200 }, .. })
    })
    .await;
    // A byte every 20 ms is never idle for long.
    check(Fault::Trickle, HttpLimits { deadline: SHORT * 2, ..patient() }, |error| {
        matches!(error, FetchError::Deadline { deadline_ms: 400, .. })
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn a_fetch_that_comes_too_slowly_ends_after_the_window() -> Outcome {
    let double = PinnerDouble::start()?;
    // A byte every 20 ms, 50 a second at most.
    let content = bytes(60);
    let id = content_id(&content);
    double.put(&content);
    double.fault(Route::Get, Fault::Trickle);
    let fetch = async |bytes_per_second: u64| {
        let least_rate = LeastRate { bytes_per_second, window: SHORT };
        pinner(&double, PinnerLimits { get: HttpLimits { least_rate, ..patient() }, ..patient_pinner() })
            .fetch(&id)
            .await
    };
    let error = fetch(1000).await.unwrap_err();
    let is_slow = matches!(
        error,
        FetchError::Transport {
            source: TransportError::TooSlow { bytes: 1..200, window_ms: 200, least_bytes: 200 },
            ..
        }
    );
    assert!(is_slow && error.blame() == Blame::Infrastructure, "{error:?}");
    assert_eq!(fetch(5).await?.bytes(), &content, "slow, and not too slow");
    Ok(())
}

#[tokio::test]
async fn a_pinner_that_is_unwell_or_gone_says_so() -> Outcome {
    let double = PinnerDouble::start()?;
    let pinner = pinner(&double, patient_pinner());
    double.fault(Route::Health, Fault::Status(500, "Internal Error".into()));
    assert!(matches!(pinner.health().await, Err(FetchError::Status { status: 500, .. })));
    double.mend(Route::Health);
    pinner.health().await?;
    drop(double);
    let gone = pinner.health().await.unwrap_err();
    assert!(matches!(gone, FetchError::Transport { source: TransportError::Connect(_), .. }), "{gone:?}");
    Ok(())
}

#[tokio::test]
async fn credentials_in_a_url_are_never_told() -> Outcome {
    let secret = "http://operator:hunter2@127.0.0.1:9/hidden?token=hunter3";
    let limits = PinnerLimits { get: HttpLimits { connect: Duration::from_secs(5), ..patient() }, ..patient_pinner() };
    let pinner = Pinner::new(secret, limits)?;
    let failed = pinner.keep(&Content::of("hello".into())).await.unwrap_err();
    let text = format!("{} {failed:?}", chain(&failed));
    for part in ["operator", "hunter", "hidden", "token"] {
        assert!(!text.contains(part), "{text}");
    }
    assert!(text.contains("http://127.0.0.1:9"), "{text}");
    for (url, scheme) in [("ftp://127.0.0.1", true), ("127.0.0.1", false)] {
        let refused = Pinner::new(url, limits).unwrap_err();
        assert!(matches!(refused, SetupError::Url(_)), "{refused:?}");
        assert_eq!(chain(&refused).contains("scheme"), scheme, "{}", chain(&refused));
    }
    Ok(())
}

#[tokio::test]
async fn answer_that_repeats_a_password_is_not_quoted() -> Outcome {
    let double = PinnerDouble::start()?;
    for status in [200, 403] {
        double.fault(Route::Upload, Fault::Status(status, "Basic b3A6aHVudGVyMg== op:hunter2".into()));
        for (userinfo, is_quoted) in [("op:hunter2@", false), ("op@", false), ("", true)] {
            let pinner = Pinner::new(&double.url().replace("//", &format!("//{userinfo}")), patient_pinner())?;
            let failed = pinner.keep(&Content::of("hello".into())).await.unwrap_err();
            let text = format!("{} {failed:?}", chain(&failed));
            assert_eq!(text.contains("hunter2") || text.contains("b3A6"), is_quoted, "{text}");
            assert_eq!(text.contains("not quoted, as the address has confidential parts"), !is_quoted, "{text}");
        }
    }
    Ok(())
}

/// In a container without the package ca-certificates. The environment of a test is its process, so tests run in two more.
#[test]
fn only_https_needs_the_systems_certificates() -> Outcome {
    let passes = |test: &str| {
        std::process::Command::new(std::env::current_exe()?)
            .args(["--exact", test])
            .env("SSL_CERT_FILE", "/dev/null")
            .env("SSL_CERT_DIR", "/dev/null")
            .output()
            .map(|ran| ran.status.success() && String::from_utf8_lossy(&ran.stdout).contains("1 passed"))
    };
    assert!(passes("pinners::what_is_uploaded_has_our_id_and_comes_back")?);
    assert!(!passes("gateways::the_public_gateways_can_be_set_up")?);
    Ok(())
}
