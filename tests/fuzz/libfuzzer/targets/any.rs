//! One program for every target, chosen by the environment: `cargo xtask fuzz` sets it.
#![no_main]

use std::{env, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use refiner_fuzz::{TARGET_VARIABLE, Target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = env::var(TARGET_VARIABLE).expect("cargo xtask fuzz names the target in the environment");
    Target::named(&name).expect("a target of this name")
});

fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
