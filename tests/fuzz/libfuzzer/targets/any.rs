//! One program for every target, chosen by the environment: `cargo xtask fuzz` sets it.
#![no_main]

use std::{env, path::Path, process, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use refiner_fuzz::{SEEDS_VARIABLE, TARGET_VARIABLE, Target, write_seeds};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = env::var(TARGET_VARIABLE).expect("cargo xtask fuzz names the target in the environment");
    Target::named(&name).expect("a target of this name")
});

/// Writes the seeds where that is all that is asked for. This program does it because another one would be a second build.
fn seeds() {
    let Some(directory) = env::var_os(SEEDS_VARIABLE) else { return };
    print!("{}", write_seeds(Path::new(&directory)).expect("the seeds are written"));
    process::exit(0);
}

fuzz_target!(init: seeds(), |bytes: &[u8]| (TARGET.run)(bytes));
