//! Charts as drawings: shapes in SVG, and every word and number in HTML beside it, so that both scale on their own.

use crate::{
    format::{duration, float, short},
    history::Window,
    html::Html,
    series::{Chart, Kind, Series, Unit},
};

/// Size of the drawing, which a browser stretches to its place.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 120.0;

/// A figure with title, legend with the newest values, and drawing.
pub fn figure(html: &mut Html, chart: &Chart, window: Window) {
    let scale = Scale::of(chart);
    html.raw("<figure class=\"chart\" id=\"chart-").text(chart.id).raw("\" data-unit=\"").text(chart.unit.as_str());
    html.raw("\"><figcaption>").text(chart.title).raw("</figcaption><ul class=\"legend\">");
    for (index, series) in chart.series.iter().enumerate() {
        let newest = if chart.kind == Kind::Logarithmic { series.last_known() } else { series.last() };
        let newest = newest.map_or_else(|| "–".to_owned(), |value| chart.unit.shown(value));
        html.raw("<li><span class=\"key s").text(index).raw("\"></span>").text(series.name.replace('_', " "));
        html.raw(" <b data-column=\"").text(&series.column).raw("\">").text(newest).raw("</b></li>");
    }
    html.raw("</ul><div class=\"plot\"><span class=\"most\">").text(chart.unit.shown(scale.top));
    html.raw("</span><span class=\"least\">").text(chart.unit.shown(if scale.is_logarithmic { 1.0 } else { 0.0 }));
    html.raw("</span><svg viewBox=\"0 0 600 120\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
    describe(html, chart);
    html.raw("\"><path class=\"grid\" d=\"M0 0.5H600M0 60H600M0 119.5H600\"/>");
    match chart.kind {
        Kind::Stacked => layers(html, chart, window, &scale),
        Kind::Lines | Kind::Logarithmic => lines(html, chart, window, &scale),
    }
    html.raw("</svg></div><p class=\"axis\"><span>");
    html.raw(match window {
        Window::Recent => "15 min ago",
        Window::Day => "24 h ago",
    });
    html.raw("</span><span>now</span></p></figure>");
}

/// The drawing in words.
fn describe(html: &mut Html, chart: &Chart) {
    html.text(chart.title).raw(":");
    for (index, series) in chart.series.iter().enumerate() {
        let most = series.values.iter().copied().flatten().reduce(f64::max);
        html.raw(if index == 0 { " " } else { "; " }).text(series.name.replace('_', " "));
        match (series.last_known(), most) {
            (Some(now), Some(most)) => {
                html.raw(" now ").text(chart.unit.shown(now)).raw(", at most ").text(chart.unit.shown(most));
            }
            _ => {
                html.raw(" not known yet");
            }
        }
    }
}

fn lines(html: &mut Html, chart: &Chart, window: Window, scale: &Scale) {
    for (index, series) in chart.series.iter().enumerate() {
        html.raw("<path class=\"line s").text(index).raw("\" d=\"");
        let mut begun = false;
        for (at, value) in series.values.iter().enumerate() {
            let Some(value) = *value else { continue };
            html.raw(if begun { "L" } else { "M" }).coordinate(x(at, series.values.len(), window));
            html.raw(" ").coordinate(scale.y(value));
            if !begun {
                // A line of one point would not be seen.
                html.raw("h0.1");
            }
            begun = true;
        }
        html.raw("\"/>");
    }
}

fn layers(html: &mut Html, chart: &Chart, window: Window, scale: &Scale) {
    let length = chart.series.first().map_or(0, |series| series.values.len());
    let mut below = vec![0.0; length];
    for (index, series) in chart.series.iter().enumerate() {
        let above: Vec<f64> =
            below.iter().zip(&series.values).map(|(below, value)| below + value.unwrap_or(0.0)).collect();
        html.raw("<path class=\"layer s").text(index).raw("\" d=\"");
        for (at, value) in above.iter().enumerate() {
            html.raw(if at == 0 { "M" } else { "L" }).coordinate(x(at, length, window));
            html.raw(" ").coordinate(scale.y(*value));
        }
        for (at, value) in below.iter().enumerate().rev() {
            html.raw("L").coordinate(x(at, length, window)).raw(" ").coordinate(scale.y(*value));
        }
        html.raw(if length == 0 { "\"/>" } else { "Z\"/>" });
        below = above;
    }
}

/// The newest sample is at the right edge.
fn x(at: usize, length: usize, window: Window) -> f64 {
    let from_right = float((length - 1 - at) as u64);
    WIDTH * (1.0 - from_right / float((window.capacity() - 1) as u64))
}

/// Values to heights.
struct Scale {
    top: f64,
    is_logarithmic: bool,
}

impl Scale {
    fn of(chart: &Chart) -> Self {
        let known = |series: &Series| series.values.iter().copied().flatten().fold(0.0, f64::max);
        let most = match chart.kind {
            Kind::Lines | Kind::Logarithmic => chart.series.iter().map(known).fold(0.0, f64::max),
            Kind::Stacked => {
                let length = chart.series.first().map_or(0, |series| series.values.len());
                let sum = |at: usize| -> f64 { chart.series.iter().filter_map(|series| series.values[at]).sum() };
                (0..length).map(sum).fold(0.0, f64::max)
            }
        };
        let is_logarithmic = chart.kind == Kind::Logarithmic;
        let top = if is_logarithmic { 10_f64.powf(most.max(10.0).log10().ceil()) } else { round(most) };
        Self { top, is_logarithmic }
    }

    fn y(&self, value: f64) -> f64 {
        let share = if self.is_logarithmic { value.max(1.0).log10() / self.top.log10() } else { value / self.top };
        HEIGHT * (1.0 - share)
    }
}

/// The next number of the form 1, 2 or 5 times a power of ten.
fn round(most: f64) -> f64 {
    let power = 10_f64.powf(most.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= most).unwrap_or(most)
}

impl Unit {
    const fn as_str(self) -> &'static str {
        match self {
            Self::PerMinute => "rate",
            Self::Milliseconds => "ms",
            Self::Count => "count",
        }
    }

    fn shown(self, value: f64) -> String {
        match self {
            Self::PerMinute | Self::Count => short(value),
            Self::Milliseconds => duration(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{History, Reading, Stage, series::charts};

    fn drawn(history: &History) -> String {
        let mut html = Html::default();
        for chart in charts(&history.samples(Window::Recent), Window::Recent) {
            figure(&mut html, &chart, Window::Recent);
        }
        html.into_string()
    }

    #[test]
    fn charts_without_a_sample_are_drawn_empty() {
        let html = drawn(&History::default());
        assert_eq!(html.matches("<svg").count(), 6);
        assert!(html.contains("pin not known yet") && !html.contains("NaN") && !html.contains("inf"), "{html}");
    }

    #[test]
    fn newest_sample_is_at_the_right_edge_and_the_largest_value_below_the_top() {
        let history = History::default();
        for backlog in [3, 7] {
            history.completed(Stage::Refine, std::time::Duration::from_millis(40));
            history.sample(Reading { backlog: [backlog, 0, 0, 0, 0], ..Reading::default() });
        }
        let html = drawn(&history);
        assert!(html.contains("d=\"M596.6 84.0L600.0 36.0L600.0 120.0L596.6 120.0Z\""), "{html}");
        assert!(html.contains("refine now 40 ms, at most 40 ms") && html.contains(">100 ms</span>"), "{html}");
        assert!(!html.contains("NaN"), "{html}");
    }

    #[test]
    fn top_of_a_scale_is_a_round_number() {
        assert_eq!([0.0, 1.0, 1.1, 3.0, 5.0, 7.0, 28_029_199.0].map(round), [1.0, 1.0, 2.0, 5.0, 5.0, 10.0, 5e7]);
    }
}
