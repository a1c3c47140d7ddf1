//! The document and its parts.

mod figures;
mod hosts;
mod machine;
mod troubles;

use std::time::{Duration, UNIX_EPOCH};

use crate::{
    Page, Window, chart,
    format::number,
    history::History,
    html::{Html, ICON, STYLE},
    policy::SCRIPT,
    series,
};

/// Renders the page.
#[must_use]
pub fn render(page: &Page, history: &History) -> String {
    let html = &mut Html::default();
    html.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>refiner: ");
    html.text(figures::headline(page, history).words).raw("</title>");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">").raw(ICON);
    html.raw("<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>");
    html.raw("<style>").raw(STYLE).raw("</style></head><body>");
    header(html, page);
    html.raw("<main>");
    figures::section(html, page, history);
    troubles::notices(html, page);
    charts(html, page, history);
    troubles::quarantine(html, page);
    troubles::waiting(html, page);
    machine::chain(html, page);
    machine::workers(html, page);
    hosts::hosts(html, page);
    figures::proofs(html, page);
    machine::checks(html, page);
    machine::settings(html, page);
    html.raw("</main>");
    footer(html);
    html.raw("<script>").raw(SCRIPT).raw("</script></body></html>\n");
    std::mem::take(html).into_string()
}

fn header(html: &mut Html, page: &Page) {
    html.raw("<header><h1>refiner <small>").text(&page.version).raw("</small></h1><dl id=\"about\" data-live>");
    html.raw("<div><dt>proof chain</dt><dd>").text(&page.network).raw("</dd></div><div><dt>operator</dt><dd><code>");
    html.text(page.operator.as_deref().unwrap_or("none: results are not proved")).raw("</code></dd></div>");
    let now = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(page.now_ms));
    html.raw("<div><dt>as of</dt><dd><time>").text(now).raw("</time></dd></div></dl></header>");
}

fn charts(html: &mut Html, page: &Page, history: &History) {
    html.raw("<section aria-labelledby=\"h-charts\"><div class=\"title\"><h2 id=\"h-charts\">The recent past</h2>");
    html.raw("<nav aria-label=\"Time of the charts\">");
    for (window, words) in [(Window::Recent, "15 minutes"), (Window::Day, "24 hours")] {
        html.raw("<a href=\"?window=").text(window.as_str());
        html.raw(if window == page.window { "\" aria-current=\"page\">" } else { "\">" }).text(words).raw("</a>");
    }
    html.raw("</nav></div><div class=\"charts\" id=\"charts\" data-live data-window=\"");
    html.text(page.window.as_str()).raw("\">");
    for chart in series::charts(&history.samples(page.window), page.window) {
        chart::figure(html, &chart, page.window);
    }
    html.raw("</div></section>");
}

fn footer(html: &mut Html) {
    html.raw("<footer><p>For tools: <a href=\"status\">/status</a>, <a href=\"history\">/history</a>, <a href=\"metrics\">/metrics</a>, ");
    html.raw("<a href=\"readyz\">/readyz</a>, <a href=\"livez\">/livez</a>.</p>");
    html.raw("<p id=\"stale\" role=\"status\" hidden>The daemon does not answer; these figures are old.</p></footer>");
}

/// A heading and a part of it that newer figures replace.
fn section(html: &mut Html, id: &'static str, title: &'static str, count: Option<u64>) {
    html.raw("<section id=\"").raw(id).raw("\" data-live aria-labelledby=\"h-").raw(id).raw("\"><h2 id=\"h-").raw(id);
    html.raw("\">").raw(title);
    if let Some(count) = count {
        html.raw(" <span class=\"count\">").text(number(count)).raw("</span>");
    }
    html.raw("</h2>");
}

/// A command to type, with a button that a script makes useful.
fn command(html: &mut Html, command: &str) {
    html.raw("<span class=\"command\"><code>").text(command);
    html.raw("</code><button type=\"button\" class=\"copy\">Copy</button></span>");
}

#[cfg(test)]
mod tests;
