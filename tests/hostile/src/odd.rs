//! Odd rules that come to a verdict, as files: the daemon's tests and those of other processors both take this file in.

use std::{collections::BTreeMap, fs, path::Path};

use refiner_rule_model::Limits;
use refiner_testkit::real;

use super::corpus;

/// Ends of a case that are no verdict on a specimen.
const NO_VERDICT: [&str; 2] = ["refusal", "failure"];
/// Cases that use up their fuel, of which these are played: each takes seconds.
const OUT_OF_FUEL: [&str; 2] = ["recurses-to-the-edge-for-ever", "chases-pointers"];
/// Name and version of every case, in its memory and in its manifest.
const DESCRIBED: (&str, &str) = ("case1.0.0", "name = \"case\"");

/// A component under a name of its own, since no two rules of one run share one.
fn renamed(component: &[u8], name: &str) -> Vec<u8> {
    let mut renamed = component.to_vec();
    for (from, to) in [(DESCRIBED.0, format!("{name}1.0.0")), (DESCRIBED.1, format!("name = \"{name}\""))] {
        assert_eq!(from.len(), to.len());
        let places: Vec<_> =
            component.windows(from.len()).enumerate().filter(|(_, bytes)| *bytes == from.as_bytes()).collect();
        assert!(!places.is_empty(), "no {from} in {name}");
        for (place, _) in places {
            renamed[place..place + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    renamed
}

/// Components that come to a verdict, with the case of each.
fn components() -> Vec<(String, Vec<u8>)> {
    let runs = |case: &corpus::Case| {
        let outcome = case.expected.outcome.as_str();
        let has_limits = case.limits(Limits::default()) != Limits::default();
        !NO_VERDICT.contains(&outcome)
            && !has_limits
            && (outcome != "out-of-fuel" || OUT_OF_FUEL.contains(&case.name.as_str()))
    };
    let cases = corpus::cases().into_iter().filter(runs).map(|case| (case.name.clone(), case.component()));
    let found = real::rule_cases().unwrap().unwrap_or_default().into_iter();
    // The others are refused before they run.
    let found = found.filter(|found| found.name() == "memory-fill-0" || found.name() == "code-is-free-counted");
    cases.chain(found.map(|file| (file.name(), file.bytes))).collect()
}

/// Writes every such component into a directory, and gives the case of each by the name under which it is there.
pub fn write(directory: &Path) -> BTreeMap<String, String> {
    let named = components().into_iter().enumerate().map(|(number, (case, component))| {
        let name = format!("c{number:03}");
        fs::write(directory.join(format!("{name}.wasm")), renamed(&component, &name)).unwrap();
        (name, case)
    });
    named.collect()
}
