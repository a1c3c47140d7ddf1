//! Whole rules, run natively on a fixture.

use std::io::Write as _;

use refiner_sdk::{
    AccessListItem, AccountRead, Address, B256, Basis, BlockHashRead, Check, CheckOutcome, Evm, ExecuteError, Log,
    Output, Receipt, Rule, RuleError, RuleWithEvm, Specimen, StorageRead, Summary, Transaction, U256, Withdrawal,
    fixture::{ExecutedBlock, Fixture},
    log::{self, Level},
    params,
};

const TOKEN: Address = Address::from_hex("dac17f958d2ee523a2206206994597c13d831ec7");

/// A line for every field of a specimen.
struct Listing;

impl Rule for Listing {
    fn refine(specimen: &Specimen, out: &mut Output) -> Result<Summary, RuleError> {
        let mut list = out.artifact("listing.txt", "text/plain");
        let identity = specimen.identity();
        writeln!(list, "block {} of chain {}, {}", specimen.header().number, identity.chain_id, identity.layout)?;
        for (position, transaction) in (0..).zip(specimen.transactions()) {
            let input = specimen.input(position);
            let keys: usize = specimen.access_list(position).map(|item| item.storage_keys.len()).sum();
            writeln!(list, "sends {} wei with {} bytes and {keys} keys", transaction.value, input.len())?;
        }
        specimen.withdrawals().try_for_each(|withdrawal| writeln!(list, "withdraws {} gwei", withdrawal.amount))?;
        specimen.account_reads().try_for_each(|read| writeln!(list, "reads the balance {}", read.balance))?;
        specimen.storage_reads().try_for_each(|read| writeln!(list, "reads slot {:#x}", U256::from(read.slot)))?;
        specimen.block_hash_reads().try_for_each(|read| writeln!(list, "reads the hash of {}", read.number))?;
        writeln!(list, "carries {} bytes", specimen.raw().map(|chunk| chunk.len()).sum::<usize>())?;
        list.finish();
        Ok(Summary::records(specimen.counts().transactions))
    }
}

/// The sum of what the token's logs move, when there is a log at all.
struct Volume;

impl RuleWithEvm for Volume {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let execution = evm.execute(specimen, "canonical")?;
        let mut volume = U256::ZERO;
        let mut records = 0_u32;
        for log in execution.logs().filter(|log| log.address == TOKEN) {
            let amount = U256::from_abi_word(&log.data, 0)
                .ok_or_else(|| RuleError::Rejected(format!("log {} has no amount", log.log_index)))?;
            volume = volume.checked_add(amount).ok_or_else(|| RuleError::Rejected("too much".to_owned()))?;
            records += 1;
        }
        log::info(format_args!("{records} of {} logs", execution.log_count()));
        let mut artifact = out.artifact_with_schema("volume.txt", "text/plain", "decimal");
        artifact.append(volume.to_string().as_bytes());
        artifact.finish();
        Ok(Summary::records(records))
    }
}

fn transaction(value: u64) -> Transaction {
    Transaction { value: value.into(), ..Transaction::default() }
}

#[test]
fn rule_reads_everything_that_a_specimen_says() {
    let mut fixture = Fixture::new().header(|header| header.number = 17).identity(|identity| identity.chain_id = 5);
    for value in 1..=3 {
        fixture = fixture
            .transaction(transaction(value), &vec![0; 1000 * usize::try_from(value).unwrap()])
            .withdrawal(Withdrawal { index: value, validator_index: 0, address: TOKEN, amount: 10 * value })
            .account_read(AccountRead { address: TOKEN, nonce: 0, balance: value.into(), code_hash: B256::ZERO })
            .storage_read(StorageRead { account: TOKEN, slot: U256::from(value).into(), value: B256::ZERO })
            .block_hash_read(BlockHashRead { number: value, hash: B256::ZERO });
    }
    let access_list = vec![AccessListItem { address: TOKEN, storage_keys: vec![B256::ZERO; 2] }; 3];
    let run =
        fixture.transaction_with_access_list(transaction(4), b"", access_list).raw(&[7; 2500]).run(Listing::refine);
    assert_eq!(run.result, Ok(Summary { records: 4 }));
    assert_eq!(
        run.artifact("listing.txt").unwrap().text(),
        "block 17 of chain 5, 0.38\n\
         sends 1 wei with 1000 bytes and 0 keys\n\
         sends 2 wei with 2000 bytes and 0 keys\n\
         sends 3 wei with 3000 bytes and 0 keys\n\
         sends 4 wei with 0 bytes and 6 keys\n\
         withdraws 10 gwei\nwithdraws 20 gwei\nwithdraws 30 gwei\n\
         reads the balance 1\nreads the balance 2\nreads the balance 3\n\
         reads slot 0x1\nreads slot 0x2\nreads slot 0x3\n\
         reads the hash of 1\nreads the hash of 2\nreads the hash of 3\n\
         carries 2500 bytes\n"
    );
}

