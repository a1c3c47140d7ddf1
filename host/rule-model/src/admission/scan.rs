//! The scan before compilation: counts what makes a compiler slow or large, without building anything.
//!
//! A component of 640 bytes can cost a compiler gigabytes, because nested components may instantiate each other many times
//! over. What is counted here bounds that; the compiler's own validation decides whether the rest is well-formed.

use std::fmt;

use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, FunctionBody, Instance, Parser, Payload, SectionLimited,
};

use super::{
    asynchronous,
    error::AdmissionError,
    found::Found,
    inventory::{Inventory, Totals},
};
use crate::{Limit, UntrustedText};

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
    /// Imports of all modules.
    CoreImports,
    /// Functions that components make of those of their modules, and the other way round.
    ComponentFunctions,
    /// Modules and components as they are written, each time they are named.
    Definitions,
}

impl ScanLimit {
    /// Every limit of the scan, in order.
    pub const ALL: [Self; 15] = [
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
            Self::Globals | Self::CoreImports => 50_000,
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
            Self::CoreImports => "imports of modules",
            Self::ComponentFunctions => "functions of components",
            Self::Definitions => "modules and components",
        })
    }
}

/// Imports and exports of the outermost component.
#[derive(Debug, Default)]
pub(crate) struct Surface<'a> {
    pub(crate) imports: Vec<&'a str>,
    pub(crate) exports: Vec<&'a str>,
    /// Memory that the host holds for an instance, beside linear memories and tables.
    pub(crate) state_bytes: u64,
}

/// Reads every section of the component once.
pub(crate) fn scan(bytes: &[u8]) -> Result<Surface<'_>, AdmissionError> {
    if !Parser::is_component(bytes) {
        return Err(AdmissionError::NotAComponent { found: Found::of(bytes) });
    }
    let mut scan = Scan::default();
    for payload in Parser::new(0).parse_all(bytes) {
        scan.read(payload?)?;
    }
    scan.finish()
}

#[derive(Default)]
struct Scan<'a> {
    surface: Surface<'a>,
    depth: u64,
    parts: u64,
    core_instances: u64,
    component_instances: u64,
    functions: u64,
    memories: u64,
    tables: u64,
    globals: u64,
    core_imports: u64,
    component_functions: u64,
    definitions: u64,
    inventory: Inventory,
}

/// Adds to a count and refuses past its limit.
fn count(counter: &mut u64, more: u64, limit: ScanLimit) -> Result<(), AdmissionError> {
    *counter = counter.saturating_add(more);
    within(*counter, limit)
}

fn within(found: u64, limit: ScanLimit) -> Result<(), AdmissionError> {
    if found > limit.allowed() { Err(AdmissionError::TooMuch { limit, found }) } else { Ok(()) }
}

