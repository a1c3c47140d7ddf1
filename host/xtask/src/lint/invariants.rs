//! The invariants of host/ARCHITECTURE.md: each names the test or the check that holds it, and those that are about the source hold.

use std::{fs, io, path::Path};

use crate::tree;

const PAGE: &str = "host/ARCHITECTURE.md";
const SECTION: &str = "## Invariants";

/// The files that may allow unsafe code: the one place that loads compiled code, an allocator that counts in a test, and what
/// wit-bindgen writes for the guest.
const UNSAFE: [&str; 3] =
    ["host/sandbox/src/compiled.rs", "host/specimen/tests/suite/allocation.rs", "guest-sdk/src/bindings.rs"];

/// The files outside the eras' own directory that may name it: where a format is chosen, and where an evm-server's answer is verified.
const ERAS: [&str; 3] = ["host/evm/src/lib.rs", "host/evm/src/embedded.rs", "host/evm/src/remote/mod.rs"];

/// Invariants without a test, and source that breaks one.
pub fn offences() -> io::Result<Vec<String>> {
    let root = tree::root();
    let mut offences = without_test(&fs::read_to_string(root.join(PAGE))?);
    for directory in ["host", "guest-sdk", "tests"] {
        for file in tree::files_below(&root.join(directory), "rs")? {
            let name = file.strip_prefix(&root).unwrap_or(&file);
            let found = of_source(name, &fs::read_to_string(&file)?);
            offences.extend(found.map(|what| format!("{} {what}", name.display())));
        }
    }
    Ok(offences)
}

fn without_test(page: &str) -> Vec<String> {
    let lines = (1..).zip(page.lines()).skip_while(|(_, line)| *line != SECTION).skip(1);
    let section = lines.take_while(|(_, line)| !line.starts_with("## "));
    // The lines of an item, which go on until the next one.
    let mut items: Vec<(usize, String)> = Vec::new();
    for (number, line) in section {
        match line.strip_prefix("* ") {
            Some(first) => items.push((number, first.to_owned())),
            None => items.last_mut().into_iter().for_each(|(_, text)| text.push_str(line)),
        }
    }
    let names_a_test = |text: &str| {
        let mut spans = text.split('`').skip(1).step_by(2);
        spans.any(|span| span.contains("tests/") || span.starts_with("host/xtask/src/lint/"))
    };
    let unnamed = items.into_iter().filter(|(_, text)| !names_a_test(text));
    unnamed.map(|(line, _)| format!("{PAGE}:{line} names no test of this invariant")).collect()
}

fn of_source(name: &Path, text: &str) -> impl Iterator<Item = &'static str> + use<> {
    let is_one_of = |names: &[&str]| names.iter().any(|known| Path::new(known) == name);
    // Written in two parts, so that this file does not match itself.
    let is_unsafe = text.contains(concat!("allow(", "unsafe_code")) && !is_one_of(&UNSAFE);
    let names_eras = text.contains("compat::")
        && name.starts_with("host/evm/src")
        && !name.starts_with("host/evm/src/compat")
        && !is_one_of(&ERAS);
    let unsafe_code = is_unsafe.then_some("allows unsafe code, which stands in one place");
    let eras = names_eras.then_some("names the eras' own rules, which the canonical path does not use");
    unsafe_code.into_iter().chain(eras)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_names_its_test() {
        let page = "* before\n\n## Invariants\n\n* held\n  (`host/a/tests/b.rs`).\n* not held, whatever `host/a` does.\n\n## After\n* no invariant\n";
        assert_eq!(without_test(page), ["host/ARCHITECTURE.md:7 names no test of this invariant"]);
    }

    #[test]
    fn unsafe_code_stands_in_one_place() {
        let text = format!("#[{}, reason = \"fast\")]", concat!("allow(", "unsafe_code"));
        assert_eq!(of_source(Path::new("host/sandbox/src/compiled.rs"), &text).count(), 0);
        assert_eq!(of_source(Path::new("host/sandbox/src/run.rs"), &text).count(), 1);
    }

    #[test]
    fn eras_are_chosen_in_one_place() {
        let check = |name: &str| of_source(Path::new(name), "use crate::compat::Frame;").count();
        assert_eq!(["host/evm/src/embedded.rs", "host/evm/src/compat/mod.rs"].map(check), [0, 0]);
        assert_eq!(check("host/evm/src/canonical/mod.rs"), 1);
    }
}
