//! The recorder of gas: what each opcode of each contract used, and all that a transaction pays beside its code.

use std::collections::HashMap;

use alloy_primitives::Address;
use revm::{
    Inspector,
    context::ContextTr as _,
    interpreter::{
        CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter, InterpreterAction, InterpreterResult,
        interpreter_types::{Jumps as _, LoopControl as _},
    },
    state::Account,
};

use crate::runner::BlockContext;

/// The subject of a [`GasItem`] that is no opcode.
pub mod gas_kind {
    /// Gas that a transaction pays before its first instruction.
    pub const INTRINSIC: u16 = 256;
    /// The price of keeping a created contract's code.
    pub const CODE_DEPOSIT: u16 = 257;
    /// A precompile's own price.
    pub const PRECOMPILE: u16 = 258;
    /// Gas that a frame had left when it failed without a revert.
    pub const LOST: u16 = 259;
    /// Gas that the transaction gets back; below zero.
    pub const REFUND: u16 = 260;
    /// Added to reach the floor of EIP-7623.
    pub const FLOOR: u16 = 261;
}

/// Gas of one opcode, or of something that is none, in the code of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasItem {
    /// The account whose code ran; `None` for what belongs to no code.
    pub code_address: Option<Address>,
    /// An opcode, or a number of [`gas_kind`].
    pub what: u16,
    /// Number of executions, or of payments.
    pub times: u64,
    /// Gas without that which was passed on to called frames.
    pub gas: i64,
}

/// Bytes of an item by the formula.
const ITEM_BYTES: u64 = 64;

impl GasItem {
    /// Bytes of the items of a step by the formula.
    pub const fn bytes(items: &[Self]) -> u64 {
        ITEM_BYTES * items.len() as u64
    }
}

/// Gas of the transaction that a step is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransactionGas {
    /// The transaction's own limit.
    pub(crate) limit: u64,
    /// Gas used, as in the receipt.
    pub(crate) used: u64,
    /// Refunded before the floor of EIP-7623 is looked at.
    pub(crate) refunded: u64,
}

/// Number and gas of the executions of each opcode of one frame.
struct Counts {
    /// A bit for each opcode that was executed.
    seen: [u64; 4],
    of_opcode: Box<[(u64, i64); 256]>,
}

impl Counts {
    fn new() -> Self {
        Self { seen: [0; 4], of_opcode: Box::new([(0, 0); 256]) }
    }
}

/// A frame that has not ended.
struct OpenFrame {
    /// The account whose code it runs, once it runs any.
    address: Option<Address>,
    /// Gas that it was given.
    limit: u64,
    /// Gas that it has, as far as it is accounted for.
    left: u64,
    /// The opcode that is executed, or that opened the frame above.
    opcode: u8,
    counts: Counts,
}

/// Records gas as it is used.
pub(crate) struct GasRecorder {
    bytes_left: u64,
    /// There are more items than fit: nothing is recorded from here on.
    full: bool,
    items: HashMap<(Option<Address>, u16), (u64, i64)>,
    open: Vec<OpenFrame>,
    /// Counts of frames that have ended, to be used again.
    idle: Vec<Counts>,
    /// Gas that the outermost frame was given.
    outermost: Option<u64>,
    /// Gas that it had left.
    remaining: u64,
}

