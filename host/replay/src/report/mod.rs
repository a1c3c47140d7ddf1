//! Reports of a replay: a table for people, a JSON object a run for programs, a closing line for both.

mod json;
mod table;
mod totals;

use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use refiner_evm::ExecutionPolicy;
use refiner_terminal::{self as terminal, failure};

pub use self::totals::Totals;
use crate::{Style, job::Replayed};

/// Prints each specimen's runs as they come, and keeps count.
pub struct Report {
    style: Style,
    /// Shown where it is not the default.
    policy: ExecutionPolicy,
    totals: Totals,
    progress: ProgressBar,
}

impl Report {
    /// Begins a report over `specimens` specimens.
    pub fn begin(style: Style, policy: ExecutionPolicy, specimens: usize) -> io::Result<Self> {
        if style == Style::Table {
            table::header(&mut terminal::out(false))?;
        }
        Ok(Self { style, policy, totals: Totals::default(), progress: progress(specimens) })
    }

    /// Tells of one specimen.
    pub fn record(&mut self, replayed: &Replayed) -> io::Result<()> {
        self.totals.add(replayed);
        self.progress.suspend(|| {
            let mut stdout = terminal::out(self.style == Style::Json);
            match self.style {
                Style::Table => table::rows(replayed, &mut stdout),
                Style::Json => json::lines(replayed, self.policy, &mut stdout),
                Style::Summary => Ok(()),
            }?;
            if let (Style::Table | Style::Summary, Err(error)) = (self.style, &replayed.outcome) {
                failure::report_item(&replayed.input, error);
            }
            Ok::<_, io::Error>(())
        })?;
        self.progress.inc(1);
        Ok(())
    }

    /// Tells how it all came out: on standard output, or beside the JSON lines on standard error.
    pub fn finish(self) -> io::Result<Totals> {
        self.progress.finish_and_clear();
        match self.style {
            Style::Table | Style::Summary => writeln!(io::stdout(), "{}", self.totals)?,
            Style::Json => writeln!(io::stderr(), "{}", self.totals)?,
        }
        Ok(self.totals)
    }
}

/// A bar on a terminal, nothing anywhere else.
fn progress(specimens: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(specimens as u64), ProgressDrawTarget::stderr_with_hz(10));
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} specimens, {per_sec}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
