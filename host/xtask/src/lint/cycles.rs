//! Cycles among the modules of a crate. Two modules may know each other; more than two cannot be read or moved one at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use crate::tree;

/// A path of modules below the crate's root.
type Module = Vec<String>;

/// The most modules of a cycle.
const MODULES_MAX: usize = 2;
/// Modules of generated code, which name the types that they stand for and are named by them.
const BINDINGS: [&str; 1] = ["bindings"];
/// Modules of tests, which may use everything.
const TESTS: [&str; 2] = ["tests", "testbed"];

/// Crates with a cycle of more modules.
pub fn offences() -> io::Result<Vec<String>> {
    let mut offences = Vec::new();
    for entry in fs::read_dir(tree::root().join("host"))? {
        let (crate_directory, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let (source, name) = (crate_directory.join("src"), name.to_string_lossy().into_owned());
        if !source.is_dir() {
            continue;
        }
        let largest = cycles(&graph_of(&source)?).into_iter().max_by_key(Vec::len).unwrap_or_default();
        if largest.len() > MODULES_MAX {
            let modules: Vec<_> = largest.iter().map(|module| module.join("::")).collect();
            offences.push(format!(
                "host/{name} has a cycle of {} modules, and at most {MODULES_MAX} may depend on each other: {}",
                largest.len(),
                modules.join(", ")
            ));
        }
    }
    Ok(offences)
}

/// The modules of a crate, each with those that it uses.
type Graph = BTreeMap<Module, BTreeSet<Module>>;

fn graph_of(source: &Path) -> io::Result<Graph> {
    let mut texts = BTreeMap::new();
    for file in tree::files_below(source, "rs")? {
        let name = file.strip_prefix(source).unwrap_or(&file);
        let module = module_of(name);
        if !module.iter().any(|part| TESTS.contains(&part.as_str())) {
            texts.insert(module, fs::read_to_string(&file)?);
        }
    }
    Ok(graph(&texts))
}

/// The module of a file.
fn module_of(file: &Path) -> Module {
    let mut parts: Module = file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") || parts == ["lib"] || parts == ["main"] {
        parts.pop();
    }
    parts
}

fn graph(texts: &BTreeMap<Module, String>) -> Graph {
    let known = |path: &[String]| texts.contains_key(path);
    let used = |(module, text): (_, &String)| {
        let uses = if is_binding(module) { Vec::new() } else { uses_of(module, text, &known) };
        (module, uses)
    };
    let uses: BTreeMap<&Module, Vec<Use>> = texts.iter().map(used).collect();
    // What a module gives on from its own children is used there.
    let mut exports = BTreeMap::new();
    for (module, uses) in &uses {
        for used in uses.iter().filter(|used| used.is_export) {
            if let Some(name) = used.path.last() {
                exports.insert([module.as_slice(), std::slice::from_ref(name)].concat(), used.path.clone());
            }
        }
    }
    let resolved = |path: &[String]| resolve(path, texts, &exports, 0);
    let of = |(module, uses): (&&Module, &Vec<Use>)| {
        // What a module only gives on is no need of its own.
        let own = uses.iter().filter(|used| !used.is_export);
        let used = own.filter_map(|used| resolved(&used.path)).filter(|used| used != *module);
        ((*module).clone(), used.collect())
    };
    uses.iter().map(of).collect()
}

/// Exports of exports are followed so far.
const EXPORTS_MAX: usize = 5;

fn resolve(
    path: &[String],
    texts: &BTreeMap<Module, String>,
    exports: &BTreeMap<Module, Module>,
    depth: usize,
) -> Option<Module> {
    for length in (1..=path.len()).rev() {
        let (begin, rest) = path.split_at(length);
        if let Some(target) = exports.get(begin)
            && target != begin
            && depth < EXPORTS_MAX
        {
            return resolve(&[target.as_slice(), rest].concat(), texts, exports, depth + 1);
        }
        if texts.contains_key(begin) {
            return Some(begin.to_vec());
        }
    }
    None
}

/// A path that a module uses, from the crate's root.
struct Use {
    path: Module,
    /// Whether others find it at the module.
    is_export: bool,
}

fn is_binding(module: &Module) -> bool {
    module.iter().any(|part| BINDINGS.contains(&part.as_str()))
}

fn uses_of(module: &[String], text: &str, known: &dyn Fn(&[String]) -> bool) -> Vec<Use> {
    let production = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut lines = production.lines().filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        let item = line.strip_prefix("pub(").and_then(|rest| rest.split_once(") ")).map_or(line, |(_, item)| item);
        let item = item.strip_prefix("pub ").unwrap_or(item);
        let Some(begun) = item.strip_prefix("use ") else {
            found.extend(
                inline(line)
                    .filter_map(|path| absolute(module, path, known))
                    .map(|path| Use { path, is_export: false }),
            );
            continue;
        };
        let mut statement = begun.to_owned();
        while !statement.contains(';') {
            let Some(next) = lines.next() else { break };
            statement.push_str(next.trim());
        }
        let statement = statement.split(';').next().unwrap_or_default();
        let paths = leaves(statement).into_iter().filter_map(|path| absolute(module, path, known));
        found.extend(paths.map(|path| Use { path, is_export: item.len() < line.len() }));
    }
    found
}

