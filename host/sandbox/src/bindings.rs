//! The contract of `wit/refiner-rule-1`, as Rust.
#![allow(missing_docs, clippy::all, unused_qualifications)]

wasmtime::component::bindgen!({
    path: "../../wit/refiner-rule-1",
    world: "analyze",
    imports: { default: trappable },
    with: {
        "refiner:rule/specimen.block-specimen": crate::host::BlockSpecimen,
        "refiner:rule/evm.execution": crate::host::ExecutionHandle,
        "refiner:rule/receipts.block-receipts": crate::host::ReceiptsHandle,
        "refiner:rule/traces.frames": crate::host::FramesHandle,
        "refiner:rule/state-changes.changes": crate::host::ChangesHandle,
        "refiner:rule/gas-profile.profile": crate::host::ProfileHandle,
        "refiner:rule/what-if.overrides": crate::host::OverridesHandle,
        "refiner:rule/output.artifact": crate::host::ArtifactHandle,
    },
});
