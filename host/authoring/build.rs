//! Passes on which machine this is built for: rustup keeps its linker in a folder of that name.
#![allow(clippy::print_stdout, reason = "cargo reads it")]

fn main() {
    let host = std::env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=REFINER_BUILT_FOR={host}");
    println!("cargo::rerun-if-changed=build.rs");
}
