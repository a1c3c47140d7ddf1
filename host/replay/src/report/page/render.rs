//! The document and its parts.

use refiner_status_page::html::{Html, ICON, STYLE};

use super::{
    Page, RULES_DRAWN, RuleFigures, State, UNUSABLE_SHOWN,
    columns::Column,
    plot::{self, Plot, block, shown},
};
use crate::report::Totals;

/// What the style of the status page lacks: more lines, and columns that show a tip.
const MORE_STYLE: &str = "
:root { --s5: #0e7490; --s6: #a21caf; --s7: #4d5a00; }
@media (prefers-color-scheme: dark) { :root { --s5: #5ad1e8; --s6: #f09bff; --s7: #c5d24a; } }
.key.s5 { background: var(--s5); } .key.s6 { background: var(--s6); } .key.s7 { background: var(--s7); }
.line.s5 { stroke: var(--s5); } .line.s6 { stroke: var(--s6); stroke-dasharray: 6 3; } .line.s7 { stroke: var(--s7); stroke-dasharray: 2 3; }
.line.peak { stroke-width: 0.75; opacity: 0.6; }
.tip { fill: transparent; } .tip:hover { fill: var(--soft); fill-opacity: 0.15; }
.legend { min-height: 0; }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); }
th, td { overflow-wrap: break-word; }
td.r { text-align: right; }
thead th.r { text-align: right; }
";

/// Nothing but this document's own style: also where text from outside became markup, it would load and run nothing.
const POLICY: &str = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">";

/// The whole document.
pub fn document(page: &Page, totals: &Totals, state: State) -> String {
    let html = &mut Html::default();
    html.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">").raw(POLICY);
    html.raw("<title>refiner replay: ").text(headline(totals, state).0).raw("</title>");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">").raw(ICON);
    html.raw("<style>").raw(STYLE).raw(MORE_STYLE).raw("</style></head><body><header><h1>refiner replay <small>");
    html.text(env!("CARGO_PKG_VERSION")).raw("</small></h1></header><main>");
    figures(html, totals, state);
    plots(html, page);
    reasons(html, totals);
    unusable(html, page, totals);
    rules(html, page);
    slowest(html, page);
    html.raw("</main></body></html>\n");
    std::mem::take(html).into_string()
}

/// The replay in one sentence, and the class of its colour.
fn headline(totals: &Totals, state: State) -> (String, &'static str) {
    let missing = totals.refused + totals.failed + totals.unusable;
    match state {
        State::Running => ("under way, or killed before its end".to_owned(), "warn"),
        State::Interrupted => ("interrupted; the same command goes on where it was".to_owned(), "warn"),
        State::Broken => ("ended early: its output could not be written".to_owned(), "bad"),
        State::Complete if totals.failed > 0 => {
            (format!("complete, with {} failures of this host", totals.failed), "bad")
        }
        State::Complete if missing > 0 => (format!("complete, with {missing} results missing"), "warn"),
        State::Complete => ("complete".to_owned(), "ok"),
    }
}

fn figures(html: &mut Html, totals: &Totals, state: State) {
    let (words, tone) = headline(totals, state);
    let mut words = words;
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    html.raw("<section aria-label=\"Figures\"><p id=\"headline\" class=\"").raw(tone).raw("\">").text(words);
    html.raw("</p><dl class=\"tiles\">");
    let seconds = totals.elapsed().as_secs_f64();
    let rate = |count: f64| count / seconds.max(f64::EPSILON);
    let tiles = [
        ("specimens", shown(totals.specimens as f64, ""), ""),
        ("runs produced", shown(totals.produced as f64, ""), ""),
        ("of them from receipts", shown(totals.from_receipts as f64, ""), ""),
        ("with another verdict", shown(totals.refused as f64, ""), if totals.refused > 0 { "bad" } else { "" }),
        ("failed", shown(totals.failed as f64, ""), if totals.failed > 0 { "bad" } else { "" }),
        ("unusable specimens", shown(totals.unusable as f64, ""), if totals.unusable > 0 { "bad" } else { "" }),
        ("done before", shown(totals.done as f64, ""), ""),
        ("time", format!("{seconds:.1} s"), ""),
        ("blocks a second", format!("{:.1}", rate(totals.specimens as f64)), ""),
        ("gas a second", shown(rate(totals.gas as f64).round(), ""), ""),
        ("read", shown(totals.input_bytes as f64, "B"), ""),
        ("produced", shown(totals.output_bytes as f64, "B"), ""),
    ];
    for (name, value, tone) in tiles {
        html.raw("<div class=\"").raw(tone).raw("\"><dt>").raw(name).raw("</dt><dd>").text(value).raw("</dd></div>");
    }
    html.raw("</dl></section>");
}

