//! Arguments of `refiner run`.

use clap::Args;
use refiner_config::{Flags, scope};
use refiner_diagnostics::ExitCode;

/// `refiner run`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE, args_override_self = true)]
pub struct Run {
    #[command(flatten)]
    pub(crate) file: Flags<scope::File>,
    #[command(flatten)]
    pub(crate) settings: Flags<scope::Run>,
}
