//! Cycles of modules within a crate: each module of one can be read only together with the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use crate::tree;

/// The largest cycle that a crate may have: a parent and a child that know each other.
const CYCLE_MAX: usize = 2;

/// Crates with a larger one, which must not grow. A crate leaves the list when its cycles are gone.
const LARGER: [(&str, usize); 11] = [
    ("content", 11),
    ("daemon", 25),
    ("evm", 29),
    ("journal", 3),
    ("proofchain", 8),
    ("queue", 4),
    ("refiner", 18),
    ("replay", 3),
    ("sandbox", 17),
    ("sources", 4),
    ("table", 3),
];

/// The modules of a crate by their paths, each with its text.
type Modules = BTreeMap<Vec<String>, String>;

/// Crates with a cycle of modules beyond their bound.
pub fn offences() -> io::Result<Vec<String>> {
    let mut offences = Vec::new();
    for entry in fs::read_dir(tree::root().join("host"))? {
        let entry = entry?;
        let source = entry.path().join("src");
        if source.is_dir() {
            let name = entry.file_name().to_string_lossy().into_owned();
            offences.extend(beyond(&name, &largest_cycle(&modules_of(&source)?)));
        }
    }
    offences.sort();
    Ok(offences)
}

fn beyond(name: &str, cycle: &[String]) -> Option<String> {
    let bound = LARGER.iter().find(|(larger, _)| *larger == name).map_or(CYCLE_MAX, |(_, bound)| *bound);
    let found = cycle.len();
    (found > bound)
        .then(|| format!("host/{name} has a cycle of {found} modules, and {bound} are its bound: {}", cycle.join(", ")))
}

/// Modules of a crate, its tests and what is generated aside.
fn modules_of(source: &Path) -> io::Result<Modules> {
    let mut modules = Modules::new();
    for file in tree::files_below(source, "rs")? {
        let relative = file.strip_prefix(source).unwrap_or(&file).with_extension("");
        let mut path: Vec<_> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if path.first().is_some_and(|first| first == "bin")
            || path.last().is_some_and(|last| matches!(last.as_str(), "tests" | "bindings"))
        {
            continue;
        }
        path.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
        modules.insert(path, code(&fs::read_to_string(&file)?));
    }
    Ok(modules)
}

/// The text without comments, the contents of strings, and the module of tests at its end.
fn code(text: &str) -> String {
    let text = text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(before, _)| before);
    let mut code = String::with_capacity(text.len());
    for line in text.lines() {
        let mut in_string = false;
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '/' if !in_string && characters.peek() == Some(&'/') => break,
                '\\' if in_string => drop(characters.next()),
                '"' => in_string = !in_string,
                _ if in_string => {}
                _ => code.push(character),
            }
        }
        code.push('\n');
    }
    code
}

/// The modules of the largest cycle; one or none where there is no cycle.
fn largest_cycle(modules: &Modules) -> Vec<String> {
    let mut exports = BTreeMap::new();
    let mut used = BTreeMap::<&Vec<String>, Vec<Vec<String>>>::new();
    for (module, text) in modules {
        let (uses, rest) = statements(text);
        for (is_public, tree) in uses {
            for path in expanded(&tree).iter().filter_map(|path| absolute(path, module, modules)) {
                match path.last() {
                    Some(name) if is_public => drop(exports.insert((module.clone(), name.clone()), path)),
                    _ => used.entry(module).or_default().push(path),
                }
            }
        }
        used.entry(module).or_default().extend(paths(&rest).iter().filter_map(|path| absolute(path, module, modules)));
    }
    let mut edges = BTreeMap::<&Vec<String>, BTreeSet<&Vec<String>>>::new();
    for (module, paths) in used {
        let targets = paths.iter().filter_map(|path| home(path, modules, &exports, 0));
        edges.insert(module, targets.filter(|target| *target != module).collect());
    }
    let mut largest = Vec::new();
    for module in modules.keys() {
        // All that it reaches and that reaches it.
        let reached = reach(module, &edges);
        let cycle: Vec<_> = reached.iter().filter(|other| reach(other, &edges).contains(module)).collect();
        if cycle.len() > largest.len() {
            largest = cycle.into_iter().map(|module| shown(module)).collect();
        }
    }
    largest
}

fn shown(module: &[String]) -> String {
    if module.is_empty() { "the root".to_owned() } else { module.join("::") }
}

fn reach<'m>(
    from: &'m Vec<String>,
    edges: &BTreeMap<&'m Vec<String>, BTreeSet<&'m Vec<String>>>,
) -> BTreeSet<&'m Vec<String>> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        for target in edges.get(module).into_iter().flatten() {
            if reached.insert(*target) {
                open.push(target);
            }
        }
    }
    reached
}

