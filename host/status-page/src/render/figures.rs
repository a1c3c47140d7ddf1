//! One sentence that tells whether it earns, and the figures behind it.

use super::section as begin;
use crate::{
    Health, Page, Stage, Window,
    format::{float, known, number, short},
    history::History,
    html::Html,
    series::per_minute,
};

/// The daemon in one sentence.
pub struct Headline {
    pub words: String,
    /// Class of its colour.
    pub tone: &'static str,
}

/// The daemon in one sentence.
pub fn headline(page: &Page, history: &History) -> Headline {
    let troubles: Vec<_> = page.waits.iter().map(|wait| wait.part.as_str()).collect();
    let proved = history.recently(Stage::Prove);
    let (words, tone) = match page.health {
        Health::Stopping => ("stopping".to_owned(), "warn"),
        Health::Starting => ("not ready: see what it waits for".to_owned(), "bad"),
        Health::Ready if page.paused.is_some() => ("proving is paused".to_owned(), "bad"),
        Health::Ready if page.journal_error.is_some() => ("the journal does not answer".to_owned(), "bad"),
        Health::Ready if !troubles.is_empty() => (format!("at work, with trouble: {}", troubles.join(", ")), "warn"),
        Health::Ready if page.operator.is_none() => ("at work; results are not proved".to_owned(), "ok"),
        Health::Ready if proved == 1 => ("proving: one proof in 15 minutes".to_owned(), "ok"),
        Health::Ready if proved > 1 => (format!("proving: {} proofs in 15 minutes", number(proved)), "ok"),
        Health::Ready => ("ready; nothing was proved in the last 15 minutes".to_owned(), "ok"),
    };
    Headline { words, tone }
}

/// The headline, and a row of figures.
pub fn section(html: &mut Html, page: &Page, history: &History) {
    let Headline { words, tone } = headline(page, history);
    html.raw("<section id=\"figures\" data-live aria-label=\"Figures\"><p id=\"headline\" role=\"status\" class=\"");
    html.raw(tone).raw("\">").text(capital(&words)).raw("</p><dl class=\"tiles\">");
    let samples = history.samples(Window::Recent);
    let rate = per_minute(&samples, Window::Recent, Stage::Refine).last().copied();
    let backlog = count(page, &["announced", "fetched", "produced"]);
    let behind = page.head.zip(page.cursor).map(|(head, cursor)| head.saturating_sub(cursor));
    tile(html, "proofs final", &number(count(page, &["final"])), "");
    tile(html, "proofs under way", &number(count(page, &["proof_intent", "signed", "broadcast", "mined"])), "");
    tile(html, "backlog", &number(backlog), "");
    let quarantined = page.quarantine.total;
    tile(html, "quarantined", &number(quarantined), if quarantined > 0 { "bad" } else { "" });
    tile(html, "specimens a minute", &rate.map_or_else(|| "–".to_owned(), short), "");
    let proofs_left = page.proofs_left.map_or_else(|| "–".to_owned(), |left| short(float(left)));
    tile(html, "proofs left", &proofs_left, "");
    tile(html, "head", &known(page.head), "");
    tile(html, "cursor", &known(page.cursor), "");
    tile(html, "blocks behind", &known(behind), "");
    html.raw("</dl></section>");
}

fn tile(html: &mut Html, name: &'static str, value: &str, tone: &'static str) {
    html.raw("<div class=\"").raw(tone).raw("\"><dt>").raw(name).raw("</dt><dd>").text(value).raw("</dd></div>");
}

/// Items in any of these states.
fn count(page: &Page, states: &[&str]) -> u64 {
    page.counts.iter().filter(|count| states.contains(&count.state.as_str())).map(|count| count.items).sum()
}

/// Items by state, and what became of proofs.
pub fn proofs(html: &mut Html, page: &Page) {
    begin(html, "proofs", "Items and earnings", None);
    html.raw("<div class=\"columns\"><table><caption>Items by state</caption><tbody>");
    for count in &page.counts {
        row(html, &count.state.replace('_', " "), &number(count.items));
    }
    html.raw("</tbody></table><table><caption>Proofs and their cost</caption><tbody>");
    row(html, "balance", page.balance.as_deref().unwrap_or("not known yet"));
    row(html, "spent in 24 hours", page.earnings.spent_day.as_deref().unwrap_or("not known yet"));
    row(html, "results that others proved too", &number(page.earnings.agreed));
    row(html, "results that others denied", &number(page.earnings.differed));
    row(html, "results first proved here", &number(page.earnings.alone));
    for (outcome, sessions) in &page.earnings.sessions {
        row(html, &format!("sessions {outcome}"), &number(*sessions));
    }
    html.raw(
        "</tbody></table></div><p class=\"note\">Rewards are paid on another chain, which this host does not ask: ",
    );
    html.raw("a session counts for them once it is finalized with a result that others proved too.</p></section>");
}

fn row(html: &mut Html, name: &str, value: &str) {
    html.raw("<tr><th scope=\"row\">").text(name).raw("</th><td>").text(value).raw("</td></tr>");
}

fn capital(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
