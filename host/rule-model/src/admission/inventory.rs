//! The instances that a component makes when it is instantiated, those of nested components multiplied out.
//!
//! Sixteen nested components, each within another, can make thousands of instances. The engine's pool refuses them when it compiles and an
//! engine without a pool when it runs, so they are counted here, before either.

use wasmparser::{
    ComponentAlias, ComponentExport, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, Instance,
};

/// Bytes that the host keeps for a global, in each instance of its module.
const GLOBAL_BYTES: u64 = 16;
/// Bytes that the host keeps for an element of a passive segment, or for the segment, in each instance of its module.
const PASSIVE_ELEMENT_BYTES: u64 = 16;
/// Bytes that the host keeps for a function, defined or imported, in each instance of its module.
const FUNCTION_BYTES: u64 = 32;
/// Bytes that the host keeps for a function of a component, in each instance of it.
const COMPONENT_FUNCTION_BYTES: u64 = 64;

/// What one instance of a module or a component takes, the instances in it included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) core_instances: u64,
    pub(super) memories: u64,
    pub(super) tables: u64,
    pub(super) passive_elements: u64,
    /// Memory that the host holds beside linear memories and tables.
    pub(super) state_bytes: u64,
}

impl Totals {
    fn add(&mut self, other: Self) {
        for (mine, theirs) in [
            (&mut self.core_instances, other.core_instances),
            (&mut self.memories, other.memories),
            (&mut self.tables, other.tables),
            (&mut self.passive_elements, other.passive_elements),
            (&mut self.state_bytes, other.state_bytes),
        ] {
            *mine = mine.saturating_add(theirs);
        }
    }
}

/// The modules and components that are open where the scan is, the outermost first.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    open: Vec<Level>,
    root: Totals,
}

/// One module or component with what was defined in it so far, by index.
#[derive(Debug, Default)]
struct Level {
    is_module: bool,
    own: Totals,
    modules: Vec<Totals>,
    components: Vec<Totals>,
}

impl Inventory {
    pub(super) fn begin(&mut self, is_module: bool) {
        self.open.push(Level { is_module, ..Level::default() });
    }

    /// Closes what was opened last, which gets the next index of what is around it.
    pub(super) fn end(&mut self) {
        let Some(Level { is_module, own, .. }) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(around) if is_module => around.modules.push(own),
            Some(around) => around.components.push(own),
            None => self.root = own,
        }
    }

    /// One instance of the whole, once all of it is read.
    pub(super) const fn totals(&self) -> Totals {
        self.root
    }

    pub(super) fn memories(&mut self, count: u32) {
        self.own(|own| own.memories = own.memories.saturating_add(count.into()));
    }

    pub(super) fn tables(&mut self, count: u32) {
        self.own(|own| own.tables = own.tables.saturating_add(count.into()));
    }

    pub(super) fn globals(&mut self, count: u32) {
        self.state(count, GLOBAL_BYTES);
    }

    pub(super) fn passive_elements(&mut self, count: u32) {
        self.own(|own| own.passive_elements = own.passive_elements.saturating_add(count.into()));
        self.state(count, PASSIVE_ELEMENT_BYTES);
    }

    /// Functions of a module, or its imports, most of which are functions.
    pub(super) fn functions(&mut self, count: u32) {
        self.state(count, FUNCTION_BYTES);
    }

    pub(super) fn component_functions(&mut self, count: u32) {
        self.state(count, COMPONENT_FUNCTION_BYTES);
    }

    pub(super) fn core_instance(&mut self, instance: &Instance<'_>) {
        let Instance::Instantiate { module_index, .. } = instance else { return };
        let module = self.open.last().and_then(|level| level.modules.get(*module_index as usize));
        let mut made = module.copied().unwrap_or_default();
        made.core_instances = made.core_instances.saturating_add(1);
        self.own(|own| own.add(made));
    }

    pub(super) fn component_instance(&mut self, instance: &ComponentInstance<'_>) {
        let ComponentInstance::Instantiate { component_index, .. } = instance else { return };
        let component = self.open.last().and_then(|level| level.components.get(*component_index as usize));
        let made = component.copied().unwrap_or_default();
        self.own(|own| own.add(made));
    }

    /// A module or component of one around this one gets an index here. An index that is not there is the compiler's to refuse.
    pub(super) fn alias(&mut self, alias: &ComponentAlias<'_>) {
        let ComponentAlias::Outer { kind, count, index } = *alias else { return };
        let around = self.open.iter().rev().nth(count as usize);
        let found = |of: fn(&Level) -> &Vec<Totals>| around.and_then(|level| of(level).get(index as usize)).copied();
        match kind {
            ComponentOuterAliasKind::CoreModule => {
                let module = found(|level| &level.modules).unwrap_or_default();
                self.level(|level| level.modules.push(module));
            }
            ComponentOuterAliasKind::Component => {
                let component = found(|level| &level.components).unwrap_or_default();
                self.level(|level| level.components.push(component));
            }
            ComponentOuterAliasKind::CoreType | ComponentOuterAliasKind::Type => {}
        }
    }

    /// What is exported gets an index of its own once more.
    pub(super) fn export(&mut self, export: &ComponentExport<'_>) {
        let index = export.index as usize;
        self.level(|level| {
            let list = match export.kind {
                ComponentExternalKind::Module => &mut level.modules,
                ComponentExternalKind::Component => &mut level.components,
                _ => return,
            };
            let same = list.get(index).copied().unwrap_or_default();
            list.push(same);
        });
    }

    fn state(&mut self, count: u32, each_bytes: u64) {
        let bytes = u64::from(count).saturating_mul(each_bytes);
        self.own(|own| own.state_bytes = own.state_bytes.saturating_add(bytes));
    }

    fn own(&mut self, change: impl FnOnce(&mut Totals)) {
        self.level(|level| change(&mut level.own));
    }

    fn level(&mut self, change: impl FnOnce(&mut Level)) {
        if let Some(level) = self.open.last_mut() {
            change(level);
        }
    }
}
