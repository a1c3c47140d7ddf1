//! The stated senders against the signatures.

use alloy_consensus::Header;
use refiner_specimen::{
    Specimen,
    check::{Check, CheckName, Outcome, Quantity, Subject},
};
use revm::primitives::hardfork::SpecId;

use super::recovery::Recovery;
use crate::{
    chain::ChainSpec,
    interrupt::{Interrupt, Interrupted, Uninterrupted},
    policy::SenderPolicy,
};

/// The terms on which senders are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderTerms {
    policy: SenderPolicy,
    /// EIP-2 holds: `s` is in the lower half.
    low_s: bool,
}

impl SenderTerms {
    /// The terms for a block of a chain. Where the block's fork is not known, it is taken for one since Homestead.
    pub fn of(policy: SenderPolicy, chain: Option<&ChainSpec>, header: &Header) -> Self {
        let fork = chain.and_then(|chain| chain.spec_of(header).ok());
        Self { policy, low_s: fork.is_none_or(|fork| fork.is_enabled_in(SpecId::HOMESTEAD)) }
    }

    /// The origin of the senders.
    pub const fn policy(self) -> SenderPolicy {
        self.policy
    }
}

/// The stated senders against those that the signatures give. The costliest check, made only for who states senders.
///
/// A transaction whose signed message cannot be rebuilt is left out, and the check is then not checkable unless another
/// sender is wrong.
pub fn senders(specimen: &Specimen, terms: SenderTerms) -> Check {
    match senders_within(specimen, terms, &Uninterrupted) {
        Ok(check) => check,
        Err(Interrupted { .. }) => unreachable!("nothing interrupts it"),
    }
}

/// [`senders`], which `interrupt` may end before any transaction. It is asked on this thread.
///
/// # Errors
/// [`Interrupted`]: there is no check.
pub fn senders_within(
    specimen: &Specimen,
    terms: SenderTerms,
    interrupt: &dyn Interrupt,
) -> Result<Check, Interrupted> {
    let name = CheckName::Senders;
    let block = &specimen.block;
    if terms.policy == SenderPolicy::Stated {
        let outcome = Outcome::NotCheckable("senders are taken as stated, by the operator's choice");
        return Ok(Check { name, outcome });
    }
    if block.transactions.len() != block.senders.len() {
        let count = |items: usize| Quantity::Number(items as u64);
        let subject = Subject::Field("Senders");
        return Ok(Check::failure(name, subject, count(block.senders.len()), count(block.transactions.len())));
    }
    let recovery = Recovery::new(&block.transactions, &block.senders, specimen.layout, terms.low_s);
    if let Some(wrong) = recovery.first_wrong(interrupt)? {
        let computed = wrong.recovered.map_or(Quantity::Words("no valid signature"), Quantity::Address);
        let subject = Subject::Item { list: "Senders", index: wrong.index };
        return Ok(Check::failure(name, subject, Quantity::Address(block.senders[wrong.index]), computed));
    }
    let dropped = block.transactions.iter().rev().find_map(|transaction| transaction.dropped(specimen.layout));
    Ok(match dropped {
        None => Check::passed(name),
        Some(dropped) => Check { name, outcome: Outcome::NotCheckable(dropped.as_str()) },
    })
}
