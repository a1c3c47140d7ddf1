//! The evm-server, where one executes blocks: whether its bytes are the embedded executor's.

use alloy_primitives::Bytes;
use refiner_config::Executor as By;
use refiner_diagnostics::ErrorChain;
use refiner_evm::{EmbeddedExecutor, Era, OnDifference, ResultFormat, Unavailable};

use super::Check;
use crate::executor::Evm;

const NAME: &str = "evm-server";
/// A made block of mainnet after Prague, as small as they come.
const SAMPLE: &[u8] = include_bytes!("../../../../tests/samples/1-22500002.avro");

/// Has both execute the sample. Takes as long as the server does; `None` where no server is asked.
pub fn check(evm: &Evm, format: ResultFormat) -> Option<Check> {
    if evm.by == By::Embedded {
        return None;
    }
    let format = if format == ResultFormat::Canonical { ResultFormat::EvmServer(Era::E) } else { format };
    let both = Evm { by: By::Both, on_difference: OnDifference::Hold, ..evm.clone() };
    let raw = Bytes::from_static(SAMPLE);
    let away = "start it, or name another by --evm-server; `--evm embedded` needs none";
    let specimen = match refiner_specimen::decode_shared(&raw) {
        Ok(specimen) => specimen,
        Err(error) => return Some(Check::error(NAME, ErrorChain(&error).to_string(), "please report it")),
    };
    let executor = match both.executor(EmbeddedExecutor::new(refiner_evm::Chains::default()), None) {
        Ok(executor) => executor,
        Err(error) => return Some(Check::error(NAME, ErrorChain(&error).to_string(), away)),
    };
    Some(match executor.execute(&specimen, &raw, format) {
        Ok(Ok(_)) => {
            Check::ok(NAME, format!("answers, and its {format} bytes of a sample block are the embedded executor's"))
        }
        Ok(Err(error)) => Check::error(NAME, ErrorChain(&error).to_string(), "please report it"),
        Err(error @ Unavailable::Held { .. }) => Check::error(
            NAME,
            ErrorChain(&error).to_string(),
            "run the version of evm-server that --format names, or execute with `--evm embedded`",
        ),
        Err(error) => Check::error(NAME, ErrorChain(&error).to_string(), away),
    })
}
