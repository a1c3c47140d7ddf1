//! Reports of a replay: a table for people, a JSON object a run for programs, closing lines for both.

mod json;
mod page;
mod progress;
mod reasons;
mod table;
mod totals;

use std::io::{self, IsTerminal as _, Write as _};

use refiner_data_set::Damage;
use refiner_evm::ExecutionPolicy;
use refiner_output::OutputError;
use refiner_specimen_files::input::InputError;
use refiner_terminal::{self as terminal, failure};
use refiner_text::OneLine;

use self::progress::Progress;
pub use self::{
    page::{Page, State},
    totals::Totals,
};
use crate::{Style, job::Replayed, plan::Plan};

/// Files of a data set that are named one by one when they are not as they were.
const DAMAGED_SHOWN: usize = 10;

/// Prints each specimen's runs as they come, and keeps count.
pub struct Report {
    style: Style,
    /// Shown where it is not the default.
    policy: ExecutionPolicy,
    totals: Totals,
    progress: Progress,
    page: Option<Page>,
    reader: Reader,
}

/// The reader of standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// The report is the only output: the work ends when its reader leaves.
    Needed,
    /// The work writes files as well, and continues when the reader leaves.
    Welcome,
    /// The reader has closed standard output.
    Gone,
}

impl Reader {
    /// Goes on without a reader that has closed standard output.
    fn printed(&mut self, printed: io::Result<()>) -> io::Result<()> {
        match printed {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && *self != Self::Needed => {
                *self = Self::Gone;
                Ok(())
            }
            printed => printed,
        }
    }
}

impl Report {
    /// Begins a report over what is planned. Where the replay `has_files`, its report need not be read to the end.
    pub fn begin(style: Style, policy: ExecutionPolicy, plan: &Plan, has_files: bool) -> io::Result<Self> {
        let mut reader = if has_files { Reader::Welcome } else { Reader::Needed };
        if style == Style::Table {
            reader.printed(table::header(&mut terminal::out(false)))?;
        }
        let shares_terminal = style != Style::Summary && io::stdout().is_terminal();
        let progress = Progress::begin(plan.items.len() as u64, shares_terminal);
        Ok(Self { style, policy, totals: Totals::after(plan), progress, page: None, reader })
    }

    /// Begins a report of no more than progress and what is unusable.
    pub fn begin_counting(policy: ExecutionPolicy, specimens: u64) -> Self {
        let progress = Progress::begin(specimens, false);
        Self { style: Style::Summary, policy, totals: Totals::default(), progress, page: None, reader: Reader::Needed }
    }

    /// The same with a page, which is written when the replay ends.
    pub fn with_page(self, page: Option<Page>) -> Self {
        Self { page, ..self }
    }

    /// Writes the page, where there is one, as the replay ended.
    ///
    /// # Errors
    ///
    /// The operating system refuses the file.
    pub fn write_page(&self, state: State) -> Result<(), OutputError> {
        self.page.as_ref().map_or(Ok(()), |page| page.write(&self.totals, state))
    }

    /// Ends it.
    pub fn end(self) -> Totals {
        self.progress.finish();
        self.totals
    }

    /// Reports arguments that name nothing.
    pub fn refused(&mut self, refused: &[InputError]) {
        refused.iter().for_each(failure::report_argument);
        self.totals.refused_arguments(refused.len() as u64);
    }

    /// Reports files of the data set that are not there as its manifest states.
    pub fn damaged(&self, files: &[Damage]) {
        // A closed standard error leaves no place to report to.
        for Damage { path, chain_id, first, last } in files.iter().take(DAMAGED_SHOWN) {
            let file = OneLine(path.display());
            let blocks = if first == last {
                format!("block {chain_id}-{first} is made again where its specimen is named")
            } else {
                format!("blocks {chain_id}-{first} to {last} are made again where their specimens are named")
            };
            let _ = writeln!(terminal::err(), "{file}: not there as the manifest states; {blocks}");
        }
        if files.len() > DAMAGED_SHOWN {
            let _ = writeln!(terminal::err(), "and {} more files", files.len() - DAMAGED_SHOWN);
        }
    }

    /// Tells of one specimen.
    pub fn record(&mut self, replayed: &Replayed) -> io::Result<()> {
        self.totals.add(replayed);
        if let Some(page) = &mut self.page {
            page.add(replayed);
        }
        let (style, policy) = (self.style, self.policy);
        let unusable = if style == Style::Json { None } else { replayed.outcome.as_ref().err() };
        if style != Style::Summary || unusable.is_some() {
            let reader = &mut self.reader;
            self.progress.beside(|| {
                let printed = match style {
                    _ if *reader == Reader::Gone => Ok(()),
                    Style::Table => table::rows(replayed, &mut terminal::out(false)),
                    Style::Json => json::lines(replayed, policy, &mut terminal::out(true)),
                    Style::Summary => Ok(()),
                };
                reader.printed(printed)?;
                unusable.into_iter().for_each(|error| failure::report_item(&replayed.input, error));
                Ok::<_, io::Error>(())
            })?;
        }
        self.progress.advance(&self.totals);
        Ok(())
    }

    /// Tells how it all came out: on standard output, or beside the JSON lines on standard error.
    pub fn finish(mut self, is_interrupted: bool) -> io::Result<Totals> {
        self.progress.finish();
        self.totals.interrupted(is_interrupted);
        let printed = match self.style {
            Style::Table | Style::Summary => writeln!(io::stdout(), "{}", self.totals),
            Style::Json => writeln!(io::stderr(), "{}", self.totals),
        };
        self.reader.printed(printed)?;
        Ok(self.totals)
    }
}
