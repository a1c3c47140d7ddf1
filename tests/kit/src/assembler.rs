//! Bytecode by hand: opcodes and pushes in a row. No labels, since none of our contracts jumps.

use alloy_primitives::{Address, B256, Bytes};
use revm::bytecode::opcode::{CODECOPY, PUSH0, PUSH1, RETURN};

/// Grows a piece of bytecode from left to right.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    code: Vec<u8>,
}

impl Assembler {
    /// Starts with no instructions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends opcodes as they are.
    pub fn ops(mut self, opcodes: &[u8]) -> Self {
        self.code.extend_from_slice(opcodes);
        self
    }

    /// Appends a push of a number in as few bytes as it needs; zero is `PUSH1 0`, since PUSH0 is younger than Paris.
    pub fn push(self, number: u64) -> Self {
        let bytes = number.to_be_bytes();
        let significant = bytes.len() - (number.leading_zeros() as usize / 8).min(bytes.len() - 1);
        self.push_bytes(&bytes[bytes.len() - significant..])
    }

    /// Appends a push of an address, PUSH20.
    pub fn push_address(self, address: Address) -> Self {
        self.push_bytes(address.as_slice())
    }

    /// Appends a push of a whole word, PUSH32.
    pub fn push_word(self, word: B256) -> Self {
        self.push_bytes(word.as_slice())
    }

    /// The assembled bytecode.
    pub fn finish(self) -> Bytes {
        self.code.into()
    }

    /// Appends PUSH1 to PUSH32, which stand in a row behind PUSH0.
    fn push_bytes(mut self, bytes: &[u8]) -> Self {
        let count = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        self.code.push(PUSH0 + count);
        self.code.extend_from_slice(bytes);
        self
    }
}

/// Init code that deploys `runtime`, at most 255 bytes of it: copies what follows itself and returns it.
pub fn deploying(runtime: &[u8]) -> Bytes {
    /// Two-byte pushes and one-byte opcodes: len, offset, 0, CODECOPY, len, 0, RETURN.
    const PREFIX: u8 = 12;
    let length = u8::try_from(runtime.len()).unwrap_or(u8::MAX);
    Assembler::new()
        .ops(&[PUSH1, length, PUSH1, PREFIX, PUSH1, 0, CODECOPY, PUSH1, length, PUSH1, 0, RETURN])
        .ops(runtime)
        .finish()
}

#[cfg(test)]
mod tests {
    use revm::bytecode::opcode::{PUSH2, PUSH8};

    use super::*;

    #[test]
    fn pushes_take_as_few_bytes_as_the_number_needs() {
        let check = |number, expected: &[u8]| assert_eq!(Assembler::new().push(number).finish().as_ref(), expected);
        check(0, &[PUSH1, 0]);
        check(1, &[PUSH1, 1]);
        check(255, &[PUSH1, 255]);
        check(256, &[PUSH2, 1, 0]);
        check(u64::MAX, &[PUSH8, 255, 255, 255, 255, 255, 255, 255, 255]);
    }
}
