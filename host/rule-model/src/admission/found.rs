//! What lies in the place of a component, and the remedy of the toolchain that made it.

use std::fmt;

use wasmparser::{KnownCustom, Parser, Payload};

/// What was found in the place of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Found {
    /// No bytes.
    Nothing,
    /// A core module: what a compiler writes before it is made a component.
    CoreModule(Option<Toolchain>),
    /// WebAssembly text.
    Text,
    /// `Cargo.toml` of a Rust crate.
    CargoManifest,
    /// `go.mod` of a Go module.
    GoModule,
    /// `package.json` of a JavaScript package.
    NodePackage,
    /// `pyproject.toml` of a Python project.
    PythonProject,
    /// None of these.
    SomethingElse,
}

/// A toolchain that names itself in the modules that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Toolchain {
    /// rustc.
    Rust,
    /// Go's own compiler.
    Go,
    /// clang.
    Clang,
}

/// Starts of lines by which the files of toolchains are told.
const GO_MODULE: &str = "module ";
const CARGO_SECTIONS: [&str; 2] = ["[package]", "[workspace]"];
const PYTHON_SECTIONS: [&str; 2] = ["[project]", "[build-system]"];
/// Keys of which every package of npm that is built has one.
const NODE_KEYS: [&str; 3] = ["\"scripts\"", "\"dependencies\"", "\"devDependencies\""];
/// Bytes that are looked at to tell one text from another.
const TEXT_BYTES: usize = 4_096;

impl Found {
    /// What these bytes are, which are no component.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let start = bytes.trim_ascii_start();
        if bytes.is_empty() {
            Self::Nothing
        } else if Parser::is_core_wasm(bytes) {
            Self::CoreModule(Toolchain::of(bytes))
        } else if start.starts_with(b"(") || start.starts_with(b";;") {
            Self::Text
        } else {
            Self::of_text(&String::from_utf8_lossy(&start[..start.len().min(TEXT_BYTES)]))
        }
    }

    fn of_text(text: &str) -> Self {
        let any_line =
            |starts: &[&str]| text.lines().any(|line| starts.iter().any(|start| line.trim_start().starts_with(start)));
        if text.starts_with('{') && NODE_KEYS.iter().any(|key| text.contains(key)) {
            Self::NodePackage
        } else if any_line(&CARGO_SECTIONS) {
            Self::CargoManifest
        } else if any_line(&PYTHON_SECTIONS) {
            Self::PythonProject
        } else if any_line(&[GO_MODULE]) {
            Self::GoModule
        } else {
            Self::SomethingElse
        }
    }

    /// Advice for its author.
    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::CoreModule(Some(Toolchain::Rust)) | Self::CargoManifest => {
                "`refiner rule build` in the crate's folder makes a component of it, with its manifest inside"
            }
            Self::CoreModule(Some(Toolchain::Go)) | Self::GoModule => {
                "`refiner rule build` in the folder with go.mod makes a component of it, with its manifest inside; `go build` alone does not"
            }
            Self::CoreModule(Some(Toolchain::Clang)) => {
                "make a component of it by `wasm-tools component new`, then put its manifest inside by `refiner rule embed FILE rule.toml`"
            }
            Self::NodePackage => {
                "build it with componentize-js, put its manifest inside by `refiner rule embed FILE rule.toml`, and name the component"
            }
            Self::PythonProject => {
                "build it with componentize-py, put its manifest inside by `refiner rule embed FILE rule.toml`, and name the component"
            }
            Self::Nothing | Self::CoreModule(None) | Self::Text | Self::SomethingElse => {
                super::remedy::RefusalKind::NotAComponent.remedy()
            }
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "no bytes",
            Self::CoreModule(None) => "a core module",
            Self::CoreModule(Some(Toolchain::Rust)) => "a core module made by rustc",
            Self::CoreModule(Some(Toolchain::Go)) => "a core module made by Go",
            Self::CoreModule(Some(Toolchain::Clang)) => "a core module made by clang",
            Self::Text => "WebAssembly text",
            Self::CargoManifest => "the Cargo.toml of a Rust crate",
            Self::GoModule => "the go.mod of a Go module",
            Self::NodePackage => "the package.json of a JavaScript package",
            Self::PythonProject => "the pyproject.toml of a Python project",
            Self::SomethingElse => "bytes that are not WebAssembly",
        })
    }
}

impl Toolchain {
    /// The toolchain that the module's section `producers` names; `None` where it has none that can be read, or names another.
    fn of(module: &[u8]) -> Option<Self> {
        let sections = Parser::new(0).parse_all(module).map_while(Result::ok);
        let producers = sections.into_iter().find_map(|payload| match payload {
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::Producers(producers) => Some(producers),
                _ => None,
            },
            _ => None,
        })?;
        let fields = producers.into_iter().map_while(Result::ok);
        let names = fields.flat_map(|field| field.values.into_iter().map_while(Result::ok).map(|value| value.name));
        let names: Vec<_> = names.collect();
        let has = |wanted: fn(&str) -> bool| names.iter().any(|name| wanted(name));
        if has(|name| name == "rustc") {
            Some(Self::Rust)
        } else if has(|name| name == "Go" || name.starts_with("Go cmd")) {
            Some(Self::Go)
        } else {
            has(|name| name.contains("clang")).then_some(Self::Clang)
        }
    }
}
