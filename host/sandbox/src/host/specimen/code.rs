//! Code that the specimen carries, found by its hash and checked against it.

use alloy_primitives::{B256, keccak256};
use refiner_evm::Rejected;
use refiner_rule_model::{Misuse, Thing};
use refiner_specimen::{
    LazyBytecode,
    check::{Check, CheckName, Quantity, Subject},
};

use super::{BudgetExceeded, HostState, SpecimenView, exported_state};
use crate::host::state::specimen::contradiction;

impl HostState {
    /// Code that the specimen carries.
    pub(in crate::host) fn specimen_code(&mut self, hash: B256) -> Result<Option<Vec<u8>>, BudgetExceeded> {
        exported_state(self.specimen.as_ref(), "code")?;
        let view =
            self.specimen.as_mut().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Specimen }))?;
        let position = view.code_position(hash);
        // Paid for before it is decoded.
        self.budget.copy(position.and_then(|position| view.code(position)).map_or(0, |piece| piece.len()))?;
        let Some(position) = position else { return Ok(None) };
        view.verified_code(position)
    }
}

impl SpecimenView {
    fn code_position(&self, hash: B256) -> Option<usize> {
        let codes = &self.specimen.block.state.codes;
        let positions = self.code_positions.get_or_init(|| {
            // The first of two that claim one hash is kept, as a search from the start would find it.
            let positions: Vec<_> = codes.pieces().map(|piece| piece.hash).zip(0..).collect();
            positions.into_iter().rev().collect()
        });
        positions.get(&hash).copied()
    }

    fn code(&self, position: usize) -> Option<LazyBytecode<'_>> {
        self.specimen.block.state.codes.piece(position)
    }

    /// The bytes of the code at this position, which hash to what they are stated under.
    fn verified_code(&mut self, position: usize) -> Result<Option<Vec<u8>>, BudgetExceeded> {
        let Some(piece) = self.code(position) else { return Ok(None) };
        let code =
            piece.to_bytes().map_err(|error| BudgetExceeded::Contradiction(Box::new(Rejected::from(error).into())))?;
        if !self.verified_codes.contains(&position) {
            let (stated, computed) = (piece.hash, keccak256(&code));
            if stated != computed {
                let subject = Subject::Item { list: "CodeRead", index: position };
                let (stated, computed) = (Quantity::Hash(stated), Quantity::Hash(computed));
                return Err(contradiction(Check::failure(CheckName::CodeHashes, subject, stated, computed)));
            }
            self.verified_codes.insert(position);
        }
        Ok(Some(code.into()))
    }
}
