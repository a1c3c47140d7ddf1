use super::*;
use crate::{
    Check, Count, Earnings, Health, Host, Hosts, Level, Node, Pause, Quarantine, Quarantined, Reading, Setting, Wait,
    Waiting, Worker, Workers,
};

/// Text that would run, load or end an element, were it read as markup.
const HOSTILE: &str =
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover=\"alert(3)' \u{202e}";

fn repeated(times: usize) -> String {
    HOSTILE.repeat(times)
}

/// A page in which every text is this one.
fn page_of(text: &str) -> Page {
    let text = || text.to_owned();
    Page {
        version: text(),
        network: text(),
        operator: Some(text()),
        health: Health::Ready,
        paused: Some(Pause { reason: text(), remedy: Some(text()), since_ms: 0 }),
        waits: vec![Wait { part: text(), what: text(), remedy: text(), since_ms: 0 }],
        last_failure: Some(text()),
        journal_error: Some(text()),
        nodes: vec![Node { name: text(), state: text(), reason: Some(text()), head: Some(1), head_age_s: Some(1) }],
        counts: vec![Count { state: text(), items: 1 }],
        quarantine: Quarantine {
            total: 12_345,
            first: vec![
                Quarantined {
                    item: text(),
                    rule: text(),
                    reason: text(),
                    remedy: text(),
                    command: text(),
                    ..Quarantined::default()
                };
                10
            ],
            list_command: text(),
        },
        waiting: vec![Waiting { item: text(), reason: text(), ..Waiting::default() }; 10],
        balance: Some(text()),
        earnings: Earnings { sessions: vec![(text(), 1)], spent_day: Some(text()), ..Earnings::default() },
        workers: Workers { configured: 1, running: vec![Worker { rule: text(), ..Worker::default() }; 4] },
        hosts: Some(Hosts {
            queue: text(),
            total: 1_234,
            first: vec![Host { name: text(), version: text(), faults: vec![text()], ..Host::default() }; 50],
            ..Hosts::default()
        }),
        checks: vec![Check { name: text(), detail: text(), remedy: Some(text()), level: Level::Error }; 40],
        settings: vec![Setting { key: text(), value: Some(text()), origin: text() }; 100],
        ..Page::default()
    }
}

#[test]
fn hostile_text_adds_no_element_and_no_attribute() {
    let plain = render(&page_of("x"), &History::default());
    let hostile = render(&page_of(HOSTILE), &History::default());
    // Markup is made of these alone, and every one of them is the page's own.
    for mark in ['<', '>', '"'] {
        assert_eq!(plain.matches(mark).count(), hostile.matches(mark).count(), "{mark}");
    }
    assert!(!hostile.contains("<script>alert") && !hostile.contains('\u{202e}'));
    assert!(hostile.contains("&lt;img src=x onerror=alert(2)&gt;"));
}

#[test]
fn page_has_a_bounded_size_whatever_it_shows() {
    let history = History::default();
    for _ in 0..20_000 {
        history.sample(Reading { backlog: [u32::MAX; 5], proofs_left: Some(u64::MAX), ..Reading::default() });
    }
    let page = Page { window: Window::Day, ..page_of(&repeated(1_000)) };
    let bytes = render(&page, &history).len();
    assert!(bytes < 4 << 20, "{bytes} bytes");
    let usual = render(&page_of("a reason of some words, as errors have them"), &history).len();
    assert!(usual < 256 << 10, "{usual} bytes");
}