/// Paths in code that name the crate or a parent.
fn inline(line: &str) -> impl Iterator<Item = Module> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let paths =
        line.split(move |c| !is_part(c)).filter(|word| word.starts_with("crate::") || word.starts_with("super::"));
    paths.map(|path| path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect())
}

/// The paths of a use statement, one for each name that it brings.
fn leaves(statement: &str) -> Vec<Module> {
    let Some((prefix, rest)) = statement.split_once('{') else {
        let path = statement.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()];
    };
    let prefix: Module =
        prefix.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut begin, mut found) = (0_usize, 0, Vec::new());
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                let part = inner[begin..at].trim();
                if !part.is_empty() {
                    found.extend(leaves(part).into_iter().map(|leaf| [prefix.as_slice(), &leaf].concat()));
                }
                begin = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// A path from the crate's root; `None` for one that leads out of the crate. A path without a prefix begins with a child.
fn absolute(module: &[String], path: Module, known: &dyn Fn(&[String]) -> bool) -> Option<Module> {
    let mut base = module.to_vec();
    let mut parts = path.into_iter().peekable();
    match parts.peek().map(String::as_str)? {
        "crate" => {
            base.clear();
            parts.next();
        }
        "self" => drop(parts.next()),
        "super" => {
            while parts.next_if(|part| part == "super").is_some() {
                base.pop()?;
            }
        }
        first if known(&[module, &[first.to_owned()]].concat()) => {}
        _ => return None,
    }
    base.extend(parts.filter(|part| part != "self"));
    Some(base)
}

/// Modules that depend on each other, in sets of two or more.
fn cycles(graph: &Graph) -> Vec<Vec<Module>> {
    let reached: BTreeMap<_, _> = graph.keys().map(|module| (module, reachable(graph, module))).collect();
    let mut seen = BTreeSet::new();
    let mut cycles = Vec::new();
    for module in graph.keys() {
        if !reached[module].contains(module) || seen.contains(module) {
            continue;
        }
        let cycle: Vec<_> = reached[module].iter().filter(|other| reached[*other].contains(module)).cloned().collect();
        seen.extend(cycle.iter().cloned());
        cycles.push(cycle);
    }
    cycles
}

fn reachable(graph: &Graph, from: &Module) -> BTreeSet<Module> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for next in graph.get(module).into_iter().flatten() {
            if reached.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest(files: &[(&str, &str)]) -> Vec<String> {
        let texts = files.iter().map(|(file, text)| (module_of(Path::new(file)), (*text).to_owned())).collect();
        let largest = cycles(&graph(&texts)).into_iter().max_by_key(Vec::len).unwrap_or_default();
        largest.into_iter().map(|module| module.join("::")).collect()
    }

    #[test]
    fn modules_that_use_each_other_are_a_cycle() {
        let files = [
            ("a.rs", "use crate::b::{self, B};"),
            ("b/mod.rs", "use super::c::{\n    C,\n    d::D,\n};"),
            ("c.rs", "fn f() -> crate::a::A {}"),
            ("e.rs", "use crate::a::A;"),
        ];
        assert_eq!(largest(&files), ["a", "b", "c"]);
        assert_eq!(largest(&files[..2]), [""; 0]);
    }

    #[test]
    fn export_of_a_child_is_used_in_the_child() {
        let files = [
            ("a/mod.rs", "mod child;\npub use self::child::Child;"),
            ("a/child.rs", "pub struct Child;"),
            ("b.rs", "use crate::a::Child;"),
        ];
        assert_eq!(largest(&files), [""; 0]);
        let unprefixed = [("a/mod.rs", "pub use child::Child;"), ("a/child.rs", "use crate::b::B;"), files[2]];
        assert_eq!(largest(&unprefixed), ["a::child", "b"]);
        let back = [("a/mod.rs", "pub use self::child::Child;\nuse crate::b::B;"), files[1], files[2]];
        assert_eq!(largest(&back), [""; 0], "b uses the child alone");
        let both = [("a/mod.rs", "use crate::b::B;"), ("b.rs", "use crate::a::A;")];
        assert_eq!(largest(&both), ["a", "b"]);
    }

    #[test]
    fn comments_tests_and_other_crates_are_no_dependencies() {
        let files = [
            ("a.rs", "// crate::b\nuse serde::b::B;\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}"),
            ("b.rs", "use crate::a::A;"),
        ];
        assert_eq!(largest(&files), [""; 0]);
    }

    #[test]
    fn bindings_may_name_the_types_that_they_stand_for() {
        let files =
            [("bindings.rs", "crate::a::A"), ("a.rs", "use crate::b::B;"), ("b.rs", "use crate::bindings::types;")];
        assert_eq!(largest(&files), [""; 0]);
        let others = files.map(|(file, text)| (if file == "bindings.rs" { "types.rs" } else { file }, text));
        let others = others.map(|(file, text)| (file, if file == "b.rs" { "use crate::types::T;" } else { text }));
        assert_eq!(largest(&others), ["a", "b", "types"]);
    }

    #[test]
    fn daemon_has_no_cycle_of_more_than_two_modules() {
        let graph = graph_of(&tree::root().join("host/daemon/src")).unwrap();
        let cycles = cycles(&graph);
        assert!(graph.len() > 50, "{}", graph.len());
        assert!(cycles.iter().all(|cycle| cycle.len() <= MODULES_MAX), "{cycles:?}");
    }
}