impl GasRecorder {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self {
            bytes_left: bytes_max,
            full: false,
            items: HashMap::new(),
            open: Vec::new(),
            idle: Vec::new(),
            outermost: None,
            remaining: 0,
        }
    }

    /// The items of the step that ends here, by address and subject; `None` where they do not fit.
    pub(super) fn end_step(&mut self, gas: Option<TransactionGas>) -> Option<Vec<GasItem>> {
        self.open.clear();
        if let (Some(gas), Some(given)) = (gas, self.outermost) {
            self.close(gas, given);
        }
        self.outermost = None;
        let mut items: Vec<GasItem> = std::mem::take(&mut self.items)
            .into_iter()
            .map(|((code_address, what), (times, gas))| GasItem { code_address, what, times, gas })
            .collect();
        items.sort_unstable_by_key(|item| (item.code_address, item.what));
        match self.bytes_left.checked_sub(GasItem::bytes(&items)) {
            Some(left) if !self.full => self.bytes_left = left,
            _ => {
                self.full = true;
                return None;
            }
        }
        Some(items)
    }

    /// Adds what a transaction pays outside of its frames.
    fn close(&mut self, gas: TransactionGas, given: u64) {
        let intrinsic = gas.limit.saturating_sub(given);
        let spent = gas.limit.saturating_sub(self.remaining);
        self.add(None, gas_kind::INTRINSIC, 1, signed(intrinsic));
        if gas.refunded > 0 {
            self.add(None, gas_kind::REFUND, 1, -signed(gas.refunded));
        }
        let floor = gas.used.saturating_sub(spent.saturating_sub(gas.refunded));
        if floor > 0 {
            self.add(None, gas_kind::FLOOR, 1, signed(floor));
        }
    }

    fn add(&mut self, address: Option<Address>, what: u16, times: u64, gas: i64) {
        if self.full {
            return;
        }
        let (sum, total) = self.items.entry((address, what)).or_default();
        *sum = sum.saturating_add(times);
        *total = total.saturating_add(gas);
        if self.items.len() as u64 * ITEM_BYTES > self.bytes_left {
            self.full = true;
            self.items = HashMap::new();
            self.open = Vec::new();
            self.idle = Vec::new();
        }
    }

    fn begin(&mut self, limit: u64) {
        if self.full {
            return;
        }
        match self.open.last_mut() {
            // What is passed on is no cost of the opcode that does so.
            Some(caller) => caller.counts.of_opcode[usize::from(caller.opcode)].1 -= signed(limit),
            None => self.outermost = Some(limit),
        }
        let counts = self.idle.pop().unwrap_or_else(Counts::new);
        self.open.push(OpenFrame { address: None, limit, left: limit, opcode: 0, counts });
    }

    fn end(&mut self, result: &InterpreterResult, precompile: Option<Address>) {
        let Some(frame) = self.open.pop() else { return };
        let OpenFrame { address, limit, left, mut counts, .. } = frame;
        let returns = result.result.is_ok_or_revert();
        let remaining = if returns { result.gas.remaining() } else { 0 };
        match self.open.last_mut() {
            Some(caller) => caller.left = caller.left.saturating_add(remaining),
            None => self.remaining = remaining,
        }
        self.merge(address, &mut counts);
        self.idle.push(counts);
        if let Some(precompile) = precompile {
            let price = if returns { limit.saturating_sub(remaining) } else { 0 };
            self.add(Some(precompile), gas_kind::PRECOMPILE, 1, signed(price));
        } else if returns && left > remaining {
            self.add(address, gas_kind::CODE_DEPOSIT, 1, signed(left - remaining));
        }
        if !returns && left > 0 {
            self.add(precompile.or(address), gas_kind::LOST, 1, signed(left));
        }
    }

    /// Adds the counts of a frame, and empties them.
    fn merge(&mut self, address: Option<Address>, counts: &mut Counts) {
        for (word, seen) in counts.seen.iter_mut().enumerate() {
            while *seen != 0 {
                let opcode = word * 64 + seen.trailing_zeros() as usize;
                *seen &= *seen - 1;
                let (times, gas) = std::mem::take(&mut counts.of_opcode[opcode]);
                self.add(address, u16::try_from(opcode).unwrap_or_default(), times, gas);
            }
        }
    }
}

/// Gas as a signed number: no transaction has so much that it does not fit.
fn signed(gas: u64) -> i64 {
    i64::try_from(gas).unwrap_or(i64::MAX)
}

/// The account whose code runs at an address: the one that it delegates to (EIP-7702), or itself.
fn code_of(context: &mut BlockContext<'_>, address: Address) -> Address {
    let account: Option<&Account> = context.journal_mut().state().state.get(&address);
    let delegate = account.and_then(|account| account.info.code.as_ref()?.eip7702_address());
    delegate.unwrap_or(address)
}

impl<'a> Inspector<BlockContext<'a>> for GasRecorder {
    fn initialize_interp(&mut self, interpreter: &mut Interpreter, context: &mut BlockContext<'a>) {
        let Some(frame) = self.open.last_mut() else { return };
        let input = &interpreter.input;
        // A creation runs the code of no account: the gas is that of the contract that it creates.
        frame.address = Some(match input.bytecode_address {
            Some(address) => code_of(context, address),
            None => input.target_address,
        });
    }

    #[inline]
    fn step(&mut self, interpreter: &mut Interpreter, _context: &mut BlockContext<'a>) {
        if let Some(frame) = self.open.last_mut() {
            frame.opcode = interpreter.bytecode.opcode();
        }
    }

    #[inline]
    fn step_end(&mut self, interpreter: &mut Interpreter, _context: &mut BlockContext<'a>) {
        let Some(frame) = self.open.last_mut() else { return };
        let place = usize::from(frame.opcode);
        frame.counts.seen[place / 64] |= 1 << (place % 64);
        let (times, gas) = &mut frame.counts.of_opcode[place];
        *times += 1;
        // The gas at an instruction that failed is lost as a whole, whatever the instruction had taken of it.
        if let Some(InterpreterAction::Return(result)) = interpreter.bytecode.action()
            && !result.result.is_ok_or_revert()
        {
            return;
        }
        let remaining = interpreter.gas.remaining();
        *gas += signed(frame.left) - signed(remaining);
        frame.left = remaining;
    }

    fn call(&mut self, _context: &mut BlockContext<'a>, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.begin(inputs.gas_limit);
        None
    }

    fn call_end(&mut self, _context: &mut BlockContext<'a>, inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.end(&outcome.result, outcome.was_precompile_called.then_some(inputs.bytecode_address));
    }

    fn create(&mut self, _context: &mut BlockContext<'a>, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.begin(inputs.gas_limit());
        None
    }

    fn create_end(&mut self, _context: &mut BlockContext<'a>, _inputs: &CreateInputs, outcome: &mut CreateOutcome) {
        self.end(&outcome.result, None);
    }
}
