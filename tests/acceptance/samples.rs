//! The embedded executor against the kit, which executed the same blocks on its own.

use refiner_evm::{
    BasisPolicy, ChainSpec, Chains, EmbeddedExecutor, ExecuteError, ExecutedLog, ExecutedReceipt, ExecutionPolicy,
    Rejected, ResultFormat, Unsupported,
};
use refiner_specimen::{Layout, Specimen, check::Outcome, decode};
use refiner_testkit::{Contract, DEVNET, Manner, Receipt, Sample, devnet_config, large, make_samples};

/// The executor, for which no recorded receipts stand in.
fn executor() -> EmbeddedExecutor {
    executor_on(BasisPolicy::Execution)
}

fn executor_on(basis: BasisPolicy) -> EmbeddedExecutor {
    let devnet = ChainSpec::from_geth_json(&devnet_config().to_string()).unwrap();
    let policy = ExecutionPolicy { basis, ..ExecutionPolicy::default() };
    EmbeddedExecutor::new(Chains::default().with(devnet)).with_policy(policy)
}

fn sample(chain_id: u64, height: u64) -> Sample {
    let wanted = |sample: &Sample| (sample.block.chain_id, sample.block.header.number) == (chain_id, height);
    make_samples().unwrap().into_iter().find(wanted).unwrap()
}

fn refusal(specimen: &Specimen) -> ExecuteError {
    executor().execute(specimen, ResultFormat::Canonical).unwrap_err()
}

/// A receipt of the kit in the executor's form.
fn receipt(position: usize, receipt: &Receipt) -> ExecutedReceipt {
    ExecutedReceipt {
        transaction_index: position.try_into().unwrap(),
        transaction_hash: receipt.transaction_hash,
        tx_type: receipt.tx_type,
        success: receipt.success,
        post_state: None,
        gas_used: receipt.gas_used,
        cumulative_gas_used: receipt.cumulative_gas_used,
        effective_gas_price: receipt.effective_gas_price.try_into().unwrap(),
        contract_address: receipt.contract_address,
        logs: receipt
            .logs
            .iter()
            .map(|log| ExecutedLog { address: log.address, topics: log.topics().to_vec(), data: log.data.data.clone() })
            .collect(),
    }
}

#[test]
fn canonical_execution_of_every_sample_gives_what_the_kit_computed_on_its_own() {
    let executor = executor();
    let mut samples = make_samples().unwrap();
    samples.retain(|sample| sample.unsupported.is_none());
    samples.push(large(250).unwrap());
    assert!(samples.iter().any(|sample| sample.block.chain_id == DEVNET));
    for sample in samples {
        let name = sample.name();
        let specimen = decode(&sample.bytes).unwrap();
        let execution =
            executor.execute(&specimen, ResultFormat::Canonical).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!execution.checks.is_empty(), "{name}");
        for check in &execution.checks {
            assert!(!check.failed(), "{name}: {check}");
        }
        assert_eq!(execution.gas_used, sample.block.header.gas_used, "{name}");
        for (position, (executed, kit)) in execution.receipts.iter().zip(&sample.block.outcome.receipts).enumerate() {
            let mut expected = receipt(position, kit);
            if specimen.layout == Layout::V0_36 && kit.tx_type == 3 {
                // The layout drops the blob fields, so the true hash cannot be had.
                assert_ne!(executed.transaction_hash, kit.transaction_hash);
                expected.transaction_hash = executed.transaction_hash;
            }
            assert_eq!(*executed, expected, "{name}, transaction {position}");
        }
        assert_eq!(execution.receipts.len(), sample.block.outcome.receipts.len(), "{name}");
    }
}

#[test]
fn recorded_receipts_of_every_sample_give_what_the_kit_computed_on_its_own() {
    let executor = executor_on(BasisPolicy::Receipts);
    for sample in make_samples().unwrap() {
        let name = sample.name();
        let execution = executor.execute(&sample.specimen, ResultFormat::Canonical).unwrap();
        let kit = sample.block.outcome.receipts.iter().enumerate();
        let mut expected: Vec<_> = kit.map(|(position, kit)| receipt(position, kit)).collect();
        for (expected, recorded) in expected.iter_mut().zip(&execution.receipts) {
            // What the specimen lacks is part of the hash.
            if sample.specimen.block.transactions[recorded.transaction_index as usize]
                .dropped(sample.specimen.layout)
                .is_some()
            {
                assert_ne!(recorded.transaction_hash, expected.transaction_hash, "{name}");
                expected.transaction_hash = recorded.transaction_hash;
            }
        }
        assert_eq!(execution.receipts, expected, "{name}");
    }
}

#[test]
fn prague_sample_passes_the_requests_hash_check_with_requests_of_every_type() {
    let sample = sample(1, 22_500_000);
    assert_eq!(sample.block.outcome.requests.len(), 3);
    let execution = executor().execute(&sample.specimen, ResultFormat::Canonical).unwrap();
    let passed =
        execution.checks.iter().any(|check| check.name.as_str() == "requestsHash" && check.outcome == Outcome::Passed);
    assert!(passed);
}

#[test]
fn block_with_a_null_auth_list_is_unsupported_and_says_which_transaction() {
    let expected = Unsupported::AuthorizationListMissing { transaction: 0 };
    assert_eq!(refusal(&sample(1, 22_500_002).specimen), ExecuteError::Unsupported(expected));
}

#[test]
fn block_whose_outcome_depends_on_dropped_blob_hashes_is_unsupported() {
    let block = sample(1, 19_600_000).block;
    let lossy = Sample::new(block, Layout::V0_36, Manner::default()).unwrap();
    let expected = Unsupported::BlobHashesMissing { transaction: 0, layout: Layout::V0_36 };
    assert_eq!(refusal(&lossy.specimen), ExecuteError::Unsupported(expected));
}

#[test]
fn private_chain_without_its_configuration_is_unsupported() {
    let specimen = decode(&sample(DEVNET, 2).bytes).unwrap();
    let error = EmbeddedExecutor::default().execute(&specimen, ResultFormat::Canonical).unwrap_err();
    assert_eq!(error, ExecuteError::Unsupported(Unsupported::UnknownChain { network_id: DEVNET }));
}

#[test]
fn specimen_that_lost_a_storage_read_disagrees_with_its_header() {
    let mut specimen = sample(1, 15_600_000).specimen;
    specimen.block.state.storage.retain(|read| read.account != Contract::Adder.address());
    let error = refusal(&specimen);
    assert!(matches!(error, ExecuteError::Rejected(Rejected::HeaderMismatch(_))), "{error}");
}
