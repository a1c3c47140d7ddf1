//! `refiner replay --report-page`: figures of a replay in one file, read here as text and in a browser.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    browser::{Browser, CONTRASTS, Visit},
    program::{refiner, samples_directory, text},
};

/// Folder for the pictures of `cargo xtask screenshots`; without it a test keeps none.
const PICTURES: &str = "REFINER_SCREENSHOTS";
const DESK: Visit = Visit { width: 1_200, height: 900, is_dark: false, runs_scripts: false };
const PHONE: Visit = Visit { width: 390, height: 844, is_dark: false, runs_scripts: false };
/// A name that would be an element and load something.
const MARKUP: &str = "<img src=x onerror=alert(1)>.avro";

/// A page over the samples and a file that is none, whose name is markup.
fn page(folder: &Path) -> (PathBuf, Vec<Value>) {
    let specimens = folder.join("specimens");
    fs::create_dir(&specimens).unwrap();
    for entry in fs::read_dir(samples_directory()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, specimens.join(path.file_name().unwrap())).unwrap();
    }
    fs::write(specimens.join(MARKUP), b"no specimen").unwrap();
    let page = folder.join("report.html");
    let rules = ["--rule", "traces", "--rule", "token-transfers", "--rule", "block-result"];
    let lines = refiner(&[&["replay", "--json", text(&specimens), "--report-page", text(&page)], &rules[..]].concat());
    (page, lines.json_lines())
}

#[test]
fn page_has_the_figures_of_the_run_and_escapes_what_others_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let (page, lines) = page(folder.path());
    let page = fs::read_to_string(page).unwrap();
    let count = |verdict: &str| lines.iter().filter(|line| line["verdict"] == verdict).count();
    let missing = lines.iter().filter(|line| line["verdict"] != "produced").count();
    for part in [
        format!("<dt>runs produced</dt><dd>{}</dd>", count("produced")),
        format!("<dt>unusable specimens</dt><dd>{}</dd>", count("unusable")),
        format!("Complete, with {missing} results missing"),
        "&lt;img src=x onerror=alert(1)&gt;.avro".to_owned(),
        "<td>malformed</td>".to_owned(),
    ] {
        assert!(page.contains(&part), "{part} in\n{page}");
    }
    for line in lines.iter().filter(|line| line["rule"] == "traces") {
        assert!(page.contains(line["ruleIdentity"].as_str().unwrap()));
        // Each block has a place in the plots, and a tip that names it.
        let tip = format!("<title>{}-{}\n", line["chainId"], line["height"]);
        assert_eq!(page.matches(&tip).count(), 4, "{tip}");
    }
    assert!(!page.contains("<img") && !page.contains("<script"), "{page}");
    // Nothing is loaded: the one address is that of the icon, which is in the page.
    let addresses = ["src=\"", "href=\"", "url("].iter().map(|start| page.matches(start).count()).sum::<usize>();
    assert_eq!((addresses, page.matches("href=\"data:").count()), (1, 1), "{page}");
}

#[test]
fn page_that_cannot_be_written_is_an_error_before_the_first_run() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("no/such/folder/report.html");
    let samples = samples_directory();
    let url = refiner(&["replay", text(&samples), "--report-page", "s3://bucket/report.html"]).expect(2);
    assert!(url.text().is_empty() && url.stderr.contains("a file of this machine is expected"), "{}", url.stderr);
    let out = folder.path().join("out");
    for page in [out.join("_manifest.json"), out.join("report.html")] {
        let beside = refiner(&["replay", text(&samples), "--out", text(&out), "--report-page", text(&page)]).expect(2);
        assert!(beside.stderr.contains("expected a place outside of the data set's directory"), "{}", beside.stderr);
    }
    let ended = refiner(&["replay", text(&samples), "--report-page", text(&page)]).expect(5);
    assert!(ended.text().is_empty(), "{}", ended.text());
    assert!(ended.stderr.contains("report.html") && ended.stderr.contains("No such file"), "{}", ended.stderr);
}

#[test]
fn page_is_readable_light_and_dark_on_a_desk_and_on_a_phone() {
    let Some(mut browser) = Browser::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let pictures = env::var_os(PICTURES).map(PathBuf::from);
    let (page, _) = page(folder.path());
    let url = format!("file://{}", page.display());
    let mut grounds = Vec::new();
    for (name, visit) in [
        ("report-light.png", DESK),
        ("report-dark.png", Visit { is_dark: true, ..DESK }),
        ("report-phone.png", PHONE),
        ("report-phone-dark.png", Visit { is_dark: true, ..PHONE }),
    ] {
        browser.visit(&url, visit);
        grounds.push(browser.evaluate("getComputedStyle(document.body).backgroundColor"));
        let width = browser.evaluate("document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(width <= visit.width.into(), "{name}: {width} wide");
        assert_eq!(browser.evaluate(CONTRASTS), Value::Array(Vec::new()), "{name}: contrast below 4.5");
        if let Some(folder) = pictures.as_ref().filter(|_| !name.contains("phone")) {
            fs::write(folder.join(name), browser.screenshot()).unwrap();
        }
    }
    assert!(grounds[0] == grounds[2] && grounds[1] == grounds[3] && grounds[0] != grounds[1], "{grounds:?}");
    browser.visit(&url, DESK);
    // Lines are drawn by the style alone, and a column is marked under the pointer.
    assert_eq!(browser.evaluate("document.querySelectorAll('svg path.line').length"), 10);
    browser.point_at(".tip");
    let marked = "[...document.querySelectorAll('.tip:hover')].length === 1";
    browser.until("the column under the pointer is marked", marked);
    assert_eq!(browser.complaints, Vec::<String>::new());
}