impl<'a> Scan<'a> {
    fn read(&mut self, payload: Payload<'a>) -> Result<(), AdmissionError> {
        count(&mut self.parts, 1, ScanLimit::Parts)?;
        match payload {
            Payload::Version { encoding, .. } => {
                count(&mut self.depth, 1, ScanLimit::Depth)?;
                self.inventory.begin(encoding == Encoding::Module);
                count(&mut self.definitions, 1, ScanLimit::Definitions)
            }
            Payload::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                self.inventory.end();
                Ok(())
            }
            Payload::ComponentAliasSection(section) => section.into_iter().try_for_each(|alias| self.alias(&alias?)),
            Payload::ComponentCanonicalSection(section) => {
                section.clone().into_iter().try_for_each(|function| asynchronous::refuse(&function?))?;
                self.inventory.component_functions(section.count());
                count(&mut self.component_functions, section.count().into(), ScanLimit::ComponentFunctions)
            }
            Payload::ImportSection(section) => {
                self.inventory.functions(section.count());
                count(&mut self.core_imports, section.count().into(), ScanLimit::CoreImports)
            }
            Payload::GlobalSection(section) => {
                self.inventory.globals(section.count());
                count(&mut self.globals, section.count().into(), ScanLimit::Globals)
            }
            Payload::InstanceSection(section) => self.core_instances(section),
            Payload::ComponentInstanceSection(section) => self.component_instances(section),
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import?;
                    self.import(import.name.name, import.ty)?;
                }
                Ok(())
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    if self.depth == 1 {
                        self.surface.exports.push(export.name.name);
                    }
                    if matches!(export.kind, ComponentExternalKind::Module | ComponentExternalKind::Component) {
                        count(&mut self.definitions, 1, ScanLimit::Definitions)?;
                    }
                    self.inventory.export(&export);
                }
                Ok(())
            }
            Payload::MemorySection(section) => {
                self.inventory.memories(section.count());
                count(&mut self.memories, u64::from(section.count()), ScanLimit::Memories)?;
                section.into_iter().try_for_each(|memory| within(memory?.initial, ScanLimit::MemoryPages))
            }
            Payload::TableSection(section) => {
                self.inventory.tables(section.count());
                count(&mut self.tables, u64::from(section.count()), ScanLimit::Tables)?;
                for table in section {
                    within(table?.ty.initial, ScanLimit::TableElements)?;
                }
                Ok(())
            }
            Payload::CodeSectionStart { count: bodies, .. } => {
                self.inventory.functions(bodies);
                count(&mut self.functions, u64::from(bodies), ScanLimit::Functions)
            }
            Payload::CodeSectionEntry(body) => function(&body),
            _ => Ok(()),
        }
    }

    fn core_instances(&mut self, section: SectionLimited<'a, Instance<'a>>) -> Result<(), AdmissionError> {
        for instance in section {
            let instance = instance?;
            self.inventory.core_instance(&instance);
            if matches!(instance, Instance::Instantiate { .. }) {
                count(&mut self.core_instances, 1, ScanLimit::CoreInstances)?;
            }
        }
        Ok(())
    }

    fn component_instances(
        &mut self,
        section: SectionLimited<'a, ComponentInstance<'a>>,
    ) -> Result<(), AdmissionError> {
        for instance in section {
            let instance = instance?;
            self.inventory.component_instance(&instance);
            if matches!(instance, ComponentInstance::Instantiate { .. }) {
                count(&mut self.component_instances, 1, ScanLimit::ComponentInstances)?;
            }
        }
        Ok(())
    }

    /// The scan's result, when one instance of the whole makes no more than is allowed.
    fn finish(self) -> Result<Surface<'a>, AdmissionError> {
        let Totals { core_instances, memories, tables, state_bytes } = self.inventory.totals();
        within(core_instances, ScanLimit::CoreInstances)?;
        within(memories, ScanLimit::Memories)?;
        within(tables, ScanLimit::Tables)?;
        Ok(Surface { state_bytes, ..self.surface })
    }

    /// A component that takes a component or a module out of an instance was handed it, past all imports: the same as importing it.
    fn alias(&mut self, alias: &ComponentAlias<'a>) -> Result<(), AdmissionError> {
        match alias {
            ComponentAlias::InstanceExport {
                kind: ComponentExternalKind::Component | ComponentExternalKind::Module,
                name,
                ..
            } => return Err(imports_code(name)),
            ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::Component | ComponentOuterAliasKind::CoreModule,
                ..
            } => {
                count(&mut self.definitions, 1, ScanLimit::Definitions)?;
            }
            ComponentAlias::InstanceExport { .. }
            | ComponentAlias::CoreInstanceExport { .. }
            | ComponentAlias::Outer { .. } => {}
        }
        self.inventory.alias(alias);
        Ok(())
    }

    /// A component that is handed components can multiply its instances beyond what any count here sees.
    fn import(&mut self, name: &'a str, ty: ComponentTypeRef) -> Result<(), AdmissionError> {
        if matches!(ty, ComponentTypeRef::Component(_) | ComponentTypeRef::Module(_)) {
            return Err(imports_code(name));
        }
        if self.depth == 1 {
            self.surface.imports.push(name);
        }
        Ok(())
    }
}

fn imports_code(name: &str) -> AdmissionError {
    AdmissionError::ImportsCode { name: UntrustedText::at_most(name, super::world::NAME_BYTES_SHOWN) }
}

fn function(body: &FunctionBody<'_>) -> Result<(), AdmissionError> {
    let range = body.range();
    within(range.end.saturating_sub(range.start) as u64, ScanLimit::FunctionBytes)?;
    let mut locals = 0;
    for group in body.get_locals_reader()? {
        let (more, _) = group?;
        count(&mut locals, u64::from(more), ScanLimit::Locals)?;
    }
    Ok(())
}

impl From<BinaryReaderError> for AdmissionError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed { offset: error.offset() as u64, message: UntrustedText::new(error.message()) }
    }
}
