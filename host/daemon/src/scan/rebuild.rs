//! A lost journal, made anew from the proof chain.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_journal::{Binding, Checkpoint, FoundProof, Journal, Target};
use refiner_proofchain::{ProofChain, Rpc, ScanError, Scanner, Signer, StartBlock};
use serde::Serialize;
use tokio::runtime::Builder;

use super::{again::Again, again::ScanAgainError, in_order, remember};
use crate::{
    config::{Key, Settings},
    control::ScannedAgain,
    engine::clock::now_ms,
    error::RunError,
    rules,
    run::rpc_limits,
};

/// Version of the report in JSON.
const JSON_SCHEMA_VERSION: u32 = 1;

/// Errors of a rebuild before anything is read from the chain.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Neither a key nor an address.
    #[error("nothing is proved by these settings, so no operator's proofs can be looked for")]
    NoOperator,
    /// The start of the scan.
    #[error("the first block cannot be found")]
    Start(#[source] ScanError),
}

impl Diagnostic for RebuildError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoOperator => ExitCode::Usage,
            Self::Start(_) => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NoOperator => Some("name the operator by --proved-by ADDRESS".into()),
            Self::Start(_) => Some("name a block that the node has by --from".into()),
        }
    }
}

/// The outcome, for people and for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rebuilt {
    schema_version: u32,
    /// The operator whose proofs were looked for.
    pub operator: Address,
    /// The first block.
    pub from: u64,
    /// The last block.
    pub to: u64,
    /// Announcements in the blocks.
    pub announcements: u64,
    /// Items that were not in the journal.
    pub new: u64,
    /// Items that were, and stay as they are unless they are proved.
    pub known: u64,
    /// Items whose proof was found on chain.
    pub proved: u64,
}

/// Scans for announcements and for the operator's own proofs, and writes both into the journal.
///
/// # Errors
///
/// Those of settings, rules, journal and chain.
pub fn rebuild(settings: &Settings, from: Option<StartBlock>, operator: Option<Address>) -> Result<Rebuilt, Failure> {
    let mut journal = Journal::open(&settings.data.join("journal.sqlite"))?;
    let targets = rules::targets(settings)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(RunError::from)?;
    runtime.block_on(async {
        let operator = match operator {
            Some(operator) => operator,
            None => address(settings).await?,
        };
        from_chain(&mut journal, settings, &targets, from.unwrap_or(settings.start), operator).await
    })
}

async fn address(settings: &Settings) -> Result<Address, Failure> {
    match &settings.key {
        Key::None => Err(RebuildError::NoOperator.into()),
        Key::From(source) => Ok(Signer::load(source).await.map_err(RunError::from)?.address()),
    }
}

async fn from_chain(
    journal: &mut Journal,
    settings: &Settings,
    targets: &[Target],
    start: StartBlock,
    operator: Address,
) -> Result<Rebuilt, Failure> {
    let network = &settings.network;
    let binding =
        Binding { proof_chain: network.chain_id, announcer: network.specimen_contract, operator: Some(operator) };
    journal.bind(&binding)?;
    let rpc = Rpc::through(&settings.egress, settings.rpc.iter().cloned(), rpc_limits(settings));
    let chain = ProofChain::connect(rpc.map_err(RunError::from)?, network.clone()).await.map_err(RunError::from)?;
    remember(&chain, &in_order(&journal.checkpoints()?));
    let scanner = Scanner::new(chain.clone(), settings.scan.clone());
    let before = scanner.start(start).await.map_err(RebuildError::Start)?;
    let head = chain.head().await.map_err(RunError::from)?;
    // What lies behind the position of a journal is scanned by the daemon.
    let position = journal.cursor()?;
    let last = match position {
        Some(cursor) => cursor.number,
        None => scanner.start(StartBlock::Latest).await.map_err(RebuildError::Start)?.number,
    };
    let first = before.number.saturating_add(1);
    if first > last {
        return Err(ScanAgainError::Empty { first, last }.into());
    }
    let mut specimens = BTreeSet::new();
    let again = Again { chain: &chain, config: &settings.scan, targets, retry: settings.retry };
    let scanned = again
        .scan(first..=last, |announcements, targets, now_ms| {
            specimens.extend(announcements.iter().map(|one| (one.chain, one.specimen_hash)));
            Ok(journal.scanned_again(announcements, targets, now_ms)?)
        })
        .await?;
    let ScannedAgain { from, to, announcements, new, again, known } = scanned;
    let is_announced =
        |proof: &refiner_proofchain::SubmittedProof| specimens.contains(&(proof.chain_id, proof.specimen_hash));
    let proofs = chain.proofs_of(operator, first, head, is_announced).await.map_err(RunError::from)?;
    let proofs: Vec<_> = proofs
        .iter()
        .map(|proof| FoundProof {
            chain: proof.chain_id,
            specimen_hash: proof.specimen_hash,
            block: proof.block,
            transaction: proof.transaction,
        })
        .collect();
    let proved = journal.found_proofs(&proofs, now_ms())?;
    if position.is_none() {
        let cursor = scanner.start(StartBlock::Number(last.saturating_add(1))).await.map_err(RebuildError::Start)?;
        // The last of all, so that an interrupted rebuild begins anew.
        journal.scanned(&[], targets, &[Checkpoint { number: cursor.number, hash: cursor.hash }], now_ms())?;
    }
    Ok(Rebuilt {
        schema_version: JSON_SCHEMA_VERSION,
        operator,
        from,
        to,
        announcements,
        new: new + again,
        known,
        proved,
    })
}
