//! Code that the specimen lacks, in a hypothetical run: a stub that has a size, as in the block's own execution, and that cannot be
//! run or copied.

use alloy_primitives::{Address, B256, keccak256};
use revm::{
    bytecode::{
        Bytecode,
        opcode::{EXTCODECOPY, INVALID},
    },
    context_interface::context::ContextError,
    interpreter::{
        Instruction, InstructionContext, InstructionExecResult, InstructionResult, InstructionTable,
        interpreter::EthInterpreter, interpreter_types::LegacyBytecode as _,
    },
};

use super::StateItem;
use crate::{
    meter::{Context, extcodecopy},
    not_carried::NotCarried,
    prestate::is_stub,
};

type Op<'i, 'a> = InstructionContext<'i, Context<'a>, EthInterpreter>;

/// Ends a run that would use such code.
pub(crate) fn watch<'a>(table: &mut InstructionTable<EthInterpreter, Context<'a>>) {
    table[usize::from(INVALID)] = Instruction::new(run);
    table[usize::from(EXTCODECOPY)] = Instruction::new(copy);
}

/// The one instruction that a stub has.
#[expect(clippy::needless_pass_by_value, reason = "the signature of the EVM's instructions")]
fn run(op: Op<'_, '_>) -> InstructionExecResult {
    let hash = op.interpreter.bytecode.get_or_calculate_hash();
    let code = op.interpreter.bytecode.bytecode_slice();
    if is_stub(code) && keccak256(code) != hash {
        return left(op.host, hash);
    }
    Err(InstructionResult::InvalidFEOpcode)
}

fn copy(op: Op<'_, '_>) -> InstructionExecResult {
    let address = op.interpreter.stack.peek(0).map(|word| Address::from_word(word.into()));
    let InstructionContext { interpreter, host } = op;
    extcodecopy(InstructionContext { interpreter, host: &mut *host })?;
    let account = address.ok().and_then(|address| host.journaled_state.state().state.get(&address));
    let missing = account.and_then(|account| missing(account.info.code_hash, account.info.code.as_ref()?));
    missing.map_or(Ok(()), |hash| left(host, hash))
}

fn missing(hash: B256, code: &Bytecode) -> Option<B256> {
    let code = code.original_byte_slice();
    (is_stub(code) && keccak256(code) != hash).then_some(hash)
}

#[cold]
fn left(host: &mut Context<'_>, hash: B256) -> InstructionExecResult {
    host.error = Err(ContextError::Db(NotCarried::left(StateItem::Code(hash))));
    Err(InstructionResult::FatalExternalError)
}
