//! What a newcomer and CI run: demo, test, rules, lint, bench.
fn main() {}
