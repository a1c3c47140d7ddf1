//! Measures of the language in comments, texts and pages, each with the bound that a change may not pass.

use std::{fs, io, ops::AddAssign};

use crate::tree;

/// First words of a doc comment that asks where it should name.
const OPENINGS: [&str; 5] = ["What", "Why", "How", "Who", "Which"];
/// Words of a dialect that the field does not speak.
const DIALECT: [&str; 7] = ["say", "says", "said", "told", "nobody", "somebody", "whoever"];
/// A doc comment of so few words restates the name below it.
const SHORT_WORDS: usize = 3;

/// Bounds only ever go down, to the aim.
const BOUNDS: [Bound; 3] = [
    Bound { name: "doc comments that open with What, Why, How, Who or Which, in percent", most: 4.0, aim: 4.0 },
    Bound { name: "doc comments of three words or fewer, in percent", most: 5.0, aim: 5.0 },
    Bound { name: "say, says, said, told, nobody, somebody, whoever, in a thousand words", most: 0.3, aim: 0.3 },
];

struct Bound {
    name: &'static str,
    most: f64,
    aim: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    docs: u32,
    openings: u32,
    short: u32,
    words: u32,
    dialect: u32,
}

/// Measures that are past their bounds, and every measure as a line to print.
pub fn measure() -> io::Result<(Vec<String>, Vec<String>)> {
    let root = tree::root();
    let mut counts = Counts::default();
    for file in tree::files_below(&root, "rs")? {
        let is_test = file.components().any(|part| part.as_os_str() == "tests");
        counts += of_source(&fs::read_to_string(file)?, is_test);
    }
    for file in tree::files_below(&root, "md")? {
        counts += of_text(&fs::read_to_string(file)?);
    }
    let lines = || BOUNDS.iter().zip(counts.measures());
    let past = lines().filter(|(bound, found)| *found > bound.most);
    let past = past.map(|(bound, found)| format!("{}: {found:.2}, at most {:.2}", bound.name, bound.most)).collect();
    let line = |(bound, found): (&Bound, f64)| {
        format!("{}: {found:.2} (bound {:.2}, aim {:.2})", bound.name, bound.most, bound.aim)
    };
    Ok((past, lines().map(line).collect()))
}

impl Counts {
    fn measures(&self) -> [f64; 3] {
        let share = |part: u32, whole: u32, of: f64| of * f64::from(part) / f64::from(whole.max(1));
        let docs = |part| share(part, self.docs, 100.0);
        [docs(self.openings), docs(self.short), share(self.dialect, self.words, 1000.0)]
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.docs += other.docs;
        self.openings += other.openings;
        self.short += other.short;
        self.words += other.words;
        self.dialect += other.dialect;
    }
}

/// Comments, and the texts of the program. Texts of tests are the words of the program that they expect.
fn of_source(text: &str, is_test: bool) -> Counts {
    let mut counts = Counts::default();
    let mut in_tests = is_test;
    let mut block = Vec::new();
    for line in text.lines().chain([""]) {
        let line = line.trim();
        in_tests |= line == "#[cfg(test)]";
        if let Some(comment) = line.strip_prefix("//") {
            counts += of_text(comment);
        } else if !in_tests {
            let texts = line.split('"').skip(1).step_by(2).filter(|text| text.contains(' '));
            texts.for_each(|text| counts += of_text(text));
        }
        match line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) {
            Some(doc) => block.push(doc),
            None if !block.is_empty() => counts += of_doc(&std::mem::take(&mut block)),
            None => {}
        }
    }
    counts
}

fn of_doc(lines: &[&str]) -> Counts {
    let first = lines.first().and_then(|line| words(line).next());
    let opens = first.is_some_and(|word| OPENINGS.contains(&word));
    let is_short = lines.iter().flat_map(|line| words(line)).count() <= SHORT_WORDS;
    Counts { docs: 1, openings: opens.into(), short: is_short.into(), ..Counts::default() }
}

fn of_text(text: &str) -> Counts {
    let mut counts = Counts::default();
    for word in words(text) {
        counts.words += 1;
        counts.dialect += u32::from(DIALECT.iter().any(|dialect| word.eq_ignore_ascii_case(dialect)));
    }
    counts
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '\'' && c != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doc_comment_is_judged_by_its_first_word_and_its_length() {
        let text = "//! What it is.\n\n/// A pool of\n/// byte buffers.\nfn f() {}\n/// The name.\nfn name() {}\n// Why not.\n";
        let counts = of_source(text, false);
        assert_eq!((counts.docs, counts.openings, counts.short), (3, 1, 2));
    }

    #[test]
    fn words_are_counted_in_comments_and_texts_and_not_in_code_or_expected_texts() {
        let text = "// He said so.\nlet said = \"somebody said no\"; // told\n#[cfg(test)]\nlet a = \"nobody said\";";
        let counts = of_source(text, false);
        assert_eq!((counts.words, counts.dialect), (6, 3));
        assert_eq!(of_source(text, true).dialect, 1);
    }

    #[test]
    fn every_measure_is_printed_with_its_bound() {
        let (_, lines) = measure().unwrap();
        assert_eq!(lines.len(), BOUNDS.len());
        assert!(lines.iter().all(|line| line.contains("(bound ")), "{lines:?}");
    }
}
