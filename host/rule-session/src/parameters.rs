//! Parameters that built-in rules read, so that one that nothing reads is refused.

use refiner_evm::ResultFormat;
use refiner_rule_model::Params;

/// The name of each built-in rule that reads parameters, and theirs.
const READ: [(&str, &[&str]); 4] = [
    ("block-result", &[FORMAT]),
    ("opcode-gas", &["per", "system"]),
    ("token-transfers", &["wrapped-ether"]),
    ("traces", &["payload", "system"]),
];
/// The parameter that `--format` sets for every rule, whether or not it reads it.
const FORMAT: &str = "format";

/// True for a built-in rule that with these parameters asks for the canonical result of a block.
pub(crate) fn asks_for_canonical(rule: &str, params: &Params) -> bool {
    let canonical = ResultFormat::Canonical.to_string();
    rule == "block-result" && params.get(FORMAT).is_none_or(|format| format == canonical)
}

/// The first parameter that no rule reads. What a stranger's rule reads is not known: it may read anything.
pub(crate) fn unread<'a>(params: &'a Params, rules: &[&str], is_stranger: impl Fn(&str) -> bool) -> Option<&'a str> {
    let reads = |rule: &str, name: &str| {
        is_stranger(rule) || READ.iter().any(|(reader, names)| *reader == rule && names.contains(&name))
    };
    let is_read = |name: &str| match name.split_once(':').filter(|(rule, _)| rules.contains(rule)) {
        Some((rule, own)) => reads(rule, own),
        None => name == FORMAT || rules.iter().any(|rule| reads(rule, name)),
    };
    params.iter().map(|(name, _)| name).find(|name| !is_read(name))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use super::*;

    fn params(names: &[&str]) -> Params {
        names.iter().map(|name| (*name, "")).collect()
    }

    #[test]
    fn names_are_those_that_the_rules_of_this_repository_ask_for() {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
        let mut found = BTreeMap::<String, Vec<String>>::new();
        for rule in fs::read_dir(rules).unwrap().map(Result::unwrap) {
            let Ok(sources) = fs::read_dir(rule.path().join("src")) else { continue };
            for source in sources.map(|source| source.unwrap().path()).filter(|source| source.is_file()) {
                let text = fs::read_to_string(source).unwrap();
                let asked = text.split("params::get(\"").skip(1).filter_map(|rest| rest.split_once('"'));
                let name = rule.file_name().into_string().unwrap();
                found.entry(name).or_default().extend(asked.map(|(name, _)| name.to_owned()));
            }
        }
        found.retain(|_, names| !names.is_empty());
        let read = READ.map(|(rule, names)| (rule.to_owned(), names.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(found, BTreeMap::from(read));
    }

    #[test]
    fn parameter_is_read_by_the_rule_it_is_for_or_by_one_of_all() {
        let ours = |rule: &str| rule == "theirs";
        let both = ["logs", "token-transfers"];
        for (name, is_read) in [
            ("wrapped-ether", true),
            ("token-transfers:wrapped-ether", true),
            ("format", true),
            ("logs:wrapped-ether", false),
            ("logs:format", false),
            ("wrapped", false),
            ("ether", false),
            ("traces:payload", false),
            ("payload", false),
            ("", false),
        ] {
            assert_eq!(unread(&params(&[name]), &both, ours), (!is_read).then_some(name), "{name}");
        }
        assert_eq!(unread(&params(&["anything", "theirs:own"]), &["logs", "theirs"], ours), None);
        assert_eq!(unread(&params(&["logs:own"]), &["logs", "theirs"], ours), Some("logs:own"));
    }
}
