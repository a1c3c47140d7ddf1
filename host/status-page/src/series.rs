//! The six charts, as series of numbers.

use crate::{
    format::float,
    history::{BACKLOG, PROOFS, Sample, Stage, Window},
};

/// The time over which a rate is taken, at least: work comes in bursts.
const RATE_SECONDS: u64 = 60;

/// A chart.
#[derive(Debug)]
pub struct Chart {
    pub id: &'static str,
    pub title: &'static str,
    pub unit: Unit,
    pub kind: Kind,
    pub series: Vec<Series>,
}

/// One line or layer of a chart.
#[derive(Debug)]
pub struct Series {
    pub name: &'static str,
    /// Its column in the history's JSON.
    pub column: String,
    /// One value a sample; none where nothing is known.
    pub values: Vec<Option<f64>>,
}

/// The unit of a chart's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    PerMinute,
    Milliseconds,
    Count,
}

/// The form of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Lines,
    /// Lines on a logarithmic scale: a fetch takes milliseconds, a proof minutes.
    Logarithmic,
    /// Layers on top of each other.
    Stacked,
}

impl Series {
    /// The newest value.
    pub fn last(&self) -> Option<f64> {
        self.values.last().copied().flatten()
    }

    /// The newest value that is known.
    pub fn last_known(&self) -> Option<f64> {
        self.values.iter().rev().copied().flatten().next()
    }
}

/// Items a minute that a stage completed, around each sample.
pub fn per_minute(samples: &[Sample], window: Window, stage: Stage) -> Vec<f64> {
    let step = window.step().as_secs();
    let width = usize::try_from(RATE_SECONDS / step).unwrap_or(1).max(1);
    let done = |sample: &Sample| float(sample.work[stage as usize].count.into());
    (1..=samples.len())
        .map(|end| {
            let taken = &samples[end.saturating_sub(width)..end];
            let seconds = float(step) * float(taken.len() as u64);
            taken.iter().map(done).sum::<f64>() * 60.0 / seconds
        })
        .collect()
}

/// All charts of a window.
pub fn charts(samples: &[Sample], window: Window) -> Vec<Chart> {
    let by_stage = |group: &str, of: &dyn Fn(Stage) -> Vec<Option<f64>>| {
        let series = |stage: Stage| Series {
            name: stage.as_str(),
            column: format!("{group}.{}", stage.as_str()),
            values: of(stage),
        };
        Stage::ALL.map(series).into()
    };
    let by_state = |group: &str, names: &[&'static str], of: &dyn Fn(&Sample, usize) -> u32| {
        let series = names.iter().enumerate().map(|(index, name)| Series {
            name,
            column: format!("{group}.{name}"),
            values: samples.iter().map(|sample| Some(float(of(sample, index).into()))).collect(),
        });
        series.collect()
    };
    let one = |name, column: &str, of: &dyn Fn(&Sample) -> Option<u64>| {
        let values = samples.iter().map(|sample| of(sample).map(float)).collect();
        vec![Series { name, column: column.to_owned(), values }]
    };
    let chart = |id, title, unit, kind, series| Chart { id, title, unit, kind, series };
    vec![
        chart(
            "throughput",
            "Throughput, specimens a minute",
            Unit::PerMinute,
            Kind::Lines,
            by_stage("perMinute", &|stage| per_minute(samples, window, stage).into_iter().map(Some).collect()),
        ),
        chart(
            "latency",
            "Latency by stage, mean",
            Unit::Milliseconds,
            Kind::Logarithmic,
            by_stage("meanMs", &|stage| {
                samples.iter().map(|sample| sample.work[stage as usize].mean_ms().map(float)).collect()
            }),
        ),
        chart(
            "backlog",
            "Backlog by state",
            Unit::Count,
            Kind::Stacked,
            by_state("backlog", &BACKLOG, &|sample, index| sample.reading.backlog[index]),
        ),
        chart(
            "proofs",
            "Proofs under way by state",
            Unit::Count,
            Kind::Stacked,
            by_state("proofs", &PROOFS, &|sample, index| sample.reading.proofs[index]),
        ),
        chart(
            "balance",
            "Balance in proofs left",
            Unit::Count,
            Kind::Lines,
            one("proofs left", "proofsLeft", &|sample| sample.reading.proofs_left),
        ),
        chart(
            "behind",
            "Blocks behind the head",
            Unit::Count,
            Kind::Lines,
            one("blocks", "behind", &|sample| sample.reading.behind),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Work;

    #[test]
    fn rate_is_of_the_last_minute_and_of_less_at_the_start() {
        let sample = |count| Sample { work: [Work { count, ..Work::default() }; 4], ..Sample::default() };
        let mut samples = vec![sample(1); 12];
        assert_eq!(per_minute(&samples[..1], Window::Recent, Stage::Pin), [12.0]);
        samples.extend([sample(0); 12]);
        let rates = per_minute(&samples, Window::Recent, Stage::Pin);
        assert_eq!((rates[11], rates[17], rates[23]), (12.0, 6.0, 0.0));
        assert_eq!(per_minute(&[sample(10)], Window::Day, Stage::Pin), [2.0]);
    }
}