#[test]
fn page_has_no_inline_handler_no_inline_style_and_no_foreign_address() {
    let html = render(&page_of("x"), &History::default());
    for forbidden in [" style=", " onclick", " onload", "javascript:", "src=", "@import"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    let addresses = html
        .match_indices("http")
        .filter(|(at, _)| html[*at..].starts_with("http:") || html[*at..].starts_with("https:"));
    for (at, _) in addresses {
        assert!(html[at..].starts_with("http://www.w3.org/2000/svg"), "{}", &html[at..at + 40]);
    }
    assert_eq!((html.matches("<script>").count(), html.matches("<style>").count()), (1, 1));
}

#[test]
fn ids_are_unique_and_every_label_exists() {
    let html = render(&page_of("x"), &History::default());
    let attribute = |name: &str| -> Vec<String> {
        html.split(&format!("{name}=\"")).skip(1).filter_map(|rest| rest.split('"').next().map(str::to_owned)).collect()
    };
    let mut ids = attribute(" id");
    for label in attribute("aria-labelledby") {
        assert!(ids.contains(&label), "{label}");
    }
    ids.sort_unstable();
    let before = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), before);
}

#[test]
fn headline_tells_whether_it_earns() {
    let history = History::default();
    let words = |page: &Page, history: &History| figures::headline(page, history).words;
    let mut page = Page::default();
    assert_eq!(words(&page, &history), "not ready: see what it waits for");
    page.health = Health::Ready;
    assert_eq!(words(&page, &history), "at work; results are not proved");
    page.operator = Some("0x1".to_owned());
    assert_eq!(words(&page, &history), "ready; nothing was proved in the last 15 minutes");
    history.completed(crate::Stage::Prove, Duration::from_secs(1));
    history.sample(Reading::default());
    assert_eq!(words(&page, &history), "proving: one proof in 15 minutes");
    page.waits.push(Wait { part: "pinner".to_owned(), ..Wait::default() });
    assert_eq!(words(&page, &history), "at work, with trouble: pinner");
    page.paused = Some(Pause::default());
    assert_eq!(words(&page, &history), "proving is paused");
    page.health = Health::Stopping;
    assert_eq!(words(&page, &history), "stopping");
}

#[test]
fn figures_are_in_the_page_itself() {
    let page = Page {
        health: Health::Ready,
        head: Some(1_234_567),
        cursor: Some(1_234_560),
        counts: vec![Count { state: "final".to_owned(), items: 4_321 }],
        proofs_left: Some(28_029_199),
        ..Page::default()
    };
    let html = render(&page, &History::default());
    for shown in ["<dd>4,321</dd>", "<dd>1,234,567</dd>", "<dd>1,234,560</dd>", "<dd>7</dd>", "<dd>28.0 M</dd>"] {
        assert!(html.contains(shown), "{shown}");
    }
}

#[test]
fn worker_hosts_are_shown_with_their_work_and_a_disagreement_stands_out() {
    assert!(!render(&Page::default(), &History::default()).contains("id=\"hosts\""), "without a queue there are none");
    let host = |name: &str| Host {
        name: name.to_owned(),
        workers: 4,
        running: 3,
        done: 1_234,
        seen_ms: 2_000,
        ..Host::default()
    };
    let hosts = Hosts {
        queue: "0123456789ab".to_owned(),
        connected: true,
        tasks: 250,
        redeliveries: 7,
        total: 61,
        first: vec![host("one"), Host { faults: vec!["serves no rule".to_owned()], ..host("two") }],
        ..Hosts::default()
    };
    let page = |disagreements| Page { hosts: Some(Hosts { disagreements, ..hosts.clone() }), ..Page::default() };
    let html = render(&page(0), &History::default());
    for shown in [
        "Queue <code>0123456789ab</code>: NATS answers.",
        "<th scope=\"row\">tasks in NATS</th><td class=\"n\">250</td>",
        "<th scope=\"row\">given to another host after a silence</th><td class=\"n\">7</td>",
        "<code>two</code><p class=\"remedy\">serves no rule</p>",
        "<td class=\"n\">1,234</td><td class=\"n\">2 s</td>",
        "and 59 more",
    ] {
        assert!(html.contains(shown), "{shown}");
    }
    assert!(!html.contains("n bad") && render(&page(1), &History::default()).contains("<td class=\"n bad\">1</td>"));
}
