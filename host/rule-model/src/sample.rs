//! Samples of a run's fuel: the functions that a rule is in when it has used so much.

use refiner_text::UntrustedText;

/// Most functions of a sample: the innermost. Deeper stacks have their outermost left out.
pub const SAMPLE_FRAMES_MAX: usize = 128;
/// Most bytes of a function's name: mangled names can have any length.
pub const FUNCTION_NAME_BYTES_MAX: usize = 256;

/// Fuel of a run by what it was spent on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuelParts {
    /// Operators of the rule's own code.
    pub code: u64,
    /// Calls to the host, and what crosses the boundary in them.
    pub calls: u64,
}

impl FuelParts {
    /// The sum of both parts.
    pub const fn sum(self) -> u64 {
        self.code.saturating_add(self.calls)
    }
}

/// A function of a rule, as its component names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Function {
    /// By its name, demangled where it is a name of Rust.
    Named(UntrustedText),
    /// By its number in its module, where the component has no names.
    Numbered(u32),
}

/// The place at which a run was stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FuelSample {
    /// Fuel used until then; that of the whole run where it ended before.
    pub used: FuelParts,
    /// The functions that the rule was in, the innermost first. None where it had ended, or was after its last call and loop.
    pub functions: Vec<Function>,
    /// The stack was deeper than [`SAMPLE_FRAMES_MAX`].
    pub is_cut: bool,
    /// The function of the host that was called, where that used up the fuel.
    pub call: Option<UntrustedText>,
}