#[test]
fn rule_with_evm_reads_logs_and_says_what_it_saw() {
    let log = |address, amount: u64| Log { address, data: word(amount).to_vec(), ..Log::default() };
    let logs = vec![log(TOKEN, 2), log(Address::ZERO, 5), log(TOKEN, u64::MAX), log(TOKEN, 1)];
    let block = ExecutedBlock { logs, receipts: vec![Receipt::default()], ..ExecutedBlock::default() };
    let run = Fixture::new().executed("canonical", Ok(block)).run_with_evm(Volume::refine);
    assert_eq!(run.result, Ok(Summary { records: 3 }));
    let artifact = run.artifact("volume.txt").unwrap();
    assert_eq!((artifact.text(), artifact.schema.as_deref()), ("18446744073709551618", Some("decimal")));
    assert_eq!(run.log, [(Level::Info, "3 of 4 logs".to_owned())]);
}

#[test]
fn error_leaves_no_artifacts_behind() {
    let logs = vec![Log { address: TOKEN, data: vec![0; 31], ..Log::default() }];
    let block = ExecutedBlock { logs, ..ExecutedBlock::default() };
    let run = Fixture::new().executed("canonical", Ok(block)).run_with_evm(Volume::refine);
    assert_eq!((run.result, run.artifacts.len()), (Err(RuleError::Rejected("log 0 has no amount".to_owned())), 0));

    let run = Fixture::new().run(|_, out| {
        out.artifact("first.txt", "text/plain").finish();
        Err(RuleError::Unsupported("the second".to_owned()))
    });
    assert_eq!(run.artifacts, []);
}

#[test]
fn blame_of_the_executor_becomes_the_blame_of_the_rule() {
    let check = |error: fn(String) -> ExecuteError, expected: fn(String) -> RuleError| {
        let fixture = Fixture::new().executed("canonical", Err(error("why".to_owned())));
        assert_eq!(fixture.run_with_evm(Volume::refine).result, Err(expected("why".to_owned())));
    };
    check(ExecuteError::UnknownFormat, RuleError::Unsupported);
    check(ExecuteError::Unsupported, RuleError::Unsupported);
    check(ExecuteError::Rejected, RuleError::Rejected);
    check(ExecuteError::Unavailable, RuleError::CapabilityUnavailable);
}

#[test]
fn artifact_that_is_not_finished_is_no_output() {
    let run = Fixture::new().run(|_, out| {
        out.artifact("kept.txt", "text/plain").finish();
        let mut dropped = out.artifact("dropped.txt", "text/plain");
        dropped.append(b"gone");
        Ok(Summary::records(0_u32))
    });
    let names: Vec<&str> = run.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
    assert_eq!(names, ["kept.txt"]);
}

#[test]
fn writes_of_any_size_arrive_whole_and_in_order() {
    const CHUNK: usize = 64 * 1024;
    for sizes in [vec![], vec![0], vec![1, CHUNK - 1, 1], vec![CHUNK], vec![5, CHUNK + 1, 5], vec![CHUNK / 2; 5]] {
        let pieces: Vec<Vec<u8>> = sizes.iter().zip(1..).map(|(size, byte)| vec![byte; *size]).collect();
        let run = Fixture::new().run(|_, out| {
            let mut artifact = out.artifact("bytes.bin", "application/octet-stream");
            pieces.iter().try_for_each(|piece| artifact.write_all(piece))?;
            artifact.finish();
            Ok(Summary::records(0_u32))
        });
        assert!(run.artifacts[0].bytes == pieces.concat(), "{sizes:?}");
    }
}

#[test]
fn parameter_is_there_only_when_given() {
    let fixture = Fixture::new().param("format", "canonical");
    let run = fixture.run(|_, _| {
        assert_eq!(params::get("format").as_deref(), Some("canonical"));
        assert_eq!(params::get("Format"), None);
        Ok(Summary::records(1_u32))
    });
    assert!(run.result.is_ok());
}

#[test]
#[should_panic(expected = "artifact a.txt is opened twice")]
fn artifact_name_is_used_once_in_a_run() {
    Fixture::new().run(|_, out| {
        out.artifact("a.txt", "text/plain").finish();
        out.artifact("a.txt", "text/plain").finish();
        Ok(Summary::records(0_u32))
    });
}

#[test]
fn code_is_found_by_its_hash() {
    let hash = B256::from_words([1, 2, 3, 4]);
    Fixture::new().code(hash, b"\x60\x00").run(|specimen, _| {
        assert_eq!(specimen.code(hash).as_deref(), Some(b"\x60\x00".as_slice()));
        assert_eq!(specimen.code(B256::ZERO), None);
        assert_eq!(specimen.counts().code_reads, 1);
        Ok(Summary::records(0_u32))
    });
}

#[test]
fn basis_is_that_of_the_check_execution() {
    let check = |name: &str, outcome| Check { name: name.to_owned(), outcome, detail: String::new() };
    for (checks, expected) in [
        (vec![check("execution", CheckOutcome::Passed)], Basis::Execution),
        (
            vec![check("gasUsed", CheckOutcome::Passed), check("execution", CheckOutcome::NotApplicable)],
            Basis::Receipts,
        ),
        (vec![check("requestsHash", CheckOutcome::NotApplicable)], Basis::Execution),
        (Vec::new(), Basis::Execution),
    ] {
        let block = ExecutedBlock { checks, ..ExecutedBlock::default() };
        let run = Fixture::new().executed("canonical", Ok(block)).run_with_evm(|specimen, evm, _| {
            assert_eq!(evm.execute(specimen, "canonical")?.basis(), expected);
            Ok(Summary::records(0_u32))
        });
        assert!(run.result.is_ok());
    }
}

fn word(number: u64) -> [u8; 32] {
    B256::from(U256::from(number)).to_bytes()
}
