//! Links, paths, tests and commands that documents name, and pages that source comments cite.

use std::{fs, io, path::Path};

use clap::CommandFactory as _;

use crate::{Task, tree};

/// Folders of the root that a path in a document begins with.
const ROOTS: [&str; 10] =
    [".ci/", ".cargo/", "compose/", "docs/", "guest-sdk/", "host/", "rules/", "schemas/", "tests/", "wit/"];

/// A folder with pages of crates that do not exist yet.
const TEMPLATE: &str = "host/authoring/template";

const XTASK: &str = "cargo xtask ";

/// Each reference to something that does not exist, with its place.
pub fn offences() -> io::Result<Vec<String>> {
    let root = tree::root();
    let tasks: Vec<String> = Task::command().get_subcommands().map(|task| task.get_name().to_owned()).collect();
    let mut offences = Vec::new();
    for (extension, check) in [("md", of_page as Check), ("rs", of_source)] {
        for file in tree::files_below(&root, extension)? {
            let name = file.strip_prefix(&root).unwrap_or(&file);
            if name.starts_with(TEMPLATE) {
                continue;
            }
            let found = check(&root, name, &fs::read_to_string(&file)?, &tasks);
            offences.extend(found.into_iter().map(|(line, what)| format!("{}:{line} {what}", name.display())));
        }
    }
    Ok(offences)
}

/// Lines of a file and their offences, from the root, the file's name below it, its text and the names of tasks.
type Check = fn(&Path, &Path, &str, &[String]) -> Vec<(usize, String)>;

fn of_page(root: &Path, name: &Path, text: &str, tasks: &[String]) -> Vec<(usize, String)> {
    let directory = root.join(name.parent().unwrap_or(Path::new("")));
    let mut offences = Vec::new();
    let mut in_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        let mut found = |what| offences.push((number, what));
        unknown_tasks(line, tasks).for_each(&mut found);
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        links(line)
            .filter(|link| !directory.join(link).exists())
            .map(|link| format!("links to no file: {link}"))
            .for_each(&mut found);
        line.split('`').skip(1).step_by(2).filter_map(|span| missing(root, span)).for_each(&mut found);
    }
    offences
}

/// Targets of relative links, without their fragments.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let files = targets.map(|target| target.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !file.contains(':'))
}

/// The offence of a code span that names a path of this repository, or a test in it as `path::test`.
fn missing(root: &Path, span: &str) -> Option<String> {
    let is_path = ROOTS.iter().any(|folder| span.starts_with(folder)) && !span.contains(['*', ' ', '<', '…']);
    let (path, test) = span.split_once("::").map_or((span, None), |(path, test)| (path, Some(test)));
    if !is_path {
        return None;
    }
    if !root.join(path).exists() {
        return Some(format!("names no file: {path}"));
    }
    let test = test.filter(|test| !has_function(&root.join(path), test))?;
    Some(format!("names no test of {path}: {test}"))
}

/// Whether a file, or one of the files of a folder, has a function of this name.
fn has_function(path: &Path, name: &str) -> bool {
    let files = if path.is_dir() { tree::files_below(path, "rs").unwrap_or_default() } else { vec![path.to_owned()] };
    let function = format!("fn {name}(");
    files.iter().any(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(&function)))
}

fn unknown_tasks(line: &str, tasks: &[String]) -> impl Iterator<Item = String> {
    let named = line.split(XTASK).skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next());
    let unknown = named.flatten().filter(|name| !name.is_empty() && !tasks.iter().any(|task| task == name));
    unknown.map(|name| format!("names no task: {XTASK}{name}"))
}

/// Comments that cite a page which is neither below the root nor beside the file.
fn of_source(root: &Path, name: &Path, text: &str, _: &[String]) -> Vec<(usize, String)> {
    let directory = root.join(name.parent().unwrap_or(Path::new("")));
    let cited = |line: &str| {
        let comment = line.split_once("//").filter(|(code, _)| !code.contains('"')).map(|(_, comment)| comment)?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || "./-_:".contains(c);
        let mut words = comment.split(|c| !is_part(c)).map(|word| word.trim_matches(['.', ':']));
        words
            .find(|word| {
                word.ends_with(".md")
                    && !word.contains(':')
                    && !root.join(word).exists()
                    && !directory.join(word).exists()
            })
            .map(str::to_owned)
    };
    let lines = (1..).zip(text.lines());
    lines
        .filter_map(|(number, line)| Some((number, format!("cites no page of this repository: {}", cited(line)?))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(line: &str) -> Vec<String> {
        let tasks = ["lint".to_owned()];
        of_page(&tree::root(), Path::new("docs/page.md"), line, &tasks).into_iter().map(|(_, what)| what).collect()
    }

    fn comment(line: &str) -> usize {
        of_source(&tree::root(), Path::new("host/xtask/src/main.rs"), line, &[]).len()
    }

    #[test]
    fn link_to_a_file_that_is_not_there_is_found() {
        assert!(
            page("[map](../host/ARCHITECTURE.md#code-map), [web](https://example.org/a.md), [here](#part)").is_empty()
        );
        assert_eq!(page("[map](ARCHITECTURE.md)"), ["links to no file: ARCHITECTURE.md"]);
    }

    #[test]
    fn path_and_test_that_are_not_there_are_found() {
        let itself = "host/xtask/src/lint/documents.rs";
        assert!(
            page(&format!("`{itself}`, `{itself}::path_and_test_that_are_not_there_are_found`, `rules/*`")).is_empty()
        );
        assert!(page("`host/xtask/src/lint::path_and_test_that_are_not_there_are_found`").is_empty());
        assert_eq!(page("`host/none.rs`"), ["names no file: host/none.rs"]);
        assert_eq!(page(&format!("`{itself}::none`")), [format!("names no test of {itself}: none")]);
        assert!(page("```\n`host/none.rs`\n```").is_empty());
    }

    #[test]
    fn task_that_is_not_there_is_found_in_code_too() {
        assert!(page("```\ncargo xtask lint\n```").is_empty());
        assert_eq!(page("```\ncargo xtask fly\n```"), ["names no task: cargo xtask fly"]);
    }

    #[test]
    fn comment_that_cites_a_page_from_elsewhere_is_found() {
        assert_eq!(comment("/// See docs/protocol.md, section 1, and <https://example.org/page.md>."), 0);
        assert_eq!(comment(concat!("// As design", ".md has it.")), 1);
        assert_eq!(comment(concat!("let page = \"// none", ".md\";")), 0);
    }

    #[test]
    fn every_reference_of_this_repository_holds() {
        assert_eq!(offences().unwrap(), [""; 0]);
    }
}
