//! Runs rules, WebAssembly components that nobody trusts, and turns each run into a verdict.
