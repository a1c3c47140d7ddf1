//! Token transfers: what the logs of a block show of ERC-20, ERC-721 and ERC-1155 tokens, one row a transfer.
//!
//! A transfer is an event of the standard's name *and* shape (see [`transfer`]); each pair of a `TransferBatch` is a
//! row of its own. A contract can emit what it likes, so a row means that the contract at `token` claims the transfer, not
//! that the contract keeps to its standard. Logs of failed transactions do not exist, so neither do their transfers.
//!
//! The parameter `wrapped-ether` adds rows for ether that a contract wraps and gives back without a `Transfer`: WETH's `Deposit` and
//! `Withdrawal`, as transfers from and to the address zero. It is `none` (the default), `known` for the contract that everybody
//! uses on the chain of the block, or a list of addresses, `0x…,0x…`: other contracts have events of these names that wrap nothing.
//!
//! Not here: the chain's own currency, and tokens from before the standards whose events have another shape (CryptoPunks, CryptoKitties). Logs with the name of a
//! transfer and another shape are skipped; the rule's log has a line for each.

mod transfer;
mod wrapped;

use refiner_sdk::{
    B256, Evm, Log, Output, Receipt, RuleError, RuleWithEvm, Specimen, Summary, export_transform_with_evm, log,
    ndjson::{MEDIA_TYPE, Rows},
};

use transfer::Event;
use wrapped::WrappedEther;

const NAME: &str = "token-transfers.ndjson";
const SCHEMA: &str = "schemas/token-transfers/v1.schema.json";

struct TokenTransfers;

impl RuleWithEvm for TokenTransfers {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let wrapped = WrappedEther::asked_for(specimen)?;
        let block = evm.receipts(specimen)?;
        // Receipts, and not transactions: those state senders, which would be recovered for nothing.
        let coverage = block.coverage(specimen);
        let hash = |receipt: Receipt| coverage.covers(receipt.tx_type).then_some(receipt.transaction_hash);
        let hashes: Vec<_> = block.receipts().map(hash).collect();

        let mut rows = Rows::of_block(out.artifact_with_schema(NAME, MEDIA_TYPE, SCHEMA), specimen);
        for log in block.logs() {
            let event = match transfer::read(&log) {
                Ok(None) if wrapped.is_by(log.address) => transfer::read_wrapping(&log),
                event => event,
            };
            match event {
                Ok(Some(event)) => {
                    let hash = hashes.get(log.transaction_index as usize).copied().flatten();
                    write(&mut rows, &log, hash, &event);
                }
                Ok(None) => {}
                Err(misshapen) => {
                    log::info(format_args!("skipped log {} of {}: {misshapen}", log.log_index, log.address));
                }
            }
        }
        Ok(Summary::records(rows.finish()))
    }
}

export_transform_with_evm!(TokenTransfers);

fn write(rows: &mut Rows, log: &Log, hash: Option<B256>, event: &Event) {
    for item in event.items() {
        rows.row(|row| {
            row.field("transactionIndex", log.transaction_index);
            row.field("transactionHash", hash);
            row.field("logIndex", log.log_index);
            row.field("batchIndex", item.batch_index);
            row.field("standard", event.standard.name());
            row.field("token", log.address);
            row.field("operator", event.operator);
            row.field("from", event.from);
            row.field("to", event.to);
            row.field("tokenId", item.token_id);
            row.field("amount", item.amount);
        });
    }
}

#[cfg(test)]
mod tests;
