//! What the scan counts, and how much of each is allowed.

use std::fmt;

use crate::Limit;

/// Core instances, as a number for the engine's pool too.
pub const CORE_INSTANCES_MAX: u32 = 64;
/// Linear memories, as a number for the engine's pool too.
pub const MEMORIES_MAX: u32 = 16;
/// Tables, as a number for the engine's pool too.
pub const TABLES_MAX: u32 = 32;
/// Elements of one table: large language runtimes have some 20,000.
pub const TABLE_ELEMENTS_MAX: usize = 100_000;

/// Bytes that the host keeps for one instance of the largest module or component that is admitted, and some more.
pub const INSTANCE_STATE_BYTES_MAX: usize = 8 << 20;
/// Bytes of a page of linear memory.
const WASM_PAGE_BYTES: u64 = 64 << 10;

/// The things that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScanLimit {
    /// Components and modules within each other.
    Depth,
    /// Sections and function bodies of the whole file.
    Parts,
    /// Instances of core modules, as written.
    CoreInstances,
    /// Instances of nested components, as written.
    ComponentInstances,
    /// Functions with a body, of all modules.
    Functions,
    /// Bytes of the largest function.
    FunctionBytes,
    /// Locals of one function.
    Locals,
    /// Memories, imported ones apart.
    Memories,
    /// Tables, imported ones apart.
    Tables,
    /// Elements a table starts with.
    TableElements,
    /// Pages a memory starts with.
    MemoryPages,
    /// Globals of all modules, imported ones apart.
    Globals,
    /// Elements of segments that initialise no table, and these segments, of all modules.
    PassiveElements,
    /// Imports of all modules.
    CoreImports,
    /// Functions that components make of those of their modules, and the other way round.
    ComponentFunctions,
    /// Modules and components as they are written, each time they are named.
    Definitions,
}

impl ScanLimit {
    /// Every limit of the scan, in order.
    pub const ALL: [Self; 16] = [
        Self::Depth,
        Self::Parts,
        Self::CoreInstances,
        Self::ComponentInstances,
        Self::Functions,
        Self::FunctionBytes,
        Self::Locals,
        Self::Memories,
        Self::Tables,
        Self::TableElements,
        Self::MemoryPages,
        Self::Globals,
        Self::PassiveElements,
        Self::CoreImports,
        Self::ComponentFunctions,
        Self::Definitions,
    ];

    /// The number that is allowed.
    pub const fn allowed(self) -> u64 {
        match self {
            // Toolchains need three: the component, its adapters, their modules.
            Self::Depth => 6,
            Self::Parts => 200_000,
            Self::CoreInstances => CORE_INSTANCES_MAX as u64,
            // Toolchains write one an exported interface. Sixteen, each within another, come to a few hundred at most.
            Self::ComponentInstances => 16,
            Self::Functions => 50_000,
            Self::FunctionBytes => 1 << 20,
            // A call sets each to nought, and its price covers so many; large language runtimes have 300.
            Self::Locals => 1_000,
            Self::Memories => MEMORIES_MAX as u64,
            Self::Tables => TABLES_MAX as u64,
            Self::TableElements => TABLE_ELEMENTS_MAX as u64,
            Self::MemoryPages => Limit::MemoryBytes.spec().cap / WASM_PAGE_BYTES,
            // The host keeps memory for each, in each instance. Linked runtimes of languages have some thousands.
            Self::Globals | Self::PassiveElements | Self::CoreImports => 50_000,
            // Toolchains write a few hundred.
            Self::ComponentFunctions => 10_000,
            Self::Definitions => 1_000,
        }
    }
}

impl fmt::Display for ScanLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Depth => "levels of nesting",
            Self::Parts => "sections and function bodies",
            Self::CoreInstances => "core instances",
            Self::ComponentInstances => "component instances",
            Self::Functions => "functions",
            Self::FunctionBytes => "bytes of one function",
            Self::Locals => "locals of one function",
            Self::Memories => "memories",
            Self::Tables => "tables",
            Self::TableElements => "elements of one table",
            Self::MemoryPages => "pages of one memory",
            Self::Globals => "globals",
            Self::PassiveElements => "elements of passive segments",
            Self::CoreImports => "imports of modules",
            Self::ComponentFunctions => "functions of components",
            Self::Definitions => "modules and components",
        })
    }
}
