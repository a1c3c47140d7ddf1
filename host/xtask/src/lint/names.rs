//! Rules about names: the terms of the glossary, and one reader of the environment.

use std::path::Path;

/// Former names of types, which `docs/glossary.md` replaced by the field's term. A new type of such a name would bring the old word back.
const FORMER: [&str; 32] = [
    "Shop",
    "Station",
    "Ahead",
    "Ledger",
    "Foresight",
    "Place",
    "Handoff",
    "Told",
    "Desk",
    "Refusal",
    "Reach",
    "Stop",
    "GuestText",
    "Source",
    "Pace",
    "Web",
    "Both",
    "Disbelief",
    "Manufactured",
    "BlockRules",
    "Gate",
    "Turn",
    "Patient",
    "Said",
    "NotAForm",
    "Misfit",
    "Unsayable",
    "Wrong",
    "Codes",
    "CodePiece",
    "Outlook",
    "Together",
];

/// Phrases of comments and texts that the glossary replaced, as words; written in parts, so that this file does not match itself.
const PHRASES: [&[&str]; 4] = [
    &["held", concat!("agai", "nst")],
    &["let", concat!("i", "n")],
    &["network", "s", concat!("rec", "ipe")],
    &["waits", "for", concat!("comp", "any")],
];

/// The one file that reads variables of the environment.
const ENVIRONMENT: &str = "host/environment/src/lib.rs";
/// Calls that read variables, in the paths by which the code has them.
const READS: [&str; 2] = [concat!("env::", "var"), concat!("env::", "home_dir")];

/// Offences of one file, with its path from the root.
pub fn offences_of(file: &Path, text: &str) -> Vec<String> {
    let mut offences = Vec::new();
    let is_own_crate = file.starts_with("host") && file.components().any(|part| part.as_os_str() == "src");
    let is_tool = file.starts_with("host/xtask");
    for line in text.lines().take_while(|line| *line != "#[cfg(test)]") {
        let words: Vec<&str> =
            line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
        let declared = words.windows(2).find(|pair| {
            ["struct", "enum", "trait", "type"].contains(&pair[0])
                && FORMER.contains(&pair[1])
                && !line.trim_start().starts_with("//")
        });
        if let Some(pair) = declared {
            offences.push(format!("declares {}, a name that docs/glossary.md replaced", pair[1]));
        }
        let phrases = PHRASES.iter().filter(|phrase| words.windows(phrase.len()).any(|found| found == **phrase));
        offences.extend(
            phrases.map(|phrase| format!("has the phrase '{}', which docs/glossary.md replaced", phrase.join(" "))),
        );
        if is_own_crate
            && !is_tool
            && file != Path::new(ENVIRONMENT)
            && READS.iter().any(|read| line.contains(read))
            && !is_test(file)
        {
            offences.push(format!("reads the environment; only {ENVIRONMENT} does"));
        }
    }
    offences
}

fn is_test(file: &Path) -> bool {
    file.file_stem().is_some_and(|stem| stem == "tests")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, text: &str, expected: usize) {
        let offences = offences_of(Path::new(file), text);
        assert_eq!(offences.len(), expected, "{file}: {offences:?}");
    }

    #[test]
    fn former_name_of_a_type_does_not_come_back() {
        check("host/refiner/src/a.rs", "pub(super) struct Shop {", 1);
        check("tests/kit/src/a.rs", "enum Both<'a> {", 1);
        check("host/refiner/src/a.rs", "struct Shopping;\n// a struct Shop\nBoth { left, right }", 0);
    }

    #[test]
    fn phrase_that_was_replaced_does_not_come_back() {
        check("host/refiner/src/a.rs", concat!("// A rule is let", " in."), 1);
        check("host/refiner/src/a.rs", concat!("let", " input = 1; // admitted"), 0);
    }

    #[test]
    fn environment_has_one_reader() {
        let reading = concat!("let home = std::env::", "var_os(\"HOME\");");
        check("host/refiner/src/a.rs", reading, 1);
        check("host/environment/src/lib.rs", reading, 0);
        check("host/xtask/src/a.rs", reading, 0);
        check("host/refiner/build.rs", reading, 0);
        check("host/refiner/tests/a.rs", reading, 0);
        check("host/refiner/src/a.rs", &format!("#[cfg(test)]\n{reading}"), 0);
    }
}
