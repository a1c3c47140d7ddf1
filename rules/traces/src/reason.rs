//! The text of a revert, as Solidity's `require` and `revert` encode it: `Error(string)`.

use refiner_sdk::{Frame, U256};

/// The selector of `Error(string)`.
const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
/// Bytes of a value in ABI-encoded data.
const WORD: usize = 32;

/// The text in a reverted frame's output, where there is one in UTF-8.
pub fn of(frame: &Frame) -> Option<&str> {
    frame.error.as_deref().filter(|error| *error == "execution reverted")?;
    let arguments = frame.output.strip_prefix(&ERROR)?;
    let size = |data: &[u8]| usize::try_from(U256::from_abi_word(data, 0)?.to_u64()?).ok();
    let text = arguments.get(size(arguments)?..)?;
    let bytes = text.get(WORD..)?.get(..size(text)?)?;
    std::str::from_utf8(bytes).ok()
}
