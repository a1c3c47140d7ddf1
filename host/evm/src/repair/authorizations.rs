//! Candidates for the authorizations of a type-4 transaction: lists of one.
//!
//! * The authority is the sender where the transaction calls its own sender, else the account that it calls if that has
//!   no code of its own. The nonce is the one that makes the authorization valid. The delegate is each account of the
//!   specimen with code, in the specimen's order, and the zero address, which clears a delegation.
//! * One authorization that is invalid and only costs gas.

use alloy_eips::eip7702::{Authorization, RecoveredAuthority, RecoveredAuthorization};
use alloy_primitives::{Address, KECCAK256_EMPTY, U256};

use super::candidate::Candidate;
use crate::{
    runner::{Job, Run},
    transaction::SuppliedFields,
};

/// The candidates for a transaction that is the next to execute.
pub(super) fn candidates(job: &Job<'_>, run: &Run<'_>, transaction: usize) -> Vec<Candidate> {
    let chain_id = U256::from(job.rules.chain_id);
    let list = |address, nonce, authority| {
        let unsigned = Authorization { chain_id, address, nonce };
        let authorizations = vec![RecoveredAuthorization::new_unchecked(unsigned, authority)];
        Candidate { fields: SuppliedFields { authorizations, ..SuppliedFields::default() }, found: 0 }
    };
    let mut candidates = Vec::new();
    if let Some((authority, nonce)) = authority(job, run, transaction) {
        let with_code = job.block.state.accounts.iter().filter(|account| {
            account.code_hash != KECCAK256_EMPTY && !account.code_hash.is_zero() && account.address != authority
        });
        let delegates = with_code.map(|account| account.address).chain([Address::ZERO]);
        candidates.extend(delegates.map(|delegate| list(delegate, nonce, RecoveredAuthority::Valid(authority))));
    }
    candidates.push(list(Address::ZERO, 0, RecoveredAuthority::Invalid));
    candidates
}

/// The account whose authorization the transaction most likely carries, and its nonce when that is looked at.
fn authority(job: &Job<'_>, run: &Run<'_>, transaction: usize) -> Option<(Address, u64)> {
    let (callee, sender) = (job.block.transactions.get(transaction)?.to?, *job.block.senders.get(transaction)?);
    let account = run.account(&callee);
    let nonce = account.map_or(0, |account| account.info.nonce);
    if callee == sender {
        // The sender's nonce counts the transaction before its authorizations.
        return Some((sender, nonce.checked_add(1)?));
    }
    let code = account.and_then(|account| account.info.code.as_ref());
    code.is_none_or(|code| code.is_empty() || code.is_eip7702()).then_some((callee, nonce))
}
