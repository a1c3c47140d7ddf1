//! The block result: what executing a block specimen gives, as JSON.
//!
//! The parameter `format` chooses how it is written: `canonical`, which is the default, or `evm-server@` and an era, for
//! the exact bytes that the network's evm-server gave.

use refiner_sdk::{Evm, Output, RuleError, RuleWithEvm, Specimen, Summary, export_transform_with_evm, params};

/// The format when the operator asks for none.
const DEFAULT_FORMAT: &str = "canonical";

struct BlockResult;

impl RuleWithEvm for BlockResult {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let format = params::get("format").unwrap_or_else(|| DEFAULT_FORMAT.to_owned());
        let execution = evm.execute(specimen, &format)?;

        let mut artifact = out.artifact("block-result.json", "application/json");
        execution.copy_block_result_to(&mut artifact);
        artifact.finish();

        Ok(Summary::records(execution.receipt_count()))
    }
}

export_transform_with_evm!(BlockResult);

#[cfg(test)]
mod tests {
    use refiner_sdk::{
        ExecuteError, Receipt,
        fixture::{ExecutedBlock, Fixture},
    };

    use super::*;

    fn executed(result: &[u8]) -> Result<ExecutedBlock, ExecuteError> {
        let receipts = vec![Receipt::default(); 3];
        Ok(ExecutedBlock { receipts, block_result: result.to_vec(), ..ExecutedBlock::default() })
    }

    #[test]
    fn artifact_is_the_block_result_byte_for_byte() {
        let result: Vec<u8> = (0..=255).cycle().take(200_001).collect();
        let run = Fixture::new().executed("canonical", executed(&result)).run_with_evm(BlockResult::refine);
        assert_eq!(run.result, Ok(Summary { records: 3 }));
        assert_eq!(run.artifacts.len(), 1);
        let artifact = run.artifact("block-result.json").expect("the artifact of the manifest");
        assert_eq!(artifact.media_type, "application/json");
        assert!(artifact.bytes == result, "{} bytes differ", artifact.bytes.len());
    }

    #[test]
    fn format_is_canonical_unless_a_parameter_says_otherwise() {
        let check = |fixture: Fixture, expected: &str| {
            let run = fixture
                .executed("canonical", executed(b"canonical"))
                .executed("evm-server@b", executed(b"era b"))
                .run_with_evm(BlockResult::refine);
            assert_eq!(run.artifacts[0].text(), expected);
        };
        check(Fixture::new(), "canonical");
        check(Fixture::new().param("format", "canonical"), "canonical");
        check(Fixture::new().param("format", "evm-server@b"), "era b");
        check(Fixture::new().param("fromat", "evm-server@b"), "canonical");
    }

    #[test]
    fn block_that_is_not_executed_gives_no_artifact_and_keeps_the_blame() {
        let check = |error: ExecuteError, expected: RuleError| {
            let run = Fixture::new().executed("canonical", Err(error)).run_with_evm(BlockResult::refine);
            assert_eq!((run.result, run.artifacts), (Err(expected), Vec::new()));
        };
        let reason = || "the reason".to_owned();
        check(ExecuteError::Rejected(reason()), RuleError::Rejected(reason()));
        check(ExecuteError::Unsupported(reason()), RuleError::Unsupported(reason()));
        check(ExecuteError::Unavailable(reason()), RuleError::CapabilityUnavailable(reason()));
    }

    #[test]
    fn unknown_format_is_unsupported_and_the_known_ones_are_named() {
        let run = Fixture::new()
            .executed("canonical", executed(b""))
            .param("format", "evm-server@z")
            .run_with_evm(BlockResult::refine);
        assert_eq!(run.result, Err(RuleError::Unsupported("evm-server@z; known are canonical".to_owned())));
    }
}
