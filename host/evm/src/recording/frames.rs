//! The recorder of calls, in the terms of geth's callTracer.

use alloy_primitives::{Address, Bytes, U256};
use revm::{
    Inspector,
    bytecode::opcode,
    context::ContextTr as _,
    interpreter::{
        CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome, CreateScheme, InstructionResult,
        InterpreterResult,
    },
};

use crate::runner::BlockContext;

/// One call, creation or self-destruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Position in the step of the frame that made this one.
    pub parent: Option<u32>,
    /// 0 for an outermost frame.
    pub depth: u16,
    /// The instruction, or that of a transaction's kind for an outermost frame.
    pub opcode: u8,
    /// The account whose code runs the instruction, or the sender of the transaction.
    pub sender: Address,
    /// Code that is called, the created contract, or the receiver of a balance; `None` for a creation that failed.
    pub to: Option<Address>,
    /// Wei; `None` for a static call.
    pub value: Option<U256>,
    /// Gas that the frame is given; the transaction's own for its outermost frame.
    pub gas_limit: u64,
    /// Gas that it used; the receipt's for the outermost frame of a transaction.
    pub gas_used: u64,
    /// Length of call data or init code.
    pub input_len: u32,
    /// Its first bytes.
    pub input: Bytes,
    /// Length of what it returned or of the code that it deployed.
    pub output_len: u32,
    /// Its first bytes.
    pub output: Bytes,
    /// Words for its failure.
    pub error: Option<&'static str>,
    /// It failed, or one around it did.
    pub undone: bool,
}

/// Bytes of a frame beside its input and output.
const FRAME_BYTES: u64 = 192;

impl Frame {
    /// Bytes of the frame by the formula, with at most `payload_max` of its input and of its output.
    pub fn bytes_within(&self, payload_max: u32) -> u64 {
        FRAME_BYTES + u64::from(self.input_len.min(payload_max)) + u64::from(self.output_len.min(payload_max))
    }
}

/// Records calls as they begin and end.
pub(crate) struct FrameRecorder {
    payload_max: usize,
    bytes_left: u64,
    /// More was called than fits: nothing is recorded from here on.
    full: bool,
    frames: Vec<Frame>,
    /// Positions of the frames that have not ended.
    open: Vec<usize>,
}

impl FrameRecorder {
    pub(crate) fn new(payload_max: u32, bytes_max: u64) -> Self {
        Self {
            payload_max: payload_max as usize,
            bytes_left: bytes_max,
            full: false,
            frames: Vec::new(),
            open: Vec::new(),
        }
    }

    /// The calls of the step that ends here; `None` where they do not fit.
    ///
    /// `gas` is the limit of the step's transaction, and what its receipt states as used.
    pub(super) fn end_step(&mut self, gas: Option<(u64, u64)>) -> Option<Vec<Frame>> {
        self.open.clear();
        let mut frames = std::mem::take(&mut self.frames);
        if self.full {
            return None;
        }
        if let (Some((limit, used)), Some(root)) = (gas, frames.first_mut()) {
            (root.gas_limit, root.gas_used) = (limit, used);
        }
        for position in 0..frames.len() {
            let around = frames[position].parent.is_some_and(|parent| frames[parent as usize].undone);
            frames[position].undone = around || frames[position].error.is_some();
        }
        Some(frames)
    }

    fn spend(&mut self, bytes: u64) -> bool {
        match self.bytes_left.checked_sub(bytes) {
            Some(left) if !self.full => self.bytes_left = left,
            _ => {
                self.full = true;
                self.frames = Vec::new();
            }
        }
        !self.full
    }

    /// Bytes that are kept of a payload.
    fn kept(&self, len: usize) -> usize {
        len.min(self.payload_max)
    }

    fn begin(&mut self, frame: Frame) {
        let position = self.frames.len();
        let parent = self.open.last().copied();
        let depth = self.open.len();
        self.open.push(position);
        self.frames.push(Frame {
            parent: parent.and_then(|parent| u32::try_from(parent).ok()),
            depth: u16::try_from(depth).unwrap_or(u16::MAX),
            ..frame
        });
    }

    fn end(&mut self, context: &mut BlockContext<'_>, result: &InterpreterResult, created: Option<Option<Address>>) {
        // A self-destruction ends its frame, so that one which was noted belongs to the frame that ends now.
        let destruction = context.journal_mut().take_destruction();
        if self.full {
            return;
        }
        let Some(position) = self.open.pop() else { return };
        let succeeded = result.result.is_ok();
        let output = if result.result.is_ok_or_revert() { &result.output } else { &Bytes::new() };
        let kept = self.kept(output.len());
        if !self.spend(kept as u64) {
            return;
        }
        let Some(frame) = self.frames.get_mut(position) else { return };
        let left = if result.result.is_ok_or_revert() { result.gas.remaining() } else { 0 };
        frame.gas_used = frame.gas_limit.saturating_sub(left);
        frame.output_len = u32::try_from(output.len()).unwrap_or(u32::MAX);
        frame.output = if kept == output.len() { output.clone() } else { Bytes::copy_from_slice(&output[..kept]) };
        frame.error = words(result.result);
        if let Some(created) = created {
            frame.to = created.filter(|_| succeeded);
            if succeeded && frame.to.is_none() {
                frame.error = Some(NONCE_OVERFLOW);
            }
        }
        if let Some((contract, receiver, balance)) = destruction.filter(|_| succeeded)
            && self.spend(FRAME_BYTES)
        {
            self.open.push(position);
            self.begin(Frame {
                opcode: opcode::SELFDESTRUCT,
                to: Some(receiver),
                value: Some(balance),
                ..blank(contract, 0)
            });
            self.open.truncate(self.open.len() - 2);
        }
    }
}

