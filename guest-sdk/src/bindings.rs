//! Bindings that `wit-bindgen` makes of the contract in `wit/refiner-rule-1`, and nothing else.
#![allow(unsafe_code, missing_docs, clippy::all, clippy::pedantic, reason = "generated code")]

// One binding serves every world: a component imports only what its code calls, so a rule that never executes the
// block does not import `evm`.
wit_bindgen::generate!({
    path: "../wit/refiner-rule-1",
    world: "analyze",
    runtime_path: "::refiner_sdk::__private::wit_bindgen::rt",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "::refiner_sdk::__private::bindings",
    additional_derives: [PartialEq, Eq],
    generate_unused_types: true,
    with: {
        "refiner:rule/types@1.1.0/b256": crate::B256,
        "refiner:rule/types@1.1.0/u256": crate::U256,
        "refiner:rule/types@1.1.0/address": crate::Address,
    },
});
