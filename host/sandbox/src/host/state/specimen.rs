//! The specimen of a run.

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use alloy_primitives::{B256, Bytes, U256};
use refiner_evm::{Executor, Rejected};
use refiner_rule_model::SpecimenHash;
use refiner_specimen::{Specimen, UnknownTransactionType, check::Check};

use crate::host::budget::BudgetExceeded;

/// The guest's handle of the specimen. There is one specimen a run, so it holds nothing.
pub struct BlockSpecimen;

/// The specimen, its bytes, and what is worked out from them on demand.
pub(crate) struct SpecimenView {
    pub(in crate::host) specimen: Arc<Specimen>,
    pub(in crate::host) raw: Bytes,
    hash: SpecimenHash,
    transaction_hashes: OnceCell<Result<Vec<B256>, UnknownTransactionType>>,
    pub(in crate::host) code_positions: OnceCell<HashMap<B256, usize>>,
    /// Positions of code that has the hash it is stated under.
    pub(in crate::host) verified_codes: HashSet<usize>,
    /// The check of the senders, made when they are first asked for.
    senders: Option<Check>,
}

impl SpecimenView {
    pub(crate) fn new(specimen: Arc<Specimen>, raw: Bytes, hash: SpecimenHash) -> Self {
        Self {
            specimen,
            raw,
            hash,
            transaction_hashes: OnceCell::new(),
            code_positions: OnceCell::new(),
            verified_codes: HashSet::new(),
            senders: None,
        }
    }

    /// The hash that the network announces, worked out when it is first asked for.
    pub(crate) fn hash(&self) -> B256 {
        self.hash.get()
    }

    pub(crate) fn specimen(&self) -> &Specimen {
        &self.specimen
    }

    /// The bytes it was decoded from.
    pub(crate) const fn raw(&self) -> &Bytes {
        &self.raw
    }

    pub(in crate::host) fn transaction_hashes(&self) -> Result<&[B256], BudgetExceeded> {
        let specimen = &self.specimen;
        let known = || Ok(specimen.known_hashes(refiner_specimen::transaction_hashes(&specimen.block)?));
        self.transaction_hashes
            .get_or_init(known)
            .as_deref()
            .map_err(|unknown| BudgetExceeded::TransactionType(*unknown))
    }

    /// Stops the guest that asks by `function` for numbers of which one is unknown, as the layout rounds it.
    pub(in crate::host) fn check_exact(
        &self,
        function: &'static str,
        what: &'static str,
        mut numbers: impl Iterator<Item = U256>,
    ) -> Result<(), BudgetExceeded> {
        let layout = self.specimen.layout;
        if layout.has_rounded_numbers() && numbers.any(|number| self.specimen.is_rounded(number)) {
            return Err(BudgetExceeded::Rounded { function, layout, what });
        }
        Ok(())
    }

    /// Stops the guest before it reads senders that are not those of the signatures. Made once a run.
    pub(in crate::host) fn check_senders(&mut self, executor: &dyn Executor) -> Result<(), BudgetExceeded> {
        let check = self.senders.get_or_insert_with(|| executor.senders(&self.specimen));
        if check.failed() { Err(contradiction(check.clone())) } else { Ok(()) }
    }

    /// The check of the senders, if it was made.
    pub(crate) fn take_senders(&mut self) -> Option<Check> {
        self.senders.take()
    }
}

/// The end of a guest that asked for what contradicts the rest of the specimen.
pub(in crate::host) fn contradiction(check: Check) -> BudgetExceeded {
    BudgetExceeded::Contradiction(Box::new(Rejected::CheckFailed(check).into()))
}