/// A frame that has not begun.
fn blank(sender: Address, gas_limit: u64) -> Frame {
    Frame {
        parent: None,
        depth: 0,
        opcode: opcode::CALL,
        sender,
        to: None,
        value: None,
        gas_limit,
        gas_used: 0,
        input_len: 0,
        input: Bytes::new(),
        output_len: 0,
        output: Bytes::new(),
        error: None,
        undone: false,
    }
}

impl<'a> Inspector<BlockContext<'a>> for FrameRecorder {
    fn call(&mut self, context: &mut BlockContext<'a>, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let length = inputs.input.len();
        let kept = self.kept(length);
        // Counted before it is copied: a block can name more call data than any machine holds.
        if !self.spend(FRAME_BYTES + kept as u64) {
            return None;
        }
        let input = match &inputs.input {
            revm::interpreter::CallInput::Bytes(bytes) if kept == length => bytes.clone(),
            input => Bytes::copy_from_slice(input.as_bytes(context).get(..kept).unwrap_or_default()),
        };
        let (opcode, sender, to, value) = match inputs.scheme {
            CallScheme::Call => (opcode::CALL, inputs.caller, inputs.target_address, Some(inputs.call_value())),
            CallScheme::CallCode => {
                (opcode::CALLCODE, inputs.target_address, inputs.bytecode_address, Some(inputs.call_value()))
            }
            CallScheme::DelegateCall => {
                (opcode::DELEGATECALL, inputs.target_address, inputs.bytecode_address, Some(inputs.call_value()))
            }
            CallScheme::StaticCall => (opcode::STATICCALL, inputs.caller, inputs.target_address, None),
        };
        let input_len = u32::try_from(length).unwrap_or(u32::MAX);
        self.begin(Frame { opcode, to: Some(to), value, input_len, input, ..blank(sender, inputs.gas_limit) });
        None
    }

    fn call_end(&mut self, context: &mut BlockContext<'a>, _inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.end(context, &outcome.result, None);
    }

    fn create(&mut self, _context: &mut BlockContext<'a>, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        let init_code = inputs.init_code();
        let kept = self.kept(init_code.len());
        if !self.spend(FRAME_BYTES + kept as u64) {
            return None;
        }
        let opcode = match inputs.scheme() {
            CreateScheme::Create2 { .. } => opcode::CREATE2,
            CreateScheme::Create | CreateScheme::Custom { .. } => opcode::CREATE,
        };
        self.begin(Frame {
            opcode,
            value: Some(inputs.value()),
            input_len: u32::try_from(init_code.len()).unwrap_or(u32::MAX),
            input: Bytes::copy_from_slice(&init_code[..kept]),
            ..blank(inputs.caller(), inputs.gas_limit())
        });
        None
    }

    fn create_end(&mut self, context: &mut BlockContext<'a>, _inputs: &CreateInputs, outcome: &mut CreateOutcome) {
        self.end(context, &outcome.result, Some(outcome.address));
    }
}

/// The failure of a creation whose creator has no nonce left. The EVM reports it as a success without an address.
const NONCE_OVERFLOW: &str = "nonce uint64 overflow";

/// Words for a failure: geth's, without operands.
const fn words(result: InstructionResult) -> Option<&'static str> {
    use InstructionResult as R;
    Some(match result {
        R::Stop | R::Return | R::SelfDestruct | R::Suspend => return None,
        R::Revert => "execution reverted",
        R::CallTooDeep => "max call depth exceeded",
        R::OutOfFunds | R::OverflowPayment => "insufficient balance for transfer",
        R::OutOfGas | R::MemoryOOG | R::MemoryLimitOOG | R::PrecompileOOG | R::ReentrancySentryOOG => "out of gas",
        R::InvalidOperandOOG => "gas uint64 overflow",
        R::OpcodeNotFound | R::InvalidFEOpcode | R::NotActivated | R::InvalidImmediateEncoding => "invalid opcode",
        R::CallNotAllowedInsideStatic | R::StateChangeDuringStaticCall => "write protection",
        R::InvalidJump => "invalid jump destination",
        R::StackUnderflow => "stack underflow",
        R::StackOverflow => "stack limit reached",
        R::OutOfOffset => "return data out of bounds",
        R::CreateCollision => "contract address collision",
        R::PrecompileError => "precompile failed",
        R::NonceOverflow => NONCE_OVERFLOW,
        R::CreateContractSizeLimit => "max code size exceeded",
        R::CreateContractStartingWithEF | R::CreateInitCodeStartingEF00 => "invalid code: must not begin with 0xef",
        R::CreateInitCodeSizeLimit => "max initcode size exceeded",
        R::InvalidEOFInitCode | R::InvalidExtDelegateCallTarget | R::FatalExternalError => "execution failed",
    })
}
