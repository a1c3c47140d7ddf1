//! Text of a stranger on a terminal.

use std::fs;

use refiner_testkit::case::{Case, cases};

use crate::program::{Ended, refiner, text};

/// A file name that a terminal would obey.
const NAME: &str = "1-\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}\u{e0041}.avro";

fn case() -> Case {
    cases().unwrap().into_iter().find(|case| case.name == "tampered-kind").unwrap()
}

/// Controls, and characters that are not seen or turn the direction of others.
fn is_hostile(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

fn check(ended: &Ended, arguments: &[&str]) {
    for printed in [&ended.text(), &ended.stderr] {
        let hostile: Vec<_> = printed.chars().filter(|character| is_hostile(*character)).collect();
        assert!(hostile.is_empty(), "{arguments:?}: {hostile:?} in {printed:?}");
        assert!(!printed.lines().any(|line| line.starts_with("block 0 of chain 1")), "{arguments:?}: {printed}");
    }
}

#[test]
fn kind_and_file_name_with_escape_sequences_are_printed_escaped() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(NAME);
    fs::write(&file, case().bytes).unwrap();
    let cut = directory.path().join(format!("cut-{NAME}"));
    fs::write(&cut, &case().bytes[..1_000]).unwrap();
    for file in [&file, &cut] {
        for arguments in [
            &["specimen", "inspect"][..],
            &["specimen", "inspect", "--json"],
            &["specimen", "check"],
            &["specimen", "check", "--execute"],
            &["replay"],
            &["replay", "--isolate"],
        ] {
            let arguments = [arguments, &[text(file)]].concat();
            check(&refiner(&arguments), &arguments);
        }
    }
}

#[test]
fn hostile_kind_is_there_to_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("1.avro");
    fs::write(&file, case().bytes).unwrap();
    let printed = refiner(&["specimen", "inspect", text(&file)]).expect(0).text();
    assert!(printed.contains("pwned") && printed.contains("RED"), "{printed}");
}
