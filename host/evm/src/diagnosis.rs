//! Finds out why a block came out differently from its header.
//!
//! Runs only after the fact: following every instruction costs what the fast path must not pay.

use std::collections::HashSet;

use alloy_primitives::{
    Address, B256, KECCAK256_EMPTY,
    map::{AddressMap, B256Map},
};
use refiner_specimen::StateReads;
use revm::{
    Inspector,
    bytecode::opcode,
    interpreter::{
        CallInputs, CallOutcome, CallScheme, Interpreter,
        interpreter::EthInterpreter,
        interpreter_types::{Jumps, LegacyBytecode},
    },
};

use crate::{
    code_use::CodeUse,
    error::{ExecuteError, MissingCode, Rejected},
    runner::{BlockContext, Job, Run},
};

/// The reason of a rejection: code that the block uses and the specimen does not carry, or else what it states itself.
///
/// Executes the block once more, watched; `job` must be the execution that was rejected.
pub(crate) fn explain(job: &Job<'_>, rejected: Rejected) -> ExecuteError {
    if matches!(rejected, Rejected::CodeMissing(_)) {
        return rejected.into();
    }
    match missing_code(job) {
        Ok(Some(Use { hash, account, asked })) => {
            Rejected::CodeMissing(Box::new(MissingCode { hash, account, asked, consequence: rejected })).into()
        }
        Ok(None) | Err(ExecuteError::Rejected(_)) => rejected.into(),
        Err(bound @ ExecuteError::Unsupported(_)) => bound,
    }
}

/// Code that is used and not carried.
struct Use {
    hash: B256,
    account: Address,
    asked: CodeUse,
}

fn missing_code(job: &Job<'_>) -> Result<Option<Use>, ExecuteError> {
    let missing = not_carried(&job.block.state);
    if missing.is_empty() {
        return Ok(None);
    }
    let accounts = missing.iter().map(|(account, hash)| (*hash, *account)).collect();
    let mut run = Run::watched(job, Watch { missing, accounts, at_top: true, found: None })?;
    for index in 0..job.block.transactions.len() {
        run.recorder().at_top = true;
        // A transaction that is invalid only because of the stub is explained by the code that was used before it.
        let executed = run.transaction(index, job.supplement.of(index));
        if let Err(bound @ ExecuteError::Unsupported(_)) = executed {
            return Err(bound);
        }
        if executed.is_err() || run.recorder().found_runs() {
            break;
        }
    }
    Ok(run.recorder().found.take())
}

/// The accounts whose code is not carried, with its hash.
fn not_carried(reads: &StateReads) -> AddressMap<B256> {
    let carried: HashSet<B256> = reads.codes.iter().map(|code| code.hash).collect();
    let stated = reads.accounts.iter().map(|account| (account.address, account.code_hash));
    stated.filter(|(_, hash)| !hash.is_zero() && *hash != KECCAK256_EMPTY && !carried.contains(hash)).collect()
}

/// Follows a block until it runs missing code; notes the first other use until then.
struct Watch {
    missing: AddressMap<B256>,
    /// One account of each piece of missing code.
    accounts: B256Map<Address>,
    /// Whether the next call is that of a transaction and not of an instruction.
    at_top: bool,
    found: Option<Use>,
}

impl Watch {
    fn found_runs(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.asked >= CodeUse::Target)
    }

    /// Notes a use. Running explains more than copying, and copying more than asking for the size, which a stub may answer well.
    fn note(&mut self, account: Address, asked: CodeUse) {
        let Some(&hash) = self.missing.get(&account) else { return };
        if self.found.as_ref().is_none_or(|found| found.asked < asked && !self.found_runs()) {
            self.found = Some(Use { hash, account, asked });
        }
    }
}

/// The code behind the instruction that is about to run.
fn next(interpreter: &Interpreter<EthInterpreter>) -> &[u8] {
    interpreter.bytecode.bytecode_slice().get(interpreter.bytecode.pc() + 1..).unwrap_or_default()
}

/// True when the instructions take a number from the top of the stack and leave only whether it is zero.
const fn becomes_presence(code: &[u8]) -> bool {
    match code {
        [opcode::ISZERO, ..] => true,
        [opcode::PUSH0, compares, ..] | [opcode::PUSH1, 0, compares, ..] => {
            matches!(*compares, opcode::LT | opcode::GT | opcode::EQ)
        }
        _ => false,
    }
}

impl<'a> Inspector<BlockContext<'a>> for Watch {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, _context: &mut BlockContext<'a>) {
        let asked = match interpreter.bytecode.opcode() {
            opcode::EXTCODESIZE if !becomes_presence(next(interpreter)) => CodeUse::Size,
            opcode::EXTCODECOPY => CodeUse::Copy,
            _ => return,
        };
        if let Some(word) = interpreter.stack.data().last() {
            self.note(Address::from_word((*word).into()), asked);
        }
    }

    fn call(&mut self, _context: &mut BlockContext<'a>, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let top = std::mem::replace(&mut self.at_top, false);
        let asked = match inputs.scheme {
            _ if top => CodeUse::Target,
            CallScheme::Call => CodeUse::Call("CALL"),
            CallScheme::CallCode => CodeUse::Call("CALLCODE"),
            CallScheme::DelegateCall => CodeUse::Call("DELEGATECALL"),
            CallScheme::StaticCall => CodeUse::Call("STATICCALL"),
        };
        // A delegation (EIP-7702) runs the code of another account than the one that is called.
        let (hash, _) = inputs.known_bytecode;
        if self.missing.get(&inputs.bytecode_address) == Some(&hash) {
            self.note(inputs.bytecode_address, asked);
        } else if let Some(account) = self.accounts.get(&hash) {
            self.note(*account, asked);
        }
        None
    }
}
