//! `refiner journal scan` and `refiner journal rebuild`: what the proof chain has, read once more.

use alloy_primitives::Address;
use refiner_arguments::Run;
use refiner_daemon::{
    Rebuilt,
    control::{Blocks, ScannedAgain},
};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_proofchain::StartBlock;

use crate::{custody, settings, terminal};

/// Scans again by the settings of the daemon that runs, or by those of `refiner run`.
///
/// # Errors
///
/// Every error of settings, rules, journal and chain.
pub fn scan(blocks: Blocks, json: bool, run: &Run) -> Result<ExitCode, Failure> {
    let data = settings::data(run)?;
    // Nothing is signed here, so no key is needed.
    let scanned = refiner_daemon::scan_again(&data, blocks, || settings::read(run, None))?;
    let out = &mut terminal::buffered_out(json);
    if json {
        out.json_line(&scanned)?;
    } else {
        let ScannedAgain { from, to, announcements, new, again, known } = scanned;
        writeln!(
            out,
            "blocks {from} to {to}: {announcements} announcements, {new} new items, {again} announced again, {known} known"
        )?;
    }
    out.finish()?;
    Ok(ExitCode::Done)
}

/// Scans for announcements and for the operator's own proofs, and writes both into the journal.
///
/// # Errors
///
/// Those of settings, rules, journal and chain.
pub fn rebuild(
    from: Option<StartBlock>,
    operator: Option<Address>,
    json: bool,
    run: &Run,
) -> Result<ExitCode, Failure> {
    // The key is read for its address alone.
    let key = if operator.is_some() { None } else { custody::take_key()? };
    let rebuilt = refiner_daemon::rebuild(&settings::read(run, key)?, from, operator)?;
    let out = &mut terminal::buffered_out(json);
    if json {
        out.json_line(&rebuilt)?;
    } else {
        let Rebuilt { operator, from, to, announcements, new, known, proved, .. } = rebuilt;
        writeln!(
            out,
            "blocks {from} to {to}: {announcements} announcements, {new} new items, {known} known; {proved} proved by {operator}"
        )?;
    }
    out.finish()?;
    Ok(ExitCode::Done)
}
