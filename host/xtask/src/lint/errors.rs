//! Rules about errors: one printer of chains, no search by type, no text where a type belongs.

use std::path::Path;

/// Error types that may hold text where an enum belongs, each with its reason. At most five.
const TEXT_HOLDERS: [(&str, &str); 5] = [
    ("ManifestError", "the TOML parser's words; a rule's author reads them, and the SDK takes no dependency for them"),
    ("ReadError", "the parser's words, for the same reason"),
    ("Unsupported", "an evm-server's words, which only it can classify"),
    ("Rejected", "the EVM's words for an invalid transaction"),
    ("ReplicaError", "the JSON parser's words; it is compared and cloned, and the parser's error is neither"),
];

/// Fields and variants whose text is a name, a value or a digest of somebody's, which no enum can list.
const DATA: [&str; 39] = [
    "argument",
    "command",
    "digest",
    "field",
    "file",
    "filter",
    "findings",
    "found",
    "fragment",
    "have",
    "key",
    "locked",
    "meant",
    "name",
    "origin",
    "package",
    "path",
    "pattern",
    "pinned",
    "proxy",
    "reference",
    "rule",
    "scheme",
    "server",
    "source_name",
    "stated",
    "target",
    "text",
    "unpinned",
    "value",
    "wanted",
    "BuiltIn",
    "Form",
    "Missing",
    "NoMatch",
    "SameName",
    "Taken",
    "Unknown",
    "UnknownForce",
];

/// Attributes and calls that search an error by type or print a chain; written in parts, so that this file may name them.
const SEARCH: &str = concat!("downcast", "_ref");
const NEXT_CAUSE: &str = concat!(".sour", "ce()");
const ALTERNATE: &str = concat!("error:", "#}");
/// A line feed as source text has it.
const LINE_FEED: &str = r"\n";
/// The home of the one printer.
const PRINTER: &str = "host/diagnostics";
/// Its errors have no causes, and receipts of the contract have a source.
const SDK: &str = "guest-sdk/src";

/// Ways to end the process in place of an error. `unwrap` is clippy's, and what cannot happen is `unreachable!` with its reason.
const PANICS: [&str; 2] = [concat!(".exp", "ect(\""), concat!("pan", "ic!(")];
/// Where they are allowed beside tests: tasks of developers.
const MAY_PANIC: &str = "host/xtask";
/// The folder of measurements in a crate, which stop at what they did not expect.
const BENCHES: &str = "benches";

/// The offences against the rules in one file of production code, a sentence each.
pub fn offences_of(file: &Path, text: &str) -> Vec<String> {
    if file.components().any(|part| part.as_os_str() == "tests") {
        return Vec::new();
    }
    let production: Vec<_> = text.lines().take_while(|line| *line != "#[cfg(test)]").collect();
    let mut offences = Vec::new();
    for (number, line) in (1..).zip(&production) {
        if line.contains(SEARCH) {
            offences.push(format!("line {number} searches an error by its type"));
        }
        if (line.contains(NEXT_CAUSE) || line.contains(ALTERNATE))
            && !file.starts_with(PRINTER)
            && !file.starts_with(SDK)
        {
            offences.push(format!("line {number} walks an error's causes: `ErrorChain` and `causes` of {PRINTER} do"));
        }
        let is_bench = file.components().any(|part| part.as_os_str() == BENCHES);
        let is_code =
            file.starts_with("host") && !is_bench && !file.starts_with(MAY_PANIC) && !file.ends_with("tests.rs");
        if is_code && !line.trim_start().starts_with("//") && PANICS.iter().any(|panics| line.contains(panics)) {
            offences.push(format!("line {number} panics: return an error, or `unreachable!` with the reason"));
        }
        if is_bare_headline(line) {
            offences.push(format!("line {number} has an error headline without a fact: {}", line.trim()));
        }
        if line.trim_start().starts_with("#[error(\"") && line.contains(LINE_FEED) {
            offences.push(format!("line {number} has an error of two lines, which `ErrorChain` prints as one"));
        }
    }
    let holders = text_holders(&production);
    let listed = |holder: &str| TEXT_HOLDERS.iter().any(|(listed, _)| *listed == holder);
    offences.extend(
        holders
            .into_iter()
            .filter(|(holder, _)| !listed(holder))
            .map(|(holder, field)| format!("holds text where a type belongs: {holder}, {field}")),
    );
    offences.extend(wildcards(&production).map(|number| format!("line {number}: a wildcard in an `impl Diagnostic`")));
    offences
}

/// `#[error("{path}")]`: a name, and not what happened to it.
fn is_bare_headline(line: &str) -> bool {
    let headline = line.trim().strip_prefix("#[error(\"{").and_then(|rest| rest.strip_suffix("}\")]"));
    headline
        .is_some_and(|name| name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.contains(['{', '}']))
}