/// The `use` statements of a text, each with whether it is public, and the rest of the text.
fn statements(text: &str) -> (Vec<(bool, String)>, String) {
    let (mut uses, mut rest) = (Vec::new(), String::new());
    let mut left = text;
    while let Some(start) = left.find("use ") {
        let (before, after) = left.split_at(start);
        let line = before.rsplit('\n').next().unwrap_or_default().trim();
        let is_statement = line.is_empty() || line.starts_with("pub") && !line.contains(' ');
        rest.push_str(before);
        let Some((tree, after)) = after["use ".len()..].split_once(';').filter(|_| is_statement) else {
            left = &after["use ".len()..];
            continue;
        };
        uses.push((!line.is_empty(), tree.split_whitespace().collect::<Vec<_>>().join(" ")));
        left = after;
    }
    rest.push_str(left);
    (uses, rest)
}

/// The single paths of a tree, `a::{b, c::d}`.
fn expanded(tree: &str) -> Vec<Vec<String>> {
    let Some((before, inner)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (place, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(|part| expanded(&format!("{}{part}", before.trim()))).collect()
}

/// Paths in code that begin with the crate or a parent.
fn paths(text: &str) -> Vec<Vec<String>> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    let words = text.split(|character: char| !is_word(character));
    let words = words.filter(|word| word.starts_with("crate::") || word.starts_with("super::"));
    words.map(|word| word.split("::").map(str::to_owned).collect()).collect()
}

/// The path from the root of the crate; `None` where it leads out of it.
fn absolute(path: &[String], module: &[String], modules: &Modules) -> Option<Vec<String>> {
    let (mut base, mut rest) = (module.to_vec(), path);
    match path.first()?.as_str() {
        "crate" => (base, rest) = (Vec::new(), &path[1..]),
        "self" => rest = &path[1..],
        "super" => {
            while let Some((_, after)) = rest.split_first().filter(|(first, _)| *first == "super") {
                base.pop();
                rest = after;
            }
        }
        // A module of its own, named without `self`.
        first => {
            let child = [module, &[first.to_owned()]].concat();
            if !modules.contains_key(&child) {
                return None;
            }
        }
    }
    base.extend(rest.iter().filter(|part| *part != "self").cloned());
    Some(base)
}

/// The module in which a thing is: where its path leads, past modules that only export it.
fn home<'m>(
    path: &[String],
    modules: &'m Modules,
    exports: &BTreeMap<(Vec<String>, String), Vec<String>>,
    hops: usize,
) -> Option<&'m Vec<String>> {
    const HOPS_MAX: usize = 9;
    let known = (0..=path.len()).rev().find_map(|length| modules.get_key_value(&path[..length]));
    let (module, _) = known?;
    let name = path.get(module.len());
    match name.and_then(|name| exports.get(&(module.clone(), name.clone()))) {
        Some(target) if hops < HOPS_MAX => {
            home(&[target, &path[module.len() + 1..]].concat(), modules, exports, hops + 1)
        }
        _ => Some(module),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(texts: &[(&str, &str)]) -> Modules {
        let path = |name: &str| name.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        texts.iter().map(|(name, text)| (path(name), code(text))).collect()
    }

    #[test]
    fn cycle_is_found_through_imports_paths_and_what_others_export() {
        let three = modules(&[
            ("", "mod a;\nmod b;\npub use b::{Of, c::C};\n"),
            ("a", "use crate::Of;\n"),
            ("b", "mod c;\nuse std::fmt;\npub(crate) struct Of(super::b::c::C);\n"),
            ("b::c", "/// Not `crate::b`.\nfn c() { let text = \"crate::b\"; crate::a::run(text) }\n"),
        ]);
        assert_eq!(largest_cycle(&three), ["a", "b", "b::c"]);
        let two = modules(&[("", ""), ("a", "use crate::b::B;\n"), ("b", "use super::a::{self, A};\n")]);
        assert_eq!(largest_cycle(&two), ["a", "b"]);
        let none =
            modules(&[("", ""), ("a", "use crate::b::B;\n"), ("b", "#[cfg(test)]\nmod tests {\nuse crate::a;\n}")]);
        assert_eq!(largest_cycle(&none).len(), 0);
    }

    #[test]
    fn cycle_beyond_the_bound_of_its_crate_is_named() {
        let cycle = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(beyond("rule-model", &cycle[..2]), None);
        let offence = beyond("rule-model", &cycle).unwrap();
        assert_eq!(offence, "host/rule-model has a cycle of 3 modules, and 2 are its bound: a, b, c");
        assert_eq!(beyond("sandbox", &cycle), None);
    }
}
