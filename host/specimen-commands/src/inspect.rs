//! `refiner specimen inspect`: what a specimen holds, for a person or as one JSON object a line.

use alloy_primitives::B256;
use refiner_diagnostics::{ExitCode, Failure};
use refiner_evm::Unsupported;
use refiner_specimen::Specimen;
use refiner_text::{OneLine, UntrustedText};
use serde::Serialize;

use super::{Unreadable, inputs, read_and_decode};
use crate::{
    failure,
    input::Input,
    terminal::{EscapingStdout, PrintError},
};

/// The report of one specimen.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inspection {
    specimen: String,
    chain_id: u64,
    height: u64,
    kind: String,
    layout: &'static str,
    stated_codec_version: f64,
    bytes: usize,
    block_hash: B256,
    specimen_hash: B256,
    timestamp: u64,
    gas_used: u64,
    /// Position is the EIP-2718 type.
    transactions_by_type: [usize; 5],
    transactions: usize,
    receipts: usize,
    uncles: usize,
    withdrawals: Option<usize>,
    blob_sidecars: Option<usize>,
    state_exported: bool,
    account_reads: usize,
    storage_reads: usize,
    code_reads: usize,
    code_bytes: usize,
    block_hash_reads: usize,
}

/// Inspects every specimen; one that cannot be read does not stop the others.
pub fn run(arguments: &[String], json: bool, stdout: &mut EscapingStdout) -> Result<ExitCode, Failure> {
    let (inputs, mut exit) = inputs(arguments);
    for input in inputs {
        match inspect(&input) {
            Ok(inspection) if json => stdout.json_line(&inspection)?,
            Ok(inspection) => print(&inspection, stdout)?,
            Err(error) => {
                failure::report_item(&input, &error);
                exit = exit.max(ExitCode::Input);
            }
        }
    }
    Ok(exit)
}

fn inspect(input: &Input) -> Result<Inspection, Unreadable> {
    let (bytes, specimen) = read_and_decode(input)?;
    Ok(Inspection::of(input, &bytes, &specimen))
}

impl Inspection {
    fn of(input: &Input, bytes: &[u8], specimen: &Specimen) -> Self {
        let block = &specimen.block;
        let mut transactions_by_type = [0; 5];
        for transaction in &block.transactions {
            if let Some(count) = transactions_by_type.get_mut(usize::from(transaction.tx_type)) {
                *count += 1;
            }
        }
        Self {
            specimen: input.name(),
            chain_id: block.network_id,
            height: block.header.number,
            kind: block.kind.clone(),
            layout: specimen.layout.as_str(),
            stated_codec_version: specimen.stated_codec_version,
            bytes: bytes.len(),
            block_hash: block.hash,
            specimen_hash: refiner_specimen::specimen_hash(bytes),
            timestamp: block.header.timestamp,
            gas_used: block.header.gas_used,
            transactions_by_type,
            transactions: block.transactions.len(),
            receipts: block.receipts.len(),
            uncles: block.uncles.as_ref().map_or(0, Vec::len),
            withdrawals: block.withdrawals.as_ref().map(Vec::len),
            blob_sidecars: block.blob_sidecars.as_ref().map(Vec::len),
            state_exported: !block.lacks_state(),
            account_reads: block.state.accounts.len(),
            storage_reads: block.state.storage.len(),
            code_reads: block.state.codes.len(),
            code_bytes: block.state.codes.iter().map(|read| read.code.len()).sum(),
            block_hash_reads: block.state.block_hashes.len(),
        }
    }
}

fn print(inspection: &Inspection, stdout: &mut EscapingStdout) -> Result<(), PrintError> {
    let Inspection { specimen, chain_id, height, kind, layout, bytes, block_hash, specimen_hash, .. } = inspection;
    let types: Vec<_> = inspection
        .transactions_by_type
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(tx_type, count)| format!("type {tx_type}: {count}"))
        .collect();
    let optional = |count: Option<usize>| count.map_or_else(|| "null".to_owned(), |count| count.to_string());
    writeln!(stdout, "{}", OneLine(specimen))?;
    writeln!(stdout, "  block          {height} of chain {chain_id}, {}", UntrustedText::new(kind))?;
    writeln!(stdout, "  block hash     {block_hash}")?;
    writeln!(stdout, "  specimen hash  {specimen_hash}")?;
    writeln!(stdout, "  layout         {layout} (the file states {}), {bytes} bytes", inspection.stated_codec_version)?;
    writeln!(stdout, "  time           {} seconds since 1970", inspection.timestamp)?;
    writeln!(stdout, "  gas used       {}", inspection.gas_used)?;
    writeln!(stdout, "  transactions   {} ({})", inspection.transactions, types.join(", "))?;
    writeln!(
        stdout,
        "  also           {} receipts, {} uncles, withdrawals {}, blob sidecars {}",
        inspection.receipts,
        inspection.uncles,
        optional(inspection.withdrawals),
        optional(inspection.blob_sidecars)
    )?;
    if !inspection.state_exported {
        writeln!(stdout, "  state          {}", Unsupported::NoState { transactions: inspection.transactions })?;
    }
    writeln!(
        stdout,
        "  reads          {} accounts, {} slots, {} codes of {} bytes, {} block hashes",
        inspection.account_reads,
        inspection.storage_reads,
        inspection.code_reads,
        inspection.code_bytes,
        inspection.block_hash_reads
    )
}
