//! Worker hosts and their queue.

use super::section;
use crate::{
    Page,
    format::{duration, float, number},
    html::Html,
    page::{Host, Hosts},
};

/// Worker hosts, where they share the work.
pub fn hosts(html: &mut Html, page: &Page) {
    let Some(hosts) = &page.hosts else { return };
    section(html, "hosts", "Worker hosts", Some(hosts.total));
    let connected = if hosts.connected { "NATS answers" } else { "NATS does not answer, all work is kept" };
    html.raw("<p class=\"note\">Queue <code>").text(&hosts.queue).raw("</code>: ").text(connected).raw(".</p>");
    figures(html, hosts);
    if !hosts.first.is_empty() {
        table(html, hosts);
    }
    html.raw("</section>");
}

fn figures(html: &mut Html, hosts: &Hosts) {
    html.raw("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"h-hosts\"><table><tbody>");
    for (name, count) in [
        ("tasks in NATS", hosts.tasks),
        ("tasks whose results are waited for", hosts.waiting),
        ("given to another host after a silence", hosts.redeliveries),
        ("handed out again", hosts.republished),
        ("results that could not be used", hosts.unusable),
        ("messages refused", hosts.refused_messages),
        ("disagreements", hosts.disagreements),
    ] {
        let is_bad = name == "disagreements" && count > 0;
        html.raw("<tr><th scope=\"row\">").text(name).raw(if is_bad {
            "</th><td class=\"n bad\">"
        } else {
            "</th><td class=\"n\">"
        });
        html.text(number(count)).raw("</td></tr>");
    }
    html.raw("<tr><th scope=\"row\">age of the oldest</th><td class=\"n\">").text(duration(float(hosts.oldest_ms)));
    html.raw("</td></tr></tbody></table></div>");
}

fn table(html: &mut Html, hosts: &Hosts) {
    html.raw("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"h-hosts\"><table><thead><tr>");
    for title in ["host", "version", "workers", "in hand", "done", "seen"] {
        html.raw("<th scope=\"col\">").text(title).raw("</th>");
    }
    html.raw("</tr></thead><tbody>");
    for Host { name, version, workers, running, done, seen_ms, faults } in &hosts.first {
        html.raw("<tr><th scope=\"row\"><code>").text(name).raw("</code>");
        for fault in faults {
            html.raw("<p class=\"remedy\">").text(fault).raw("</p>");
        }
        html.raw("</th><td>").text(version);
        for count in [workers, running, done] {
            html.raw("</td><td class=\"n\">").text(number(*count));
        }
        html.raw("</td><td class=\"n\">").text(duration(float(*seen_ms))).raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
    let more = hosts.total.saturating_sub(hosts.first.len() as u64);
    if more > 0 {
        html.raw("<p class=\"note\">and ").text(number(more)).raw(" more</p>");
    }
}
