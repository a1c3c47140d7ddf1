//! The scan before compilation: counts what makes a compiler slow or large, without building anything.
//!
//! A component of 640 bytes can cost a compiler gigabytes, because nested components may instantiate each other many times
//! over. What is counted here bounds that; the compiler's own validation decides whether the rest is well-formed.

use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Element, ElementItems, ElementKind, Encoding, FunctionBody, Instance, Parser, Payload,
    SectionLimited,
};

use super::{
    asynchronous,
    error::AdmissionError,
    found::Found,
    inventory::{Inventory, Totals},
    scan_limit::ScanLimit,
};
use crate::UntrustedText;

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
    passive_elements: u64,
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
            Payload::ElementSection(section) => section.into_iter().try_for_each(|segment| self.segment(&segment?)),
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

    /// A passive segment is in the host's memory from the first moment of an instance. Others are written to a table or dropped then, which
    /// the engine charges fuel for.
    fn segment(&mut self, segment: &Element<'_>) -> Result<(), AdmissionError> {
        if !matches!(segment.kind, ElementKind::Passive) {
            return Ok(());
        }
        let items = match &segment.items {
            ElementItems::Functions(items) => items.count(),
            ElementItems::Expressions(_, items) => items.count(),
        };
        let with_segment = items.saturating_add(1);
        self.inventory.passive_elements(with_segment);
        count(&mut self.passive_elements, with_segment.into(), ScanLimit::PassiveElements)
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
        let Totals { core_instances, memories, tables, passive_elements, state_bytes } = self.inventory.totals();
        within(core_instances, ScanLimit::CoreInstances)?;
        within(memories, ScanLimit::Memories)?;
        within(tables, ScanLimit::Tables)?;
        within(passive_elements, ScanLimit::PassiveElements)?;
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
    AdmissionError::ImportsCode { name: UntrustedText::at_most(name, crate::contract::NAME_BYTES_SHOWN) }
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
