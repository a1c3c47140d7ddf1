//! Rules over many specimens, offline, on every core.
//!
//! * **Inputs**: a [`Replay`]: specimens, rules and the terms on which they run.
//! * **Outputs**: a data set in a directory, a report in one of three [`Style`]s, and a page with figures; or the rows themselves
//!   ([`RowReplay`]), or the contents of one specimen ([`contents`]).
//! * **Invariants**: a specimen that fails stops no other; results are printed in the order of the specimens, whatever the threads.
//!
//! ```no_run
//! use refiner_replay::{ChildProgram, Replay, Style};
//!
//! fn hash_results(settings: refiner_config::Values) -> Result<(), Box<dyn std::error::Error>> {
//!     let replay = Replay {
//!         specimens: vec!["specimens/*.avro".into()],
//!         files_from: None,
//!         blocks: Vec::new(),
//!         rules: vec!["block-result".to_owned()],
//!         out: None,
//!         table: None,
//!         report_page: None,
//!         dry_run: false,
//!         params: Vec::new(),
//!         chain_configs: Vec::new(),
//!         block_hashes: None,
//!         isolate: false,
//!         children: ChildProgram::this_program(),
//!         threads: None,
//!         style: Style::Json,
//!         settings,
//!     };
//!     refiner_replay::run(&replay).map_err(|failure| failure.to_string())?;
//!     Ok(())
//! }
//! ```

mod conditions;
mod contents;
mod dry_run;
mod hosts;
mod job;
mod keeper;
mod parallel;
mod plan;
mod report;
mod rows;
mod run;
mod signals;
mod style;
mod tables;
mod verify;

pub use self::{
    contents::contents,
    hosts::{HostRun, HostSpecimen, Hosts, HostsAtWork, HostsFailure},
    parallel::{End, Interrupter, NoThread},
    rows::{RowReplay, RowTable, SpecimenRows},
    run::{Replay, run, run_on},
    style::Style,
    tables::TableChoice,
    verify::{Verification, verify},
};
pub use refiner_specimen_files::selection::BlockSelection;
pub use refiner_worker::ChildProgram;
