//! The search for the one candidate that gives the header, transaction by transaction.

use refiner_specimen::{
    DroppedPart, Layout,
    check::{Check, CheckName, Quantity, Subject},
};

use super::{
    Repaired,
    candidate::Candidate,
    candidates::{Scope, groups},
    choice::{Arrival, Choice, ambiguous, repaired},
    recorded::Recorded,
};
use crate::{
    diagnosis,
    error::{ExecuteError, Rejected, Resource, Unsupported},
    execution::ExecutedReceipt,
    header_checks::header_checks,
    meter::ExpectedGas,
    outcome::{Outcome, TransactionOutcome},
    receipts::{Commitments, commit, digest},
    runner::{Job, Mark, Run},
    transaction::{Supplement, SuppliedFields},
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

/// A search through the candidates of one block.
pub(super) struct Search<'a> {
    job: Job<'a>,
    layout: Layout,
    stand_ins: &'a Supplement,
    recorded: Option<Recorded>,
    scope: Scope,
    /// Outcomes of the transactions executed so far on the current path.
    outcomes: Vec<TransactionOutcome>,
    choices: Vec<Choice>,
    /// Ways that led to the header; a second one ends the search.
    found: Vec<Arrival>,
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
        if let [one, other] = &self.found[..] {
            return Err(ambiguous(&one.choices, &other.choices));
        }
        match self.found.pop() {
            Some(arrival) => Ok(repaired(arrival)),
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
            let stand_ins = self.stand_ins.of(index).cloned().unwrap_or_default();
            let mut groups = groups(&self.job, run, (index, field), stand_ins, self.scope)?;
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
        match recorded.differing(index, receipt) {
            None => Ok(Some(outcome)),
            Some(_) if supposed => Ok(None),
            Some(stated) => {
                let subject = Subject::Item { list: "Receipts", index };
                let [stated, computed] = [stated, receipt].map(|receipt| Quantity::Hash(digest(receipt)));
                let failed = Check::failure(CheckName::ReceiptsRoot, subject, stated, computed);
                Err(diagnosis::explain(&self.job, Rejected::HeaderMismatch(failed)))
            }
        }
    }

    /// Ends a way: keeps it if it gives the header.
    fn arrive(&mut self, run: &mut Run<'a>) -> Result<(), ExecuteError> {
        let outcome = match run.finish(self.outcomes.clone()) {
            Ok(outcome) => outcome,
            Err(ExecuteError::Rejected(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let commitments = self.commitments(&outcome);
        let checks = header_checks(self.job.block, outcome.gas_used, &commitments, outcome.requests.as_deref());
        if !checks.iter().any(Check::failed) {
            self.found.push(Arrival { outcome, commitments, choices: self.choices.clone() });
        }
        Ok(())
    }

    /// Of the receipts at the end of a way. Each was compared with the recorded one, where there are any, and is the same to the chain.
    fn commitments(&self, outcome: &Outcome) -> Commitments {
        let receipts = outcome.transactions.iter().filter_map(TransactionOutcome::receipt);
        match &self.recorded {
            Some(recorded) if recorded.len() == receipts.clone().count() => recorded.commitments().clone(),
            _ => commit(&receipts.cloned().collect::<Vec<ExecutedReceipt>>()),
        }
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
