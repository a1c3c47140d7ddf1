//! Instructions that grow memory, looked at one by one where a transaction can pay for more memory than there is.

use alloy_primitives::U256;
use revm::{
    bytecode::opcode::*,
    interpreter::{
        Instruction, InstructionExecResult, InstructionTable,
        instructions::{control, memory},
        interpreter::EthInterpreter,
        interpreter_types::MemoryTr,
    },
};

use super::{
    context::Context,
    instructions::{self, Op, end, position},
};

/// The operands of an instruction that name memory: positions on the stack.
#[derive(Clone, Copy)]
enum Span {
    /// Of an offset; the length is fixed.
    Fixed(usize, u64),
    /// Of an offset and of a length.
    Sized(usize, usize),
}

/// Guards every instruction that grows memory.
pub(super) fn wrap<'a>(table: &mut InstructionTable<EthInterpreter, Context<'a>>) {
    macro_rules! guard {
        ($($opcode:ident),* $(,)?) => {$(
            table[usize::from($opcode)] = Instruction::new(guarded::<{ $opcode }>);
        )*};
    }
    guard! {
        MLOAD, MSTORE, MSTORE8, KECCAK256, CALLDATACOPY, CODECOPY, RETURNDATACOPY, MCOPY, EXTCODECOPY, LOG0, LOG1, LOG2,
        LOG3, LOG4, RETURN, REVERT, CREATE, CREATE2, CALL, CALLCODE, DELEGATECALL, STATICCALL,
    }
}

fn guarded<const OPCODE: u8>(op: Op<'_, '_>) -> InstructionExecResult {
    let end_of_memory = spans(OPCODE).iter().filter_map(|span| end_of(&op, *span)).max();
    if let Some(end_of_memory) = end_of_memory {
        check(&op, end_of_memory).map_err(|stop| end(op.host, stop))?;
    }
    match OPCODE {
        MLOAD => memory::mload(op),
        MSTORE => memory::mstore(op),
        MSTORE8 => memory::mstore8(op),
        KECCAK256 => instructions::keccak256(op),
        CALLDATACOPY => instructions::calldatacopy(op),
        CODECOPY => instructions::codecopy(op),
        RETURNDATACOPY => instructions::returndatacopy(op),
        MCOPY => instructions::mcopy(op),
        EXTCODECOPY => instructions::extcodecopy(op),
        LOG0 => instructions::log::<0>(op),
        LOG1 => instructions::log::<1>(op),
        LOG2 => instructions::log::<2>(op),
        LOG3 => instructions::log::<3>(op),
        LOG4 => instructions::log::<4>(op),
        RETURN => instructions::ret(op),
        REVERT => control::revert(op),
        CREATE => instructions::create::<false>(op),
        CREATE2 => instructions::create::<true>(op),
        CALL => instructions::call::<CALL>(op),
        CALLCODE => instructions::call::<CALLCODE>(op),
        DELEGATECALL => instructions::call::<DELEGATECALL>(op),
        _ => instructions::call::<STATICCALL>(op),
    }
}

const fn spans(opcode: u8) -> &'static [Span] {
    use Span::{Fixed, Sized};
    match opcode {
        MLOAD | MSTORE => &[Fixed(0, 32)],
        MSTORE8 => &[Fixed(0, 1)],
        KECCAK256 | LOG0 | LOG1 | LOG2 | LOG3 | LOG4 | RETURN | REVERT => &[Sized(0, 1)],
        CALLDATACOPY | CODECOPY | RETURNDATACOPY => &[Sized(0, 2)],
        MCOPY => &[Sized(0, 2), Sized(1, 2)],
        EXTCODECOPY => &[Sized(1, 3)],
        CREATE | CREATE2 => &[Sized(1, 2)],
        CALL | CALLCODE => &[Sized(3, 4), Sized(5, 6)],
        DELEGATECALL | STATICCALL => &[Sized(2, 3), Sized(4, 5)],
        _ => &[],
    }
}

/// `None` where nothing is touched, or where the EVM itself refuses the operands.
fn end_of(op: &Op<'_, '_>, span: Span) -> Option<u64> {
    let operand = |position| op.interpreter.stack.peek(position).ok();
    let (offset, length) = match span {
        Span::Fixed(offset, length) => (operand(offset)?, U256::from(length)),
        Span::Sized(offset, length) => (operand(offset)?, operand(length)?),
    };
    if length.is_zero() {
        return None;
    }
    u64::try_from(offset.checked_add(length)?).ok()
}

/// Whether the budget pays for memory up to `end_of_memory`, if the frame's gas does.
fn check(op: &Op<'_, '_>, end_of_memory: u64) -> Result<(), super::BudgetExceeded> {
    let size = op.interpreter.memory.size() as u64;
    if end_of_memory <= size {
        return Ok(());
    }
    let cost = memory_gas(end_of_memory) - memory_gas(size);
    if cost > op.interpreter.gas.remaining() {
        return Ok(());
    }
    let position = position(op);
    let meter = &op.host.chain;
    if cost > meter.left(position.spent) {
        return Err(meter.refuse(position.spent, cost));
    }
    meter.bytes_within(&position, end_of_memory - size)
}

/// Gas of memory up to an offset, as the EVM counts it: beyond 64 bits it gets cheap there.
const fn memory_gas(end_of_memory: u64) -> u64 {
    let words = end_of_memory.div_ceil(32);
    words.saturating_mul(3).saturating_add(words.saturating_mul(words) / 512)
}
