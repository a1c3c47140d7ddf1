//! A core module whose toolchain asks for WASI, and what stands for it, to a component.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve, SourceMap};

use crate::sdk;

/// The name by which modules import WASI.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Parts that an SDK's modules are linked with.
pub struct Surroundings {
    /// Path of the contract's files among those of the SDKs.
    pub contract: &'static str,
    /// The world with everything. A component imports what its module calls.
    pub world: &'static str,
    /// The version of the contract, of which the stub imports the log.
    pub version: &'static str,
    /// The module that stands for WASI, compiled from `stub/preview1.wat`.
    pub stub: &'static [u8],
}

impl Surroundings {
    /// The component of a module that was built with the SDK, over the stub, or over an adapter of WASI in its place.
    pub fn encode(&self, core: &[u8], adapter: Option<&[u8]>) -> anyhow::Result<Vec<u8>> {
        let (mut resolve, contract) = self.resolved()?;
        let world = resolve.select_world(&[contract], Some(self.world))?;
        let mut core = core.to_vec();
        embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)?;
        let mut stub = self.stub.to_vec();
        let stub = match adapter {
            Some(adapter) => adapter,
            None => {
                let package = resolve.push_source("stub.wit", &self.world_of_the_stub())?;
                let world = resolve.select_world(&[package], None)?;
                embed_component_metadata(&mut stub, &resolve, world, StringEncoding::UTF8)?;
                &stub
            }
        };
        ComponentEncoder::default().validate(true).module(&core)?.adapter(PREVIEW1, stub)?.encode()
    }

    fn world_of_the_stub(&self) -> String {
        format!("package refiner:stub; world stub {{ import refiner:rule/log@{}; }}", self.version)
    }

    /// The contract, parsed.
    pub fn resolved(&self) -> anyhow::Result<(Resolve, PackageId)> {
        let mut sources = SourceMap::default();
        for (name, text) in sdk::FILES.iter().filter(|(name, _)| name.starts_with(self.contract)) {
            sources.push_str(name, *text);
        }
        let mut resolve = Resolve::default();
        let group = sources.parse().map_err(|(_, error)| anyhow::Error::from(error))?;
        let package = resolve.push_group(group)?;
        Ok((resolve, package))
    }
}
