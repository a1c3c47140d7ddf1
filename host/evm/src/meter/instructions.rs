//! Instructions that look at the meter before they do their work.
//!
//! Wrapped are jumps, calls and creations, everything that adds to the journal, and whatever costs more than a few tens
//! of gas. The rest costs at most 60 gas each and lies between two of these or in one straight line of code.

use revm::{
    bytecode::opcode::*,
    context::{JournalEntry, JournalTr},
    context_interface::context::ContextError,
    handler::instructions::EthInstructions,
    inspector::JournalExt,
    interpreter::{
        FrameInput, Instruction, InstructionContext, InstructionExecResult, InstructionResult, InterpreterAction,
        instructions::{arithmetic, contract, control, host, memory, system},
        interpreter::EthInterpreter,
        interpreter_types::{InputsTr, LoopControl, MemoryTr, ReturnData, RuntimeFlag},
    },
    primitives::hardfork::SpecId,
};

use super::{
    budget::BudgetExceeded, bytes, context::Context, costs::INIT_CODE_BYTES_A_GAS, counter::Position, memory_guard,
};

pub(crate) type Op<'i, 'a> = InstructionContext<'i, Context<'a>, EthInterpreter>;
type Outcome = InstructionExecResult;

/// The fork's instructions, metered.
pub(super) fn table<'a>(spec: SpecId, guarded: bool) -> EthInstructions<EthInterpreter, Context<'a>> {
    let mut instructions = EthInstructions::new_mainnet_with_spec(spec);
    let table = instructions.instruction_table_mut();
    let mut wrap = |opcode: u8, instruction: fn(Op<'_, 'a>) -> Outcome| {
        table[usize::from(opcode)] = Instruction::new(instruction);
    };
    wrap(JUMP, jump);
    wrap(JUMPI, jumpi);
    wrap(EXP, exp);
    wrap(KECCAK256, keccak256);
    wrap(CALLDATACOPY, calldatacopy);
    wrap(CODECOPY, codecopy);
    wrap(RETURNDATACOPY, returndatacopy);
    wrap(MCOPY, mcopy);
    wrap(BLOCKHASH, blockhash);
    wrap(TLOAD, tload);
    wrap(BALANCE, balance);
    wrap(SELFBALANCE, selfbalance);
    wrap(EXTCODESIZE, extcodesize);
    wrap(EXTCODECOPY, extcodecopy);
    wrap(EXTCODEHASH, extcodehash);
    wrap(SLOAD, sload);
    wrap(SSTORE, sstore);
    wrap(TSTORE, tstore);
    wrap(SELFDESTRUCT, selfdestruct);
    wrap(RETURN, ret);
    wrap(LOG0, log::<0>);
    wrap(LOG1, log::<1>);
    wrap(LOG2, log::<2>);
    wrap(LOG3, log::<3>);
    wrap(LOG4, log::<4>);
    wrap(CREATE, create::<false>);
    wrap(CREATE2, create::<true>);
    wrap(CALL, call::<CALL>);
    wrap(CALLCODE, call::<CALLCODE>);
    wrap(DELEGATECALL, call::<DELEGATECALL>);
    wrap(STATICCALL, call::<STATICCALL>);
    if guarded {
        memory_guard::wrap(table);
    }
    instructions
}

/// Looks at the meter if enough gas was spent since the last time.
#[inline(always)]
pub(super) fn glance(op: &mut Op<'_, '_>) -> Outcome {
    let spent = op.host.chain.spent(op.interpreter.input.depth, op.interpreter.gas.remaining());
    if op.host.chain.is_due(spent) { look(op) } else { Ok(()) }
}

#[cold]
#[inline(never)]
fn look(op: &mut Op<'_, '_>) -> Outcome {
    let position = position(op);
    op.host.chain.look(position).map_err(|stop| end(op.host, stop))
}

/// The position at an instruction.
pub(super) fn position(op: &Op<'_, '_>) -> Position {
    let interpreter = &*op.interpreter;
    let depth = interpreter.input.depth();
    let memory = interpreter.memory.local_memory_offset() + interpreter.memory.size();
    Position {
        spent: op.host.chain.spent(depth, interpreter.gas.remaining()),
        depth,
        memory: (memory + interpreter.return_data.buffer().len()) as u64,
        entries: entries(op.host).len(),
    }
}

/// Ends the run: the handler returns the error of the context before anything else happens.
#[cold]
pub(super) fn end(host: &mut Context<'_>, stop: BudgetExceeded) -> InstructionResult {
    host.chain.stop(stop);
    host.error = Err(ContextError::Custom("ended by the meter".into()));
    InstructionResult::FatalExternalError
}

