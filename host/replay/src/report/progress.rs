//! Progress on standard error: a bar on a terminal, a line now and then anywhere else.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use refiner_terminal as terminal;

use super::Totals;

/// Drawings of the bar in a second.
const DRAWN_HZ: u8 = 4;
/// Time between lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// A bar or lines while a replay runs.
pub enum Progress {
    /// A bar, taken off and drawn again where other lines go to the same terminal.
    Bar {
        bar: ProgressBar,
        drawn: Option<Instant>,
    },
    Lines {
        total: u64,
        begun: Instant,
        printed: Instant,
    },
}

impl Progress {
    /// Begins with none of `specimens` done. Where the lines of the report go to the same terminal, they are progress enough.
    pub fn begin(specimens: u64, shares_terminal: bool) -> Self {
        let now = Instant::now();
        if !io::stderr().is_terminal() || shares_terminal {
            return Self::Lines { total: specimens, begun: now, printed: now };
        }
        let bar = ProgressBar::with_draw_target(Some(specimens), ProgressDrawTarget::stderr_with_hz(DRAWN_HZ));
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} specimens, {msg}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self::Bar { bar, drawn: None }
    }

    /// Prints something else.
    pub fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        match self {
            // Standard output is a file or a pipe, and what goes to standard error is rare.
            Self::Bar { bar, .. } => bar.suspend(print),
            Self::Lines { .. } => print(),
        }
    }

    /// One more specimen is done.
    pub fn advance(&mut self, totals: &Totals) {
        match self {
            Self::Bar { bar, drawn } => {
                bar.inc(1);
                if drawn.is_none_or(|drawn| drawn.elapsed() >= Duration::from_secs(1) / u32::from(DRAWN_HZ)) {
                    bar.set_message(totals.pace());
                    *drawn = Some(Instant::now());
                }
            }
            Self::Lines { total, begun, printed } if printed.elapsed() >= LINE_EVERY => {
                *printed = Instant::now();
                let done = totals.specimens();
                let left = begun.elapsed().as_secs_f64() * (total.saturating_sub(done)) as f64 / done.max(1) as f64;
                // A closed standard error leaves no place for it.
                let _ = writeln!(terminal::err(), "{done}/{total} specimens, {}, {left:.0} s left", totals.pace());
            }
            Self::Lines { .. } => {}
        }
    }

    /// Takes the bar off.
    pub fn finish(&self) {
        if let Self::Bar { bar, .. } = self {
            bar.finish_and_clear();
        }
    }
}
