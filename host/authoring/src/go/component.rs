//! A core module of Go, and what stands for WASI, to a component.

use std::error::Error;

use crate::stubbed::Surroundings;

const SURROUNDINGS: Surroundings = Surroundings {
    contract: "guest-sdk/go/wit/",
    world: "transform-with-evm",
    version: "1.0.0",
    stub: include_bytes!(concat!(env!("OUT_DIR"), "/preview1.wasm")),
};

/// A module of Go that is no rule.
#[derive(Debug, thiserror::Error)]
#[error("what Go built is no rule")]
pub struct NoGoComponent(#[source] Box<dyn Error + Send + Sync>);

/// The component of a module that was built with the SDK.
pub fn component(core: &[u8]) -> Result<Vec<u8>, NoGoComponent> {
    component_with_adapter(core, None)
}

/// The same with an adapter of WASI in place of the stub.
pub fn component_with_adapter(core: &[u8], adapter: Option<&[u8]>) -> Result<Vec<u8>, NoGoComponent> {
    SURROUNDINGS.encode(core, adapter).map_err(|error| NoGoComponent(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contract_of_the_go_sdk_has_its_world_and_the_stub_imports_nothing_but_the_log() {
        let (resolve, package) = SURROUNDINGS.resolved().expect("a contract");
        resolve.select_world(&[package], Some(SURROUNDINGS.world)).expect("the world");
        let imports: Vec<_> = wasmparser::Parser::new(0)
            .parse_all(SURROUNDINGS.stub)
            .filter_map(|payload| match payload.expect("a module") {
                wasmparser::Payload::ImportSection(section) => Some(section),
                _ => None,
            })
            .flat_map(wasmparser::SectionLimited::into_iter)
            .map(|import| format!("{:?}", import.expect("an import")))
            .collect();
        assert_eq!(imports.len(), 2, "{imports:?}");
    }

    #[test]
    fn module_that_exports_no_rule_is_refused() {
        let empty = b"\0asm\x01\0\0\0";
        let error = component(empty).expect_err("it exports nothing");
        let causes = refiner_diagnostics::ErrorChain(&error).to_string();
        assert!(causes.contains("refiner:rule/rule@1.0.0"), "{causes}");
    }
}