/// Error types with a field of text that is no data, and the field.
fn text_holders<'t>(lines: &[&'t str]) -> Vec<(&'t str, &'t str)> {
    let mut holders = Vec::new();
    for (position, line) in lines.iter().enumerate() {
        if !(line.starts_with("#[derive(") && line.contains("Error")) {
            continue;
        }
        let Some(start) = lines[position..].iter().position(|line| line.contains("enum ") || line.contains("struct "))
        else {
            continue;
        };
        let body = &lines[position + start..];
        let name =
            body[0].split([' ', '(', '{', '<', ';']).skip_while(|word| !matches!(*word, "enum" | "struct")).nth(1);
        let length = if body[0].ends_with(';') { 1 } else { body.iter().position(|line| *line == "}").unwrap_or(1) };
        let field = body[..length].iter().filter_map(|line| text_field(line)).find(|field| !DATA.contains(field));
        holders.extend(name.zip(field));
    }
    holders
}

/// The name of a field or variant that holds text.
fn text_field(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches("pub ").trim_end_matches([',', ';']);
    let (name, of) = line.split_once(": ").or_else(|| line.strip_suffix(')')?.split_once('('))?;
    // `struct Name(String)` and `Variant(String)`.
    let name = name.rsplit(' ').next()?;
    let is_name = name.chars().all(|character| character.is_alphanumeric() || character == '_');
    (is_name && matches!(of, "String" | "Vec<String>" | "Option<String>" | "Box<str>")).then_some(name)
}

/// Lines with a wildcard within an `impl Diagnostic`.
fn wildcards(lines: &[&str]) -> impl Iterator<Item = usize> {
    let mut inside = false;
    (1..).zip(lines).filter_map(move |(number, line)| {
        inside = line.starts_with("impl Diagnostic for ") || inside && *line != "}";
        (inside && line.trim_start().starts_with("_ =>")).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let offences = offences_of(Path::new("host/evm/src/a.rs"), text);
        assert_eq!(offences.len(), expected.len(), "{offences:?}");
        for (offence, expected) in offences.iter().zip(expected) {
            assert!(offence.contains(expected), "{offence}");
        }
    }

    #[test]
    fn error_is_not_searched_by_its_type() {
        check(&format!("if let Some(io) = error.{SEARCH}::<io::Error>() {{"), &["line 1 searches"]);
        check(&format!("#[cfg(test)]\nerror.{SEARCH}()"), &[]);
    }

    #[test]
    fn causes_are_walked_in_one_place() {
        check(&format!("cause = error{NEXT_CAUSE};"), &["walks an error's causes"]);
        check(&format!("format!(\"{{{ALTERNATE}\")"), &["walks an error's causes"]);
        let printer = offences_of(Path::new("host/diagnostics/src/chain.rs"), &format!("error{NEXT_CAUSE}"));
        assert!(printer.is_empty(), "{printer:?}");
    }

    #[test]
    fn production_code_does_not_panic() {
        for panics in PANICS {
            check(&format!("    let a = b{panics}c\");"), &["line 1 panics"]);
            check(&format!("/// let a = b{panics}c\");\n#[cfg(test)]\nlet a = b{panics}c\");"), &[]);
            let of_tests = offences_of(Path::new("host/worker/src/protocol/tests.rs"), panics);
            assert!(of_tests.is_empty(), "{of_tests:?}");
        }
        check("self.expect(MAP, \"a map\")", &[]);
    }

    #[test]
    fn headline_carries_a_fact() {
        check("    #[error(\"{path}\")]", &["without a fact"]);
        check("    #[error(\"{path}: {source}\")]\n    #[error(\"{0}\")]\n    #[error(transparent)]", &[]);
    }

    #[test]
    fn error_has_one_line() {
        check(r#"    #[error("{status} from\n{command}")]"#, &["an error of two lines"]);
        check(r#"    write!(f, "{status} from\n{command}")"#, &[]);
    }

    #[test]
    fn error_types_hold_no_text_but_data() {
        let holder = |field: &str| {
            format!("#[derive(Debug, thiserror::Error)]\npub enum Lost {{\n    A {{\n{field}\n    }},\n}}")
        };
        check(&holder("        reason: String,"), &["Lost, reason"]);
        check(&holder("        name: String,"), &[]);
        check("#[derive(Debug, thiserror::Error)]\n#[error(\"x\")]\npub struct Lost(String);", &["Lost, Lost"]);
        check(
            "#[derive(Debug, thiserror::Error)]\npub enum Lost {\n    Prose(String),\n    Missing(String),\n}",
            &["Lost, Prose"],
        );
        check("#[derive(Debug)]\npub struct Fine {\n    reason: String,\n}", &[]);
        check("#[derive(Debug, thiserror::Error)]\npub enum Rejected {\n    A { },\n    reason: String,\n}", &[]);
    }

    #[test]
    fn diagnostics_are_exhaustive() {
        let matched = "impl Diagnostic for Lost {\n    fn hint(&self) {\n        match self {\n            _ => None,\n        }\n    }\n}\n";
        check(matched, &["line 4: a wildcard"]);
        check(&matched.replace("Diagnostic", "Display"), &[]);
    }
}
