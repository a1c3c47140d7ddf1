//! The search for the one candidate that gives the header, transaction by transaction.

use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use refiner_specimen::{
    DroppedPart, Layout,
    check::{Check, CheckName, Quantity, Subject},
};

use super::{Repaired, Supplied, SupplySource, authorizations, blobs, recorded::Recorded};
use crate::{
    diagnosis,
    error::{ExecuteError, Rejected, Resource, Unsupported},
    execution::ExecutedReceipt,
    header_checks::header_checks,
    meter::{ExpectedGas, Stop},
    outcome::{Outcome, TransactionOutcome},
    receipts::commit,
    runner::{Job, Mark, Run},
    transaction::{DUMMY_BLOB_HASH, Supplement, SuppliedFields},
};

/// Candidates that are executed for one block.
const MOST_CANDIDATES: usize = 4096;
/// Gas that a row of state counts for when it is copied: each candidate starts from a copy, at some 50 ns a row.
const ROW_GAS: u64 = 3;
/// Rows of state that are held in copies at one time.
const MOST_ROWS_HELD: usize = 400_000;
/// Bytes of a row in a copy, on average.
const ROW_BYTES: usize = 300;
/// Transactions at which more than one candidate remains at a time.
const MOST_OPEN: usize = 8;
/// Transactions that lack a field.
const MOST_LACKING: usize = 256;
/// Blobs of one transaction that are tried where the header gives their number only together with others.
const MOST_BLOBS: usize = 6;

/// Values for the dropped fields of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) fields: SuppliedFields,
    /// Blob hashes that were found and are no stand-ins.
    pub(super) found: usize,
}

/// A candidate on the way to an outcome.
#[derive(Clone)]
struct Choice {
    transaction: usize,
    field: DroppedPart,
    candidate: Candidate,
    /// Candidates of its group.
    among: usize,
}

/// Which candidates a search tries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Stand-ins for all blob hashes, whatever else is searched.
    StandIns,
    /// Everything.
    Full,
}

/// A search through the candidates of one block.
pub(super) struct Search<'a> {
    job: Job<'a>,
    layout: Layout,
    stand_ins: &'a Supplement,
    recorded: Option<Recorded>,
    scope: Scope,
    /// What was executed so far on the way that is being followed.
    outcomes: Vec<TransactionOutcome>,
    choices: Vec<Choice>,
    /// Ways that led to the header; a second one ends the search.
    found: Vec<(Outcome, Vec<Choice>)>,
    /// The dropped field of each transaction, if any.
    dropped: Vec<Option<DroppedPart>>,
    /// The last transaction whose field was searched, which a refusal names.
    furthest: (usize, DroppedPart),
    /// Candidates that were executed, over all passes.
    tried: usize,
}

impl<'a> Search<'a> {
    /// A search for what `dropped` names, one field for each transaction; `first` is the first of them.
    pub(super) fn new(
        job: &Job<'a>,
        layout: Layout,
        stand_ins: &'a Supplement,
        dropped: Vec<Option<DroppedPart>>,
        first: (usize, DroppedPart),
    ) -> Self {
        Self {
            // A candidate that uses more gas than the header states is wrong, by however little.
            job: Job { expected: job.expected.map(|expected| ExpectedGas { slack: 0, ..expected }), ..*job },
            layout,
            stand_ins,
            recorded: Recorded::proven(job.block),
            scope: Scope::StandIns,
            outcomes: Vec::new(),
            choices: Vec::new(),
            found: Vec::new(),
            dropped,
            furthest: first,
            tried: 0,
        }
    }

    /// Executes the block with the one way through its candidates that gives the header.
    pub(super) fn solve(mut self) -> Result<Repaired, ExecuteError> {
        if self.lacking().count() > MOST_LACKING {
            return Err(self.missing());
        }
        self.pass(Scope::StandIns)?;
        if self.found.is_empty() && self.lacking().any(|field| field == DroppedPart::BlobHashes) {
            self.pass(Scope::Full)?;
        }
        if let [(_, one), (_, other)] = &self.found[..] {
            return Err(ambiguous(one, other));
        }
        match self.found.pop() {
            Some((outcome, choices)) => Ok(repaired(outcome, choices)),
            None => Err(self.missing()),
        }
    }

    fn lacking(&self) -> impl Iterator<Item = DroppedPart> {
        self.dropped.iter().copied().flatten()
    }

    fn pass(&mut self, scope: Scope) -> Result<(), ExecuteError> {
        self.scope = scope;
        self.outcomes.clear();
        self.choices.clear();
        let mut run = Run::begin(&self.job)?;
        self.follow(&mut run, 0)
    }

