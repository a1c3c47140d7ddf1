//! The evm-server, where one executes blocks: whether its bytes are the embedded executor's.

use alloy_primitives::Bytes;
use refiner_diagnostics::ErrorChain;
use refiner_evm::{EmbeddedExecutor, Era, Executor as _, ResultFormat, Unavailable};
use refiner_executor::Evm;

use super::Check;

const NAME: &str = "evm-server";
/// A made block of mainnet that has a result in every era.
const SAMPLE: &[u8] = include_bytes!("../../../../tests/samples/1-15600000.avro");

/// Has both execute the sample. Takes as long as the server does; `None` where no server is asked.
pub fn check(evm: &Evm, format: ResultFormat) -> Option<Check> {
    let format = if format == ResultFormat::Canonical { ResultFormat::EvmServer(Era::E) } else { format };
    let raw = Bytes::from_static(SAMPLE);
    let away = "start it, or name another by --evm-server; `--evm embedded` needs none";
    let executor = match evm.comparing(EmbeddedExecutor::default()) {
        Ok(executor) => executor?,
        Err(error) => return Some(Check::error(NAME, ErrorChain(&error).to_string(), away)),
    };
    let specimen = match refiner_specimen::decode_shared(&raw) {
        Ok(specimen) => specimen,
        Err(error) => return Some(fault(&error)),
    };
    Some(match executor.execute(&specimen, &raw, format) {
        Ok(Ok(_)) => {
            Check::ok(NAME, format!("answers, and its {format} bytes of a sample block are the embedded executor's"))
        }
        Ok(Err(error)) => fault(&error),
        Err(error @ Unavailable::Held { .. }) => Check::error(
            NAME,
            ErrorChain(&error).to_string(),
            "run the version of evm-server that --format names, or execute with `--evm embedded`",
        ),
        Err(error) => Check::error(NAME, ErrorChain(&error).to_string(), away),
    })
}

/// A failure over the sample, which is this program's fault.
fn fault(error: &dyn std::error::Error) -> Check {
    Check::error(NAME, ErrorChain(error).to_string(), "please report it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::State;

    #[test]
    fn failure_over_the_sample_is_to_be_reported() {
        let check = fault(&std::io::Error::other("a reason"));
        assert_eq!((check.state, check.detail.as_str()), (State::Error, "a reason"));
        assert_eq!(check.remedy.as_deref(), Some("please report it"));
    }
}
