//! The cases of `tests/hostile`: rules that mean harm, and how each must end. The sandbox's tests and the worker's both play them.
//!
//! A case is a folder with `rule.wat` and `expected.toml`. Its form names the kind of text: `fields` (the default) of a core
//! module, with `parts.wat` behind them; `module-fields` without; `as-is`, assembled and not wrapped; `bytes`, not even assembled.
//! In the place of `{{bodies}}` stands the text of `[repeat.bodies]`, as often as that states, with its number for each `{n}`.
//!
//! A manifest that agrees with the case is put inside its component. With `manifest.toml`, that one is; `beside.toml` is given
//! beside the component.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use refiner_rule_model::{Capability, Grants, Limits, contract};
use serde::Deserialize;

use super::component::{bare_component, manifest, module_of_fields, versioned, with_manifest};

/// Cases there are at least.
const CASES_MIN: usize = 40;

/// One folder of the corpus, read.
pub struct Case {
    /// Name of the case's folder.
    pub name: String,
    /// Content of the case's `expected.toml`.
    pub expected: Expected,
    folder: PathBuf,
}

/// The format of `expected.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The attack, in words for a reader of the case.
    #[serde(rename = "why")]
    _why: String,
    #[serde(default = "fields")]
    form: String,
    #[serde(default)]
    granted: Vec<String>,
    /// The kind of verdict, `refusal` or `failure`.
    pub outcome: String,
    /// The whole message; `{fuel}` stands for the fuel granted and `{layout}` for the layout of the specimen.
    message: String,
    #[serde(default)]
    limits: BTreeMap<String, u64>,
    /// Ceilings that the operator sets.
    #[serde(default)]
    ceilings: BTreeMap<String, u64>,
    /// The number of manifests put inside.
    #[serde(default = "one")]
    manifests: usize,
    /// Spaces behind the manifest.
    #[serde(default)]
    padding: usize,
    #[serde(default)]
    repeat: BTreeMap<String, Repeat>,
    /// Bytes of the component that are left of it.
    cut: Option<usize>,
    /// True for a case that is about state, which the specimen then has.
    #[serde(default)]
    pub needs_state: bool,
    /// Set for a component that may only be compiled in a process that may die of it, under these limits.
    pub compiler: Option<CompilerLimits>,
}

/// The most that compiling a case may cost.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompilerLimits {
    /// Most bytes of address space.
    pub memory_bytes: u64,
    /// Most milliseconds of wall time.
    pub wall_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    text: String,
    times: usize,
}

fn fields() -> String {
    "fields".to_owned()
}

const fn one() -> usize {
    1
}

/// Every case, by name.
pub fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile");
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir() && !path.ends_with("src")).collect();
    folders.sort();
    assert!(folders.len() >= CASES_MIN, "only {} cases found", folders.len());
    folders.into_iter().map(Case::read).collect()
}

impl Case {
    fn read(folder: PathBuf) -> Self {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join("expected.toml")).unwrap();
        let expected = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name, expected, folder }
    }

    /// The bytes that are offered as a rule.
    pub fn component(&self) -> Vec<u8> {
        let whole = self.whole();
        whole[..self.expected.cut.unwrap_or(whole.len())].to_vec()
    }

    fn whole(&self) -> Vec<u8> {
        let Expected { form, repeat, manifests, padding, .. } = &self.expected;
        let mut text = self.file("rule.wat").unwrap();
        for (name, Repeat { text: one, times }) in repeat {
            let all: String = (1..=*times).map(|number| one.replace("{n}", &number.to_string())).collect();
            text = text.replace(&format!("{{{{{name}}}}}"), &all);
        }
        let component = match form.as_str() {
            "fields" => bare_component(&module_of_fields(&text)),
            "module-fields" => bare_component(&format!("(module {text})")),
            "as-is" => wat::parse_str(versioned(&text)).unwrap(),
            "bytes" => return text.into_bytes(),
            other => panic!("unknown form {other}"),
        };
        let manifest = self.file("manifest.toml").unwrap_or_else(|| manifest(&text)) + &" ".repeat(*padding);
        (0..*manifests).fold(component, |component, _| with_manifest(&component, &manifest))
    }

    /// The manifest beside the component.
    pub fn beside(&self) -> Option<String> {
        self.file("beside.toml")
    }

    fn file(&self, name: &str) -> Option<String> {
        let path = self.folder.join(name);
        path.exists().then(|| fs::read_to_string(path).unwrap())
    }

    /// The limits that the operator grants.
    pub fn grants(&self) -> Grants {
        let capabilities = self.expected.granted.iter().map(|name| Capability::from_name(name).unwrap());
        let mut grants = Grants { capabilities: capabilities.collect(), ..Grants::default() };
        for (name, ceiling) in &self.expected.ceilings {
            grants.limits.set_by_name(name, *ceiling).unwrap();
        }
        grants
    }

    /// The limits that its run is granted.
    pub fn limits(&self, mut limits: Limits) -> Limits {
        for (name, granted) in &self.expected.limits {
            limits.set_by_name(name, *granted).unwrap();
        }
        limits
    }

    /// The expected end over a specimen of this layout and length: kind and message.
    pub fn end(&self, layout: &str, limits: &Limits, specimen_bytes: usize) -> (String, String) {
        let fuel = limits.fuel_for(specimen_bytes as u64).to_string();
        let message = self
            .expected
            .message
            .replace("{fuel}", &fuel)
            .replace("{layout}", layout)
            .replace("{contract}", contract::VERSION);
        (self.expected.outcome.clone(), message)
    }
}
