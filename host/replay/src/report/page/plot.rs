//! Plots by block: shapes in SVG, words and numbers in HTML beside it, and a tip for each column that a browser shows by itself.

use refiner_status_page::html::Html;

use super::columns::{Column, Columns, Value};

/// Size of the drawing, which a browser stretches to its place.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 120.0;

/// A plot of one measure.
pub struct Plot<'a> {
    pub title: &'static str,
    /// The unit after a value.
    pub unit: &'static str,
    /// Names of the lines, in the order of the values.
    pub lines: Vec<&'a str>,
    /// The value of a line in a column; none where a rule has no run there.
    pub value: fn(&Column, usize) -> Option<Value>,
}

/// A figure with title, legend and drawing.
pub fn figure(html: &mut Html, plot: &Plot<'_>, columns: &Columns) {
    let all = columns.as_slice();
    let most =
        |line: usize| all.iter().filter_map(|column| (plot.value)(column, line)).map(Value::most).fold(0.0, f64::max);
    let largest = (0..plot.lines.len()).map(most).fold(0.0, f64::max);
    let top = round(largest);
    html.raw("<figure class=\"chart\"><figcaption>").text(plot.title).raw("</figcaption><ul class=\"legend\">");
    for (line, name) in plot.lines.iter().enumerate() {
        html.raw("<li><span class=\"key s").text(line).raw("\"></span>").text(name).raw(" <b>at most ");
        html.text(shown(most(line), plot.unit)).raw("</b></li>");
    }
    html.raw("</ul><div class=\"plot\"><span class=\"most\">").text(shown(top, plot.unit));
    html.raw("</span><span class=\"least\">0</span><svg viewBox=\"0 0 600 120\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
    html.text(plot.title).raw(", at most ").text(shown(largest, plot.unit));
    html.raw("\"><path class=\"grid\" d=\"M0 0.5H600M0 60H600M0 119.5H600\"/>");
    for line in 0..plot.lines.len() {
        if columns.width() > 1 {
            path(html, "<path class=\"line peak s", line, all, top, |column| {
                (plot.value)(column, line).map(Value::most)
            });
        }
        path(html, "<path class=\"line s", line, all, top, |column| (plot.value)(column, line).map(Value::mean));
    }
    tips(html, plot, all);
    html.raw("</svg></div><p class=\"axis\"><span>")
        .text(all.first().map(|column| block(column.first)).unwrap_or_default());
    html.raw("</span><span>").text(all.last().map(|column| block(column.last)).unwrap_or_default());
    html.raw("</span></p></figure>");
}

/// The name of a block.
pub fn block((chain_id, height): (u64, u64)) -> String {
    format!("{chain_id}-{height}")
}

/// A value with its unit, in few characters.
pub fn shown(value: f64, unit: &str) -> String {
    let (scaled, prefix) = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")]
        .into_iter()
        .find(|(least, _)| value >= *least)
        .map_or((value, ""), |(least, prefix)| (value / if prefix == "k" { 1e3 } else { least }, prefix));
    let digits = if scaled >= 100.0 || scaled.fract() == 0.0 { format!("{scaled:.0}") } else { format!("{scaled:.1}") };
    match (prefix, unit) {
        ("", "") => digits,
        _ => format!("{digits} {prefix}{unit}"),
    }
}

fn path(
    html: &mut Html,
    open: &'static str,
    line: usize,
    all: &[Column],
    top: f64,
    value: impl Fn(&Column) -> Option<f64>,
) {
    html.raw(open).text(line).raw("\" d=\"");
    let mut is_open = false;
    for (at, column) in all.iter().enumerate() {
        let Some(value) = value(column) else {
            is_open = false;
            continue;
        };
        html.raw(if is_open { "L" } else { "M" }).coordinate(x(at, all.len())).raw(" ");
        html.coordinate(HEIGHT * (1.0 - value / top));
        if !is_open {
            // A line of one point would not be seen.
            html.raw("h0.1");
        }
        is_open = true;
    }
    html.raw("\"/>");
}

/// Middle of a column's place.
fn x(at: usize, columns: usize) -> f64 {
    WIDTH * (at as f64 + 0.5) / columns.max(1) as f64
}

fn tips(html: &mut Html, plot: &Plot<'_>, all: &[Column]) {
    for (at, column) in all.iter().enumerate() {
        html.raw("<rect class=\"tip\" y=\"0\" height=\"120\" x=\"").coordinate(WIDTH * at as f64 / all.len() as f64);
        html.raw("\" width=\"").coordinate(WIDTH / all.len() as f64).raw("\"><title>").text(block(column.first));
        if column.blocks > 1 {
            html.raw(" to ").text(block(column.last)).raw(", ").text(column.blocks).raw(" blocks, mean and most");
        }
        for (line, name) in plot.lines.iter().enumerate() {
            let Some(value) = (plot.value)(column, line) else { continue };
            html.raw("\n").text(name).raw(": ").text(shown(value.mean(), plot.unit));
            if column.blocks > 1 {
                html.raw(", ").text(shown(value.most(), plot.unit));
            }
        }
        html.raw("</title></rect>");
    }
}

/// The next number of the form 1, 2 or 5 times a power of ten.
fn round(most: f64) -> f64 {
    let power = 10_f64.powf(most.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= most).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_at_a_glance() {
        assert_eq!(shown(0.0, "ms"), "0 ms");
        assert_eq!(shown(12.34, "ms"), "12.3 ms");
        assert_eq!(shown(28_029_199.0, "gas"), "28.0 Mgas");
        assert_eq!(shown(12_345.0, "B"), "12.3 kB");
        assert_eq!(shown(9_999.0, ""), "9999");
    }

    #[test]
    fn plot_without_a_block_is_drawn_empty() {
        let mut html = Html::default();
        let plot = Plot { title: "Gas", unit: "gas", lines: vec!["gas"], value: |column, _| Some(column.gas) };
        figure(&mut html, &plot, &Columns::default());
        let html = html.into_string();
        assert!(html.contains("<svg") && !html.contains("NaN") && !html.contains("inf"), "{html}");
    }
}
