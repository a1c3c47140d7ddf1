//! A core module of Go, and what stands for WASI, to a component.

use std::error::Error;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve, SourceMap};

use crate::sdk;

/// The module that stands for WASI, compiled from `stub/preview1.wat`.
const STUB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/preview1.wasm"));

/// The name by which Go's modules import WASI.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// The contract's files among the SDK's.
const CONTRACT: &str = "guest-sdk/go/wit/";

/// The world with everything. A component imports what its module calls.
const WORLD: &str = "transform-with-evm";

/// The world of the stub.
const STUB_WORLD: &str = "package refiner:stub; world stub { import refiner:rule/log@1.0.0; }";

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
    encode(core, adapter).map_err(|error| NoGoComponent(error.into()))
}

fn encode(core: &[u8], adapter: Option<&[u8]>) -> anyhow::Result<Vec<u8>> {
    let (mut resolve, contract) = contract()?;
    let world = resolve.select_world(&[contract], Some(WORLD))?;
    let mut core = core.to_vec();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)?;
    let mut stub = STUB.to_vec();
    let stub = match adapter {
        Some(adapter) => adapter,
        None => {
            let package = resolve.push_source("stub.wit", STUB_WORLD)?;
            let world = resolve.select_world(&[package], None)?;
            embed_component_metadata(&mut stub, &resolve, world, StringEncoding::UTF8)?;
            &stub
        }
    };
    ComponentEncoder::default().validate(true).module(&core)?.adapter(PREVIEW1, stub)?.encode()
}

fn contract() -> anyhow::Result<(Resolve, PackageId)> {
    let mut sources = SourceMap::default();
    for (name, text) in sdk::FILES.iter().filter(|(name, _)| name.starts_with(CONTRACT)) {
        sources.push_str(name, *text);
    }
    let mut resolve = Resolve::default();
    let group = sources.parse().map_err(|(_, error)| anyhow::Error::from(error))?;
    let package = resolve.push_group(group)?;
    Ok((resolve, package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contract_of_the_go_sdk_has_its_world_and_the_stub_imports_nothing_but_the_log() {
        let (resolve, package) = contract().expect("a contract");
        resolve.select_world(&[package], Some(WORLD)).expect("the world");
        let imports: Vec<_> = wasmparser::Parser::new(0)
            .parse_all(STUB)
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