fn plots(html: &mut Html, page: &Page) {
    let names: Vec<&str> = page.rules.iter().take(RULES_DRAWN).map(|rule| rule.name.as_str()).collect();
    html.raw("<section aria-labelledby=\"h-plots\"><h2 id=\"h-plots\">By block</h2><div class=\"charts\">");
    for plot in [
        Plot {
            title: "Time of a run",
            unit: "ms",
            lines: names.clone(),
            value: |column, rule| Some(column.rules.get(rule)?.milliseconds),
        },
        Plot {
            title: "Fuel",
            unit: "",
            lines: names.clone(),
            value: |column, rule| Some(column.rules.get(rule)?.fuel),
        },
        Plot { title: "Output", unit: "B", lines: names, value: |column, rule| Some(column.rules.get(rule)?.bytes) },
        Plot {
            title: "Gas of the block",
            unit: "",
            lines: vec!["gas used"],
            value: |column: &Column, _| Some(column.gas),
        },
    ] {
        plot::figure(html, &plot, &page.columns);
    }
    html.raw("</div>");
    if page.columns.width() > 1 {
        html.raw("<p class=\"note\">A point is ").text(page.columns.width());
        html.raw(" blocks: their mean, and as a thin line the largest of them.</p>");
    }
    if page.rules.len() > RULES_DRAWN {
        html.raw("<p class=\"note\">The first ")
            .text(RULES_DRAWN)
            .raw(" of ")
            .text(page.rules.len())
            .raw(" rules are drawn.</p>");
    }
    html.raw("</section>");
}

fn reasons(html: &mut Html, totals: &Totals) {
    let count = totals.refused + totals.failed;
    if count == 0 {
        return;
    }
    section(html, "Runs without a result", Some(count));
    head(html, &[("rule", ""), ("reason", ""), ("first block", ""), ("runs", "r")]);
    for reason in totals.reasons.iter() {
        html.raw("<tr><td>").text(reason.rule).raw("</td><td>").text(reason.reason).raw("</td><td>").text(reason.first);
        html.raw("</td><td class=\"r\">").text(reason.runs).raw("</td></tr>");
    }
    if totals.reasons.others() > 0 {
        html.raw("<tr><td></td><td>other reasons</td><td></td><td class=\"r\">")
            .text(totals.reasons.others())
            .raw("</td></tr>");
    }
    html.raw("</tbody></table></div></section>");
}

fn unusable(html: &mut Html, page: &Page, totals: &Totals) {
    if totals.unusable == 0 {
        return;
    }
    section(html, "Unusable specimens", Some(totals.unusable));
    head(html, &[("specimen", ""), ("class", ""), ("reason", "")]);
    for unusable in &page.unusable {
        html.raw("<tr><td><code>")
            .text(&unusable.specimen)
            .raw("</code></td><td>")
            .text(unusable.class)
            .raw("</td><td>");
        html.text(&unusable.message).raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
    if totals.unusable > UNUSABLE_SHOWN as u64 {
        html.raw("<p class=\"note\">The first ").text(UNUSABLE_SHOWN).raw(" are shown.</p>");
    }
    html.raw("</section>");
}

fn rules(html: &mut Html, page: &Page) {
    section(html, "Rules", Some(page.rules.len() as u64));
    head(
        html,
        &[
            ("rule", ""),
            ("identity", ""),
            ("produced", "r"),
            ("otherwise", "r"),
            ("failed", "r"),
            ("time", "r"),
            ("fuel", "r"),
            ("output", "r"),
        ],
    );
    for RuleFigures { name, version, identity, produced, refused, failed, seconds, fuel, bytes } in &page.rules {
        html.raw("<tr><td>")
            .text(name)
            .raw(" ")
            .text(version)
            .raw("</td><td><code>")
            .text(identity)
            .raw("</code></td>");
        for value in [
            produced.to_string(),
            refused.to_string(),
            failed.to_string(),
            format!("{seconds:.2} s"),
            shown(*fuel as f64, ""),
            shown(*bytes as f64, "B"),
        ] {
            html.raw("<td class=\"r\">").text(value).raw("</td>");
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table></div></section>");
}

fn slowest(html: &mut Html, page: &Page) {
    if page.slowest.is_empty() {
        return;
    }
    section(html, "Slowest runs", None);
    head(html, &[("block", ""), ("rule", ""), ("time", "r"), ("fuel", "r"), ("gas of the block", "r")]);
    for run in &page.slowest {
        html.raw("<tr><td>")
            .text(block(run.block))
            .raw("</td><td>")
            .text(&page.rules[run.rule].name)
            .raw("</td><td class=\"r\">");
        html.text(format!("{:.1} ms", run.milliseconds)).raw("</td><td class=\"r\">").text(shown(run.fuel as f64, ""));
        html.raw("</td><td class=\"r\">").text(shown(run.gas as f64, "")).raw("</td></tr>");
    }
    html.raw("</tbody></table></div></section>");
}

fn section(html: &mut Html, title: &'static str, count: Option<u64>) {
    html.raw("<section><h2>").raw(title);
    if let Some(count) = count {
        html.raw(" <span class=\"count\">").text(count).raw("</span>");
    }
    html.raw("</h2>");
}

/// Begins a table with its columns: each a name and the class of its cells.
fn head(html: &mut Html, columns: &[(&'static str, &'static str)]) {
    html.raw("<div class=\"wide\" tabindex=\"0\"><table><thead><tr>");
    for (name, class) in columns {
        html.raw("<th scope=\"col\" class=\"").raw(class).raw("\">").raw(name).raw("</th>");
    }
    html.raw("</tr></thead><tbody>");
}
