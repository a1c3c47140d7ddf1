//! The status page in a browser: without scripts and with them, light and dark, on a desk and on a phone.

use std::{env, fs, path::PathBuf, time::Duration};

use refiner_journal::State;
use refiner_testkit::pinner::{Fault, Route};
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    bench::Bench,
    browser::{Browser, CONTRASTS, Visit},
    specimens::{Given, stream},
};

/// Folder for the pictures of `cargo xtask screenshots`; without it a test keeps none.
const PICTURES: &str = "REFINER_SCREENSHOTS";
const DESK: Visit = Visit { width: 1_200, height: 900, is_dark: false, runs_scripts: true };
const PHONE: Visit = Visit { width: 390, height: 844, is_dark: false, runs_scripts: true };

fn url(bench: &Bench, path: &str) -> String {
    format!("http://{}{path}", bench.health())
}

/// A specimen whose announcement names another height, so that it ends in quarantine.
fn of_another_height(given: &Given) -> Given {
    Given { height: given.height + 1_000, ..given.clone() }
}

/// A daemon with proofs, a quarantined item, and a setting that is markup.
async fn daemon() -> Option<Bench> {
    let mut bench = Bench::new().await?;
    bench.flags = ["--heartbeat", "500ms", "--allow-host", "<b>markup</b>"].map(str::to_owned).into();
    bench.start_ready().await;
    let given = stream(4);
    bench.announce(&given[..3]).await;
    bench.announce(&[of_another_height(&given[3])]).await;
    bench.until_all(State::Final, 3).await;
    bench.until_all(State::Quarantined, 1).await;
    Some(bench)
}

