//! Analysed bytecode, kept across blocks.

/// Analysed bytecode by code hash, bounded by bytes and shared by every block.
#[derive(Debug, Default)]
pub(crate) struct CodeCache;
