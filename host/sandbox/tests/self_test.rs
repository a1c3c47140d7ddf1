//! The guests of the self-test, and the self-test itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path};

use refiner_sandbox::{Allocation, EngineProfile, Sandbox};
use refiner_testruns::component;

/// `REFINER_BLESS=1 cargo test -p refiner-sandbox` writes the components anew.
#[test]
fn guests_of_the_self_test_are_what_their_text_says() {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests");
    for name in ["spin", "grow"] {
        let assembled = component(&fs::read_to_string(guests.join(name).with_extension("wat")).unwrap());
        let committed = guests.join(name).with_extension("wasm");
        if std::env::var_os("REFINER_BLESS").is_some() {
            fs::write(&committed, &assembled).unwrap();
        }
        assert!(fs::read(&committed).unwrap() == assembled, "{name}.wasm differs from {name}.wat");
    }
}

#[test]
fn self_test_passes_however_instances_get_their_memory() {
    for allocation in [Allocation::Pooled, Allocation::OnDemand] {
        Sandbox::new(EngineProfile::with_allocation(allocation)).unwrap().self_test().unwrap();
    }
}
