//! Everything that an operator can mend: pauses, waits, items in quarantine and items without a source.

use super::{command, section};
use crate::{
    Level, Page,
    format::{duration, float, number, since},
    html::Html,
};

/// Pauses, waits and failed checks, each with its remedy; a line without any is left out.
pub fn notices(html: &mut Html, page: &Page) {
    html.raw("<div id=\"notices\" data-live>");
    let failed: Vec<_> = page.checks.iter().filter(|check| check.level == Level::Error).collect();
    let is_any = page.paused.is_some() || page.journal_error.is_some() || !page.waits.is_empty() || !failed.is_empty();
    if is_any {
        html.raw(
            "<section aria-labelledby=\"h-notices\"><h2 id=\"h-notices\">What it waits for</h2><ul class=\"notices\">",
        );
        if let Some(pause) = &page.paused {
            let since = since(page.now_ms, pause.since_ms);
            notice(html, "bad", "proving", &pause.reason, pause.remedy.as_deref(), Some(&since));
        }
        if let Some(error) = &page.journal_error {
            notice(
                html,
                "bad",
                "journal",
                error,
                Some("see the log; figures of items are missing until it answers"),
                None,
            );
        }
        for wait in &page.waits {
            let since = since(page.now_ms, wait.since_ms);
            notice(html, "warn", &wait.part, &wait.what, Some(&wait.remedy), Some(&since));
        }
        for check in failed {
            notice(html, "bad", &check.name, &check.detail, check.remedy.as_deref(), None);
        }
        html.raw("</ul></section>");
    }
    if let Some(failure) = &page.last_failure {
        let since = since(page.now_ms, page.last_failure_ms);
        html.raw("<p class=\"note\">Last failure, ").text(since).raw(" ago: ").text(failure).raw("</p>");
    }
    html.raw("</div>");
}

fn notice(html: &mut Html, tone: &'static str, part: &str, what: &str, remedy: Option<&str>, since: Option<&str>) {
    html.raw("<li class=\"").raw(tone).raw("\"><p><strong>").text(part).raw("</strong> ").text(what);
    if let Some(since) = since {
        html.raw(" <span class=\"since\">for ").text(since).raw("</span>");
    }
    html.raw("</p>");
    if let Some(remedy) = remedy {
        html.raw("<p class=\"remedy\">").text(remedy).raw("</p>");
    }
    html.raw("</li>");
}

/// Items that failed for good, with the command that tries each again.
pub fn quarantine(html: &mut Html, page: &Page) {
    section(html, "quarantine", "Quarantine", Some(page.quarantine.total));
    if page.quarantine.total == 0 {
        html.raw("<p class=\"note\">No item failed for good.</p>");
    } else {
        html.raw("<ul class=\"items\">");
        for item in &page.quarantine.first {
            html.raw("<li><p><strong>Item ").text(&item.item).raw("</strong>, block ").text(number(item.height));
            html.raw(", rule ").text(&item.rule).raw(" <span class=\"since\">").text(since(page.now_ms, item.since_ms));
            html.raw(" ago</span></p><p class=\"reason\">").text(&item.reason).raw("</p><p class=\"remedy\">");
            html.text(&item.remedy).raw("</p>");
            command(html, &item.command);
            html.raw("</li>");
        }
        html.raw("</ul>");
        let more = page.quarantine.total.saturating_sub(page.quarantine.first.len() as u64);
        if more > 0 {
            html.raw("<p class=\"note\">").text(number(more)).raw(" more: </p>");
            command(html, &page.quarantine.list_command);
        }
    }
    html.raw("</section>");
}

/// Items that no source has, as far as they are shown.
pub fn waiting(html: &mut Html, page: &Page) {
    html.raw("<div id=\"waiting\" data-live>");
    if !page.waiting.is_empty() {
        html.raw("<section aria-labelledby=\"h-waiting\"><h2 id=\"h-waiting\">Specimens that no source has</h2>");
        html.raw("<ul class=\"items\">");
        for item in &page.waiting {
            html.raw("<li><p><strong>Item ").text(&item.item).raw("</strong>, block ").text(number(item.height));
            let next = duration(float(item.next_ms.saturating_sub(page.now_ms)));
            html.raw(" <span class=\"since\">looked for again in ").text(next).raw("</span></p><p class=\"reason\">");
            html.text(&item.reason).raw("</p></li>");
        }
        html.raw("</ul></section>");
    }
    html.raw("</div>");
}