    /// Executes from where the run stands to its end, by every way that the receipts allow.
    fn follow(&mut self, run: &mut Run<'a>, open: usize) -> Result<(), ExecuteError> {
        while self.outcomes.len() < self.job.block.transactions.len() {
            let index = self.outcomes.len();
            let Some(field) = self.dropped.get(index).copied().flatten() else {
                match self.step(run, index, None)? {
                    Some(outcome) => self.outcomes.push(outcome),
                    None => return Ok(()),
                }
                continue;
            };
            if index > self.furthest.0 {
                self.furthest = (index, field);
            }
            let mut groups = self.groups(run, index, field)?;
            let sole = if groups.len() == 1 && groups[0].len() == 1 { groups[0].pop() } else { None };
            let Some(candidate) = sole else { return self.branch(run, index, field, groups, open) };
            match self.step(run, index, Some(&candidate.fields))? {
                Some(outcome) => self.choose(outcome, Choice { transaction: index, field, candidate, among: 1 }),
                None => return Ok(()),
            }
        }
        self.arrive(run)
    }

    fn choose(&mut self, outcome: TransactionOutcome, choice: Choice) {
        self.outcomes.push(outcome);
        self.choices.push(choice);
    }

    /// Follows every candidate for the next transaction, group by group until one leads to the header.
    fn branch(
        &mut self,
        run: &mut Run<'a>,
        index: usize,
        field: DroppedPart,
        groups: Vec<Vec<Candidate>>,
        open: usize,
    ) -> Result<(), ExecuteError> {
        if open == 0 && !self.may_hold(1) {
            let [used, bound] = [self.rows(), MOST_ROWS_HELD].map(|rows| (rows * ROW_BYTES) as u64);
            return Err(Unsupported::ExecutionTooLarge { resource: Resource::Memory, used, bound }.into());
        }
        let mut mark = Some(run.mark());
        let (executed, chosen) = (self.outcomes.len(), self.choices.len());
        let last = groups.len().saturating_sub(1);
        for (position, group) in groups.into_iter().enumerate() {
            let among = group.len();
            let remaining = self.remaining(run, index, group, mark.as_ref())?;
            let is_open = remaining.len() > 1 || position < last;
            let open = open + usize::from(is_open);
            if is_open && !remaining.is_empty() && !self.may_hold(open + 1) {
                return Err(Unsupported::Ambiguous { transaction: index, field }.into());
            }
            for candidate in remaining {
                self.back(run, mark.as_ref())?;
                if !is_open {
                    // Nothing comes back to this point, and a way can have many such points.
                    mark = None;
                }
                let Some(outcome) = self.step(run, index, Some(&candidate.fields))? else { continue };
                self.choose(outcome, Choice { transaction: index, field, candidate, among });
                self.follow(run, open)?;
                self.outcomes.truncate(executed);
                self.choices.truncate(chosen);
                if self.found.len() > 1 {
                    return Ok(());
                }
            }
            if !self.found.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The candidates of a group that give the transaction's recorded receipt.
    fn remaining(
        &mut self,
        run: &mut Run<'a>,
        index: usize,
        group: Vec<Candidate>,
        mark: Option<&Mark>,
    ) -> Result<Vec<Candidate>, ExecuteError> {
        let mut remaining = Vec::new();
        for candidate in group {
            self.back(run, mark)?;
            self.tried += 1;
            if self.tried > MOST_CANDIDATES {
                return Err(self.missing());
            }
            if self.step(run, index, Some(&candidate.fields))?.is_some() {
                remaining.push(candidate);
            }
        }
        Ok(remaining)
    }

    /// The candidates for the next transaction. A group is tried only when none before it leads to the header.
    fn groups(&self, run: &Run<'a>, index: usize, field: DroppedPart) -> Result<Vec<Vec<Candidate>>, Stop> {
        let stand_ins = self.stand_ins.of(index).cloned().unwrap_or_default();
        Ok(match (field, self.scope) {
            // Nothing that is searched for.
            (DroppedPart::Signature, _) => Vec::new(),
            (DroppedPart::Authorizations, _) => vec![authorizations::candidates(&self.job, run, index)],
            (DroppedPart::BlobHashes, Scope::StandIns) => vec![vec![Candidate { fields: stand_ins, found: 0 }]],
            (DroppedPart::BlobHashes, Scope::Full) => {
                let hashes = blobs::hashes(&self.job.block.transactions[index].input, self.job.budget)?;
                let counted = self.blob_counts(stand_ins.blob_hashes.len());
                let groups = counted.into_iter().flat_map(|count| {
                    let mut fields = stand_ins.clone();
                    fields.blob_hashes.resize(count, DUMMY_BLOB_HASH);
                    let hashes = &hashes;
                    (0..=count).map(move |found| match found {
                        0 => vec![Candidate { fields: fields.clone(), found }],
                        _ => blobs::candidates(hashes, &fields, found),
                    })
                });
                groups.filter(|group| !group.is_empty()).collect()
            }
        })
    }

    /// The numbers of blobs that a transaction may have: exactly its share where it alone lacks hashes.
    fn blob_counts(&self, share: usize) -> Vec<usize> {
        let lacking = self.lacking().filter(|field| *field == DroppedPart::BlobHashes).count();
        let blobs = self.job.block.header.blob_gas_used.unwrap_or_default() / DATA_GAS_PER_BLOB;
        let most =
            usize::try_from(blobs).unwrap_or(usize::MAX).saturating_sub(lacking.saturating_sub(1)).min(MOST_BLOBS);
        let others = (1..=most).filter(|count| lacking > 1 && *count != share);
        std::iter::once(share).chain(others).collect()
    }

    /// Executes a transaction. `None` when it shows that a candidate before it, or its own, is wrong.
    fn step(
        &mut self,
        run: &mut Run<'a>,
        index: usize,
        supplied: Option<&SuppliedFields>,
    ) -> Result<Option<TransactionOutcome>, ExecuteError> {
        let supposed = supplied.is_some() || !self.choices.is_empty();
        let outcome = match run.transaction(index, supplied) {
            Ok(outcome) => outcome,
            Err(ExecuteError::Rejected(_)) if supposed => return Ok(None),
            Err(ExecuteError::Rejected(rejected)) => return Err(diagnosis::explain(&self.job, rejected)),
            Err(error) => return Err(error),
        };
        let (Some(recorded), Some(receipt)) = (&self.recorded, outcome.receipt()) else { return Ok(Some(outcome)) };
        match recorded.compare(index, receipt) {
            (Some(stated), computed) if stated != computed => {
                if supposed {
                    return Ok(None);
                }
                let subject = Subject::Item { list: "Receipts", index };
                let (stated, computed) = (Quantity::Hash(stated), Quantity::Hash(computed));
                let failed = Check::failure(CheckName::ReceiptsRoot, subject, stated, computed);
                Err(diagnosis::explain(&self.job, Rejected::HeaderMismatch(failed)))
            }
            _ => Ok(Some(outcome)),
        }
    }

    /// Ends a way: keeps it if it gives the header.
    fn arrive(&mut self, run: &mut Run<'a>) -> Result<(), ExecuteError> {
        let outcome = match run.finish(self.outcomes.clone()) {
            Ok(outcome) => outcome,
            Err(ExecuteError::Rejected(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let receipts: Vec<ExecutedReceipt> =
            outcome.transactions.iter().filter_map(TransactionOutcome::receipt).cloned().collect();
        let checks = header_checks(self.job.block, outcome.gas_used, &commit(&receipts), outcome.requests.as_deref());
        if !checks.iter().any(Check::failed) {
            self.found.push((outcome, self.choices.clone()));
        }
        Ok(())
    }

    fn back(&mut self, run: &mut Run<'a>, mark: Option<&Mark>) -> Result<(), ExecuteError> {
        let Some(mark) = mark else { return Ok(()) };
        self.job.budget.charge(self.rows() as u64 * ROW_GAS)?;
        run.reset(mark);
        Ok(())
    }

    fn may_hold(&self, marks: usize) -> bool {
        marks <= MOST_OPEN + 1 && marks.saturating_mul(self.rows()) <= MOST_ROWS_HELD
    }

    fn rows(&self) -> usize {
        let state = &self.job.block.state;
        state.accounts.len() + state.storage.len()
    }

    /// No candidate of the search space gives the header, or not within the bounds of the search.
    const fn missing(&self) -> ExecuteError {
        let (transaction, field) = self.furthest;
        ExecuteError::Unsupported(match field {
            DroppedPart::BlobHashes => Unsupported::BlobHashesMissing { transaction, layout: self.layout },
            DroppedPart::Authorizations | DroppedPart::Signature => {
                Unsupported::AuthorizationListMissing { transaction }
            }
        })
    }
}

/// Two ways lead to the header; names the first transaction at which they part.
fn ambiguous(one: &[Choice], other: &[Choice]) -> ExecuteError {
    let parted = one.iter().zip(other).find(|(one, other)| one.candidate != other.candidate);
    let (transaction, field) = parted.map_or((0, DroppedPart::Authorizations), |(one, _)| (one.transaction, one.field));
    Unsupported::Ambiguous { transaction, field }.into()
}

fn repaired(outcome: Outcome, choices: Vec<Choice>) -> Repaired {
    let mut supplement = Supplement::default();
    let mut supplied = Vec::with_capacity(choices.len());
    for Choice { transaction, field, candidate, among } in choices {
        let source = match (field, candidate.found) {
            (DroppedPart::BlobHashes, 0) => SupplySource::StandIns { blobs: candidate.fields.blob_hashes.len() },
            (DroppedPart::BlobHashes, found) => SupplySource::Commitments { found, candidates: among },
            (DroppedPart::Authorizations | DroppedPart::Signature, _) => {
                SupplySource::Authorization { candidates: among }
            }
        };
        supplied.push(Supplied { transaction, field, source });
        supplement.set(transaction, candidate.fields);
    }
    Repaired { outcome, supplement, supplied }
}