/// Instructions that only look.
macro_rules! looking {
    ($($name:ident: $inner:path),* $(,)?) => {$(
        pub(super) fn $name(mut op: Op<'_, '_>) -> Outcome {
            glance(&mut op)?;
            $inner(op)
        }
    )*};
}

looking! {
    jump: control::jump,
    jumpi: control::jumpi,
    exp: arithmetic::exp,
    keccak256: system::keccak256,
    calldatacopy: system::calldatacopy,
    codecopy: system::codecopy,
    returndatacopy: system::returndatacopy,
    mcopy: memory::mcopy,
    blockhash: host::blockhash,
    tload: host::tload,
}

/// Instructions that add to the journal too.
macro_rules! journaling {
    ($($name:ident: $inner:path),* $(,)?) => {$(
        pub(crate) fn $name(op: Op<'_, '_>) -> Outcome {
            counted(op, $inner)
        }
    )*};
}

journaling! {
    balance: host::balance,
    selfbalance: host::selfbalance,
    extcodesize: host::extcodesize,
    extcodecopy: host::extcodecopy,
    extcodehash: host::extcodehash,
    sload: host::sload,
    sstore: host::sstore,
    tstore: host::tstore,
    selfdestruct: host::selfdestruct,
}

#[inline(always)]
fn counted<'a>(mut op: Op<'_, 'a>, inner: impl FnOnce(Op<'_, 'a>) -> Outcome) -> Outcome {
    glance(&mut op)?;
    let before = entries(op.host).len();
    let outcome = inner(Op { interpreter: &mut *op.interpreter, host: &mut *op.host });
    count_since(op.host, before);
    outcome
}

#[inline(always)]
fn count_since(host: &mut Context<'_>, before: usize) {
    let entries = host.journaled_state.journal().get(before..);
    if let Some(new) = entries.filter(|new| !new.is_empty()) {
        host.chain.count(new);
    }
}

#[inline(always)]
fn entries<'c>(host: &'c Context<'_>) -> &'c [JournalEntry] {
    host.journaled_state.journal()
}

pub(super) fn ret(op: Op<'_, '_>) -> Outcome {
    // Only the frame of a creation runs no account's code.
    if op.interpreter.input.bytecode_address.is_none()
        && let Ok(len) = op.interpreter.stack.peek(1)
    {
        op.host.chain.count_code(usize::try_from(len).unwrap_or_default());
    }
    control::ret(op)
}

pub(super) fn log<const TOPICS: usize>(mut op: Op<'_, '_>) -> Outcome {
    glance(&mut op)?;
    let outcome = host::log::<TOPICS, Context<'_>>(Op { interpreter: &mut *op.interpreter, host: &mut *op.host });
    if outcome.is_ok()
        && let Some(log) = op.host.journaled_state.logs().last()
    {
        op.host.chain.count_log(TOPICS, log.data.data.len());
    }
    outcome
}

pub(super) fn call<const KIND: u8>(op: Op<'_, '_>) -> Outcome {
    let Op { interpreter, host } = op;
    let outcome =
        counted(Op { interpreter: &mut *interpreter, host: &mut *host }, contract::call::<KIND, EthInterpreter, _>);
    if let Some(InterpreterAction::NewFrame(_)) = interpreter.bytecode.action() {
        let held = interpreter.return_data.buffer().len() as u64;
        host.chain.open(interpreter.input.depth, interpreter.gas.remaining(), held);
    }
    outcome
}

pub(super) fn create<const IS_CREATE2: bool>(op: Op<'_, '_>) -> Outcome {
    let Op { interpreter, host } = op;
    let outcome = counted(
        Op { interpreter: &mut *interpreter, host: &mut *host },
        contract::create::<IS_CREATE2, EthInterpreter, _>,
    );
    if let Some(InterpreterAction::NewFrame(FrameInput::Create(inputs))) = interpreter.bytecode.action() {
        let init_code = inputs.init_code().len();
        let held = interpreter.return_data.buffer().len() as u64 + bytes::of_init_code(init_code);
        // Two accounts and their changes, which the new frame journals before its first instruction.
        host.chain.open(interpreter.input.depth, interpreter.gas.remaining(), held);
        host.chain.count_creation();
        // EIP-3860 prices init code from Shanghai on.
        if !interpreter.runtime_flag.spec_id().is_enabled_in(SpecId::SHANGHAI) {
            host.chain.weigh(init_code as u64 / INIT_CODE_BYTES_A_GAS);
        }
    }
    outcome
}
