//! `refiner run`: the daemon, by its settings.

use refiner_arguments::{Run, settings};
use refiner_config::egress;
use refiner_daemon::config::Key;
use refiner_diagnostics::{ExitCode, Failure};
use refiner_proofchain::Secret;

use crate::{custody, doctor};

/// Runs until a signal stops it, with the key that came through the environment, where one did.
pub fn run(arguments: &Run, key: Option<Secret>) -> Result<ExitCode, Failure> {
    let (settings, shown) = settings::read_and_show(arguments, key)?;
    egress::warn_of_ignored_variables(&settings.egress);
    if matches!(settings.key, Key::From(_)) {
        custody::keep_memory_private()?;
    }
    refiner_daemon::run(settings, shown, doctor::machine_apart)
}