fn keep(browser: &mut Browser, name: &str) {
    if let Some(folder) = env::var_os(PICTURES).map(PathBuf::from) {
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), browser.screenshot()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn page_is_served_with_its_figures_and_a_strict_policy() {
    let Some(mut bench) = daemon().await else { return };
    bench
        .until("a price of gas is known", |bench| {
            bench.get("/").is_some_and(|page| !page.contains("<dd>–</dd></div><div class=\"\"><dt>head"))
        })
        .await;
    let answer = bench.get("/").unwrap();
    let (head, page) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(head.starts_with("http/1.1 200 ") && head.contains("content-type: text/html; charset=utf-8"), "{head}");
    assert!(head.contains("content-security-policy: default-src 'none'; script-src 'sha256-"), "{head}");
    for part in [
        "<dt>proofs final</dt><dd>3</dd>",
        "<dt>quarantined</dt><dd>1</dd>",
        "the specimen is not what its announcement names",
        "refiner journal retry --data ",
        "<code>data</code>",
        "<td>flag</td>",
        "&lt;b&gt;markup&lt;/b&gt;",
        "block-result",
    ] {
        assert!(page.contains(part), "{part} in\n{page}");
    }
    assert!(!page.contains("<b>markup") && !page.contains(bench.key), "{page}");
    let history = bench.get("/history?window=24h").unwrap();
    let (head, body) = history.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("application/json"), "{head}");
    let history: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&history["window"], &history["stepMs"]), (&"24h".into(), &300_000.into()), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn page_has_the_same_figures_without_scripts_and_needs_none() {
    let Some(mut browser) = Browser::start_or_skip() else { return };
    let Some(bench) = daemon().await else { return };
    browser.visit(&url(&bench, "/"), Visit { runs_scripts: false, ..DESK });
    let text = browser.evaluate("document.querySelector('main').innerText").as_str().unwrap().to_owned();
    for shown in ["proofs final", "Quarantine 1", "announced for height", "Nodes of the proof chain 1", "Configuration"]
    {
        assert!(text.contains(shown), "{shown} in\n{text}");
    }
    assert_eq!(browser.evaluate("document.querySelectorAll('svg path.line, svg path.layer').length > 15"), true);
    // The button that only a script makes work is not shown, and the page comes anew by itself.
    assert_eq!(browser.evaluate("getComputedStyle(document.querySelector('.copy')).display"), "none");
    assert_eq!(browser.evaluate("document.querySelector('noscript meta').httpEquiv"), "refresh");
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn page_stays_current_with_scripts_and_shows_a_moment_of_the_charts() {
    let Some(mut browser) = Browser::start_or_skip() else { return };
    let Some(mut bench) = daemon().await else { return };
    browser.visit(&url(&bench, "/"), DESK);
    let tile = |name: &str| {
        format!(
            "[...document.querySelectorAll('.tiles div')].find((d) => d.innerText.includes('{name}')).querySelector('dd').textContent"
        )
    };
    assert_eq!(browser.evaluate(&tile("proofs final")), "3");
    browser.evaluate("document.getElementById('settings-all').open = true");
    let more = stream(6);
    bench.announce(&more[4..]).await;
    bench.until_all(State::Final, 5).await;
    browser.until("the new proofs are shown", &format!("{} === '5'", tile("proofs final")));
    assert_eq!(browser.evaluate("document.getElementById('settings-all').open"), true, "what was opened stays open");
    browser
        .until("two samples", "document.querySelector('#chart-throughput path.line').getAttribute('d').includes('L')");
    browser.point_at("#chart-backlog .plot");
    browser.until("the moment is marked", "document.querySelector('#chart-backlog .cursor') !== null");

    bench.pinner.fault(Route::Health, Fault::DieInRequest);
    bench.pinner.fault(Route::Upload, Fault::DieInRequest);
    bench.announce(&stream(7)[6..]).await;
    browser.until("the trouble is shown", "document.getElementById('notices').innerText.includes('pinner')");
    assert!(browser.evaluate("document.getElementById('notices').innerText").as_str().unwrap().contains("--pinner"));
    assert_eq!(browser.complaints, Vec::<String>::new());
    assert_eq!(browser.evaluate("document.getElementById('stale').hidden"), true);
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    browser.until("it is shown that the figures are old", "!document.getElementById('stale').hidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn page_is_readable_light_and_dark_on_a_desk_and_on_a_phone() {
    let Some(mut browser) = Browser::start_or_skip() else { return };
    let Some(bench) = daemon().await else { return };
    if env::var_os(PICTURES).is_some() {
        // Charts of some minutes.
        for given in stream(120).chunks(1).skip(7) {
            bench.announce(given).await;
            sleep(Duration::from_millis(1_500)).await;
        }
    }
    let mut grounds = Vec::new();
    for (name, visit) in [
        ("status-light.png", DESK),
        ("status-dark.png", Visit { is_dark: true, ..DESK }),
        ("status-phone.png", PHONE),
        ("status-phone-dark.png", Visit { is_dark: true, ..PHONE }),
    ] {
        browser.visit(&url(&bench, "/"), visit);
        browser.until("it was refreshed", "document.documentElement.dataset.refreshed > 0");
        grounds.push(browser.evaluate("getComputedStyle(document.body).backgroundColor"));
        let width = browser.evaluate("document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(width <= visit.width.into(), "{name}: {width} wide");
        browser.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)");
        assert_eq!(browser.evaluate(CONTRASTS), Value::Array(Vec::new()), "{name}: contrast below 4.5");
        browser.evaluate("document.querySelectorAll('details').forEach((d) => d.open = false)");
        if !name.ends_with("phone-dark.png") {
            keep(&mut browser, name);
        }
    }
    assert!(grounds[0] == grounds[2] && grounds[1] == grounds[3] && grounds[0] != grounds[1], "{grounds:?}");
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn page_of_another_origin_gets_nothing_and_cannot_frame_it() {
    let Some(bench) = daemon().await else { return };
    let answer = bench.get("/").unwrap().to_lowercase();
    assert!(answer.contains("frame-ancestors 'none'") && answer.contains("x-frame-options: deny"), "{answer}");
    assert!(!answer.contains("access-control-allow-origin"), "{answer}");
}
