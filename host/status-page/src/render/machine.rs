//! Nodes, workers, checks and settings.

use super::section;
use crate::{
    Level, Page,
    format::{duration, float, known, since},
    html::Html,
};

/// Nodes of the proof chain.
pub fn chain(html: &mut Html, page: &Page) {
    section(html, "nodes", "Nodes of the proof chain", Some(page.nodes.len() as u64));
    html.raw("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"h-nodes\"><table><thead><tr>");
    html.raw(
        "<th scope=\"col\">node</th><th scope=\"col\">state</th><th scope=\"col\">head</th><th scope=\"col\">age</th>",
    );
    html.raw("</tr></thead><tbody>");
    for node in &page.nodes {
        html.raw("<tr><th scope=\"row\"><code>").text(&node.name).raw("</code></th><td>").text(&node.state);
        if let Some(reason) = &node.reason {
            html.raw(": ").text(reason);
        }
        let age = node.head_age_s.map_or_else(|| "–".to_owned(), |age| duration(float(age) * 1e3));
        html.raw("</td><td class=\"n\">").text(known(node.head)).raw("</td><td class=\"n\">").text(age);
        html.raw("</td></tr>");
    }
    html.raw("</tbody></table></div></section>");
}

/// Child processes that run rules.
pub fn workers(html: &mut Html, page: &Page) {
    section(html, "workers", "Workers", Some(page.workers.running.len() as u64));
    html.raw("<p class=\"note\">At most ").text(page.workers.configured).raw(" rules run at once; ");
    let busy = page.workers.running.iter().filter(|worker| worker.attempt.is_some()).count();
    html.text(busy).raw(" now.</p>");
    if !page.workers.running.is_empty() {
        html.raw("<ul class=\"workers\">");
        for worker in &page.workers.running {
            html.raw(if worker.attempt.is_some() { "<li class=\"busy\">" } else { "<li>" });
            html.text(&worker.rule).raw(" <span class=\"since\">process ").text(worker.pid);
            match worker.attempt {
                None => html.raw(", waits for work"),
                Some(1) => html.raw(", runs"),
                Some(attempt) => html.raw(", runs, try ").text(attempt),
            };
            html.raw("</span></li>");
        }
        html.raw("</ul>");
    }
    html.raw("</section>");
}

/// Checks before work begins.
pub fn checks(html: &mut Html, page: &Page) {
    section(html, "checks", "Preflight", None);
    let passed = page.checks.iter().filter(|check| check.level == Level::Ok).count();
    html.raw("<details id=\"checks-all\"><summary>").text(passed).raw(" of ").text(page.checks.len());
    html.raw(" checks passed");
    if let Some(checked_ms) = page.checked_ms {
        html.raw(" <span class=\"since\">").text(since(page.now_ms, checked_ms)).raw(" ago, before work began</span>");
    }
    html.raw(
        "</summary><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"h-checks\"><table><tbody>",
    );
    for check in &page.checks {
        let (tone, word) = match check.level {
            Level::Ok => ("ok", "ok"),
            Level::Warning => ("warn", "warning"),
            Level::Error => ("bad", "error"),
        };
        html.raw("<tr><td class=\"").raw(tone).raw("\">").raw(word).raw("</td><th scope=\"row\">").text(&check.name);
        html.raw("</th><td>").text(&check.detail);
        if let Some(remedy) = &check.remedy {
            html.raw("<p class=\"remedy\">").text(remedy).raw("</p>");
        }
        html.raw("</td></tr>");
    }
    html.raw("</tbody></table></div></details></section>");
}

/// Settings in force and the origin of each, those that an operator gave first.
pub fn settings(html: &mut Html, page: &Page) {
    section(html, "settings", "Configuration", None);
    let (defaults, given): (Vec<_>, Vec<_>) = page.settings.iter().partition(|setting| setting.origin == "default");
    html.raw("<details id=\"settings-all\"><summary>").text(given.len()).raw(" settings given, ");
    html.text(defaults.len())
        .raw(" by default</summary><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"h-settings\">");
    html.raw("<table><thead><tr><th scope=\"col\">setting</th><th scope=\"col\">value</th><th scope=\"col\">origin</th></tr></thead><tbody>");
    for setting in given.into_iter().chain(defaults) {
        html.raw("<tr><th scope=\"row\"><code>").text(&setting.key).raw("</code></th><td><code>");
        html.text(setting.value.as_deref().unwrap_or("–"))
            .raw("</code></td><td>")
            .text(&setting.origin)
            .raw("</td></tr>");
    }
    html.raw("</tbody></table></div></details></section>");
}
