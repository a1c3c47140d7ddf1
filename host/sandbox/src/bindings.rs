//! The contract of `wit/refiner-rule-1`, as Rust.
#![allow(missing_docs, clippy::all, unused_qualifications)]

wasmtime::component::bindgen!({
    path: "../../wit/refiner-rule-1",
    world: "transform-with-evm",
    imports: { default: trappable },
    with: {
        "refiner:rule/specimen.block-specimen": crate::host::BlockSpecimen,
        "refiner:rule/evm.execution": crate::host::ExecutionHandle,
        "refiner:rule/output.artifact": crate::host::ArtifactHandle,
    },
});
