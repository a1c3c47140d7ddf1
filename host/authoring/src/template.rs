//! A new rule: a folder that builds and passes its tests as it is written.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_manifest::World;

use crate::{
    language::Language,
    name::RuleName,
    sdk::{self, LockError},
};

/// Name and bytes of the specimen that comes with a rule.
pub const SAMPLE: (&str, &[u8]) = ("sample.avro", include_bytes!("../../../tests/samples/1-22500000.avro"));

/// Name of the rule in the template's own files.
const PLACEHOLDER: &str = "my-rule";

/// The SDKs of other languages than Rust, among the sources of them all.
const GO_SDK: &str = "guest-sdk/go/";
const PYTHON_SDK: &str = "guest-sdk/python/";
const JAVASCRIPT_SDK: &str = "guest-sdk/javascript/";
const C_SDK: &str = "guest-sdk/c/";
/// The contract among them.
const CONTRACT: &str = "wit/refiner-rule-1/";

const CARGO_TOML: &str = include_str!("../template/Cargo.toml.txt");
const GITIGNORE: &str = include_str!("../template/gitignore.txt");
const README: &str = include_str!("../template/README.md");

/// Errors of making a new rule.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// Something is there, and it is not overwritten.
    #[error("{} is there already, and nothing is overwritten", .0.display())]
    Exists(PathBuf),
    /// A word of Rust or of cargo as the name of a crate.
    #[error("{:?} means something to Rust or cargo already", .0.as_str())]
    Taken(RuleName),
    /// The operating system refuses it.
    #[error("{}: {source}", .path.display())]
    Write {
        /// Path of the file or directory.
        path: PathBuf,
        /// The cause of the failure.
        source: io::Error,
    },
    /// The lock file cannot be made.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl Diagnostic for NewError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Exists(_) | Self::Write { .. } => Some("name another directory with --dir".into()),
            Self::Taken(name) | Self::Lock(LockError::Taken(name)) => {
                Some(format!("give the rule another name, such as my-{name}: `refiner rule new my-{name}`").into())
            }
            Self::Lock(LockError::Syntax(_) | LockError::Missing(_)) => None,
        }
    }
}

/// Writes a new rule to `directory`, which must not be there or be empty.
///
/// It appears whole or not at all: it is written beside its place and then renamed. Into a directory that is there, which may be a shell's
/// own, its files are moved one by one, the manifest last.
pub fn write(rule: &RuleName, world: World, language: Language, directory: &Path) -> Result<(), NewError> {
    if rule.is_taken_in(language) {
        return Err(NewError::Taken(rule.clone()));
    }
    let is_there = match fs::read_dir(directory).map(|mut found| found.next().is_none()) {
        Ok(true) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Ok(false) | Err(_) => return Err(NewError::Exists(directory.to_owned())),
    };
    let refuse = |source| NewError::Write { path: directory.to_owned(), source };
    let beside = directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = if is_there { directory } else { beside };
    fs::create_dir_all(parent).map_err(refuse)?;
    let part =
        tempfile::Builder::new().prefix(".refiner-rule-").permissions(listable()).tempdir_in(parent).map_err(refuse)?;
    for (name, content) in files(rule, world, language)? {
        let path = part.path().join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, content));
        written.map_err(|source| NewError::Write { path, source })?;
    }
    if !is_there {
        // From here on there is nothing to clean up but what is renamed.
        return fs::rename(part.keep(), directory).map_err(refuse);
    }
    let entries = fs::read_dir(part.path()).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(refuse)?;
    let mut names: Vec<_> = entries.iter().map(fs::DirEntry::file_name).collect();
    names.sort_by_key(|name| name == "rule.toml");
    names.iter().try_for_each(|name| fs::rename(part.path().join(name), directory.join(name))).map_err(refuse)
}

/// Permissions of an ordinary directory, before the umask; temporary ones are private by default.
fn listable() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o755)
}

/// Path below the rule's directory, and content, of a file.
type File = (String, Vec<u8>);

fn files(rule: &RuleName, world: World, language: Language) -> Result<Vec<File>, LockError> {
    let named = |(name, text): (&str, &str)| (name.to_owned(), text.replace(PLACEHOLDER, rule.as_str()).into_bytes());
    let mut files: Vec<File> = match language {
        Language::Rust => rust(world).into_iter().map(named).collect(),
        Language::Go => go(world).into_iter().map(named).collect(),
        Language::Python => python(world).into_iter().map(named).collect(),
        Language::JavaScript => javascript(world).into_iter().map(named).collect(),
        Language::C => c(world).into_iter().map(named).collect(),
    };
    if language == Language::Rust {
        files.push(("Cargo.lock".to_owned(), sdk::lock_of(rule)?.into_bytes()));
    }
    files.push((SAMPLE.0.to_owned(), SAMPLE.1.to_vec()));
    for (name, content) in sdk::FILES {
        if let Some(path) = path_of_sdk(language, name) {
            files.push((format!("sdk/{path}"), content.as_bytes().to_vec()));
        }
    }
    Ok(files)
}

/// Where a source of the SDKs goes below `sdk/`; `None` for one of another language.
fn path_of_sdk(language: Language, name: &str) -> Option<String> {
    let of = |sdk: &str| name.strip_prefix(sdk).map(str::to_owned);
    let contract = || name.strip_prefix(CONTRACT).map(|name| format!("wit/{name}"));
    match language {
        Language::Rust => {
            let is_another = [GO_SDK, PYTHON_SDK, JAVASCRIPT_SDK, C_SDK].iter().any(|sdk| name.starts_with(sdk));
            (!is_another).then(|| name.to_owned())
        }
        Language::Go => of(GO_SDK),
        Language::Python => of(PYTHON_SDK).or_else(contract),
        Language::JavaScript => of(JAVASCRIPT_SDK).or_else(contract),
        Language::C => of(C_SDK),
    }
}

/// The files of a rule in Rust, by name.
fn rust(world: World) -> [(&'static str, &'static str); 5] {
    let (source, manifest) = match world {
        World::Transform => {
            (include_str!("../template/transform/lib.rs"), include_str!("../template/transform/rule.toml"))
        }
        World::TransformWithEvm => (
            include_str!("../template/transform-with-evm/lib.rs"),
            include_str!("../template/transform-with-evm/rule.toml"),
        ),
    };
    [
        ("Cargo.toml", CARGO_TOML),
        ("rule.toml", manifest),
        ("src/lib.rs", source),
        ("README.md", README),
        (".gitignore", GITIGNORE),
    ]
}

/// The files of a rule in Go, by name.
fn go(world: World) -> [(&'static str, &'static str); 6] {
    let (source, test, manifest) = match world {
        World::Transform => (
            include_str!("../template/go/transform/rule.go.txt"),
            include_str!("../template/go/transform/rule_test.go.txt"),
            include_str!("../template/go/transform/rule.toml"),
        ),
        World::TransformWithEvm => (
            include_str!("../template/go/transform-with-evm/rule.go.txt"),
            include_str!("../template/go/transform-with-evm/rule_test.go.txt"),
            include_str!("../template/go/transform-with-evm/rule.toml"),
        ),
    };
    [
        ("go.mod", include_str!("../template/go/go.mod.txt")),
        ("rule.go", source),
        ("rule_test.go", test),
        ("rule.toml", manifest),
        ("README.md", include_str!("../template/go/README.md")),
        (".gitignore", "/*.wasm\n"),
    ]
}

/// The files of a rule in Python, by name.
fn python(world: World) -> [(&'static str, &'static str); 7] {
    let (rule, rows, test, manifest) = match world {
        World::Transform => (
            include_str!("../template/python/transform/rule.py"),
            include_str!("../template/python/transform/rows.py"),
            include_str!("../template/python/transform/test_rows.py"),
            include_str!("../template/python/transform/rule.toml"),
        ),
        World::TransformWithEvm => (
            include_str!("../template/python/transform-with-evm/rule.py"),
            include_str!("../template/python/transform-with-evm/rows.py"),
            include_str!("../template/python/transform-with-evm/test_rows.py"),
            include_str!("../template/python/transform-with-evm/rule.toml"),
        ),
    };
    [
        ("pyproject.toml", include_str!("../template/python/pyproject.toml")),
        ("rule.py", rule),
        ("rows.py", rows),
        ("test_rows.py", test),
        ("rule.toml", manifest),
        ("README.md", include_str!("../template/python/README.md")),
        (".gitignore", "/*.wasm\n/.venv\n__pycache__\n"),
    ]
}

/// The files of a rule in JavaScript, by name.
fn javascript(world: World) -> [(&'static str, &'static str); 7] {
    let (rule, rows, test, manifest) = match world {
        World::Transform => (
            include_str!("../template/javascript/transform/rule.js"),
            include_str!("../template/javascript/transform/rows.js"),
            include_str!("../template/javascript/transform/rows.test.js"),
            include_str!("../template/javascript/transform/rule.toml"),
        ),
        World::TransformWithEvm => (
            include_str!("../template/javascript/transform-with-evm/rule.js"),
            include_str!("../template/javascript/transform-with-evm/rows.js"),
            include_str!("../template/javascript/transform-with-evm/rows.test.js"),
            include_str!("../template/javascript/transform-with-evm/rule.toml"),
        ),
    };
    [
        ("package.json", include_str!("../template/javascript/package.json.txt")),
        ("rule.js", rule),
        ("rows.js", rows),
        ("rows.test.js", test),
        ("rule.toml", manifest),
        ("README.md", include_str!("../template/javascript/README.md")),
        (".gitignore", "/*.wasm\n/node_modules\n"),
    ]
}

/// The files of a rule in C, by name.
fn c(world: World) -> [(&'static str, &'static str); 8] {
    let (rule, header, rows, test, manifest) = match world {
        World::Transform => (
            include_str!("../template/c/transform/rule.c"),
            include_str!("../template/c/transform/rows.h"),
            include_str!("../template/c/transform/rows.c"),
            include_str!("../template/c/transform/rows_test.c"),
            include_str!("../template/c/transform/rule.toml"),
        ),
        World::TransformWithEvm => (
            include_str!("../template/c/transform-with-evm/rule.c"),
            include_str!("../template/c/transform-with-evm/rows.h"),
            include_str!("../template/c/transform-with-evm/rows.c"),
            include_str!("../template/c/transform-with-evm/rows_test.c"),
            include_str!("../template/c/transform-with-evm/rule.toml"),
        ),
    };
    [
        ("rule.c", rule),
        ("rows.h", header),
        ("rows.c", rows),
        ("rows_test.c", test),
        ("rule.toml", manifest),
        // For editors, which show what the compiler would.
        ("compile_flags.txt", "-Isdk\n"),
        ("README.md", include_str!("../template/c/README.md")),
        (".gitignore", "/*.wasm\n/.venv\n/rows_test\n"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::componentize::{JAVASCRIPT_VERSION, PYTHON_VERSION};
    use refiner_manifest::Manifest;

    fn name() -> RuleName {
        "busy-contracts".parse().expect("a name")
    }

    fn entries(directory: &Path) -> usize {
        fs::read_dir(directory).expect("the directory is there").count()
    }

    #[test]
    fn new_rule_is_named_everywhere_and_says_what_it_is() {
        for world in [World::Transform, World::TransformWithEvm] {
            let parent = tempfile::tempdir().expect("a directory");
            let directory = parent.path().join("busy-contracts");
            write(&name(), world, Language::Rust, &directory).expect("nothing is in the way");
            let read = |file: &str| fs::read_to_string(directory.join(file)).expect(file);
            for file in ["Cargo.toml", "rule.toml", "src/lib.rs", "README.md"] {
                assert!(!read(file).contains(PLACEHOLDER), "{file}");
            }
            let manifest = Manifest::parse(&read("rule.toml")).expect("a manifest");
            assert_eq!((manifest.name.as_str(), manifest.world), ("busy-contracts", world));
            assert!(read("Cargo.lock").contains("name = \"busy-contracts\""));
            assert!(directory.join("sdk/guest-sdk/src/lib.rs").is_file());
            assert_eq!(entries(parent.path()), 1, "nothing else is left behind");
        }
    }

    #[test]
    fn new_rule_in_go_has_the_sdk_of_go_and_nothing_of_cargo() {
        for world in [World::Transform, World::TransformWithEvm] {
            let parent = tempfile::tempdir().expect("a directory");
            let directory = parent.path().join("busy-contracts");
            write(&name(), world, Language::Go, &directory).expect("nothing is in the way");
            let read = |file: &str| fs::read_to_string(directory.join(file)).expect(file);
            for file in ["go.mod", "rule.go", "rule_test.go", "rule.toml", "README.md"] {
                assert!(!read(file).contains(PLACEHOLDER), "{file}");
            }
            let manifest = Manifest::parse(&read("rule.toml")).expect("a manifest");
            assert_eq!((manifest.name.as_str(), manifest.world), ("busy-contracts", world));
            assert!(directory.join("sdk/sdk.go").is_file() && directory.join("sdk/wit/worlds.wit").is_file());
            assert!(!directory.join("Cargo.lock").exists() && !directory.join("sdk/guest-sdk").exists());
            assert!(!directory.join("sdk/sdk_test.go").exists());
        }
    }

    #[test]
    fn new_rule_in_a_script_has_its_sdk_the_contract_and_the_toolchain_that_is_tested() {
        let pinned = [
            (Language::Python, "pyproject.toml", format!("\"componentize-py=={PYTHON_VERSION}\"")),
            (
                Language::JavaScript,
                "package.json",
                format!("\"@bytecodealliance/componentize-js\": \"{JAVASCRIPT_VERSION}\""),
            ),
        ];
        for (language, project, toolchain) in pinned {
            for world in [World::Transform, World::TransformWithEvm] {
                let parent = tempfile::tempdir().expect("a directory");
                let directory = parent.path().join("busy-contracts");
                write(&name(), world, language, &directory).expect("nothing is in the way");
                let read = |file: &str| fs::read_to_string(directory.join(file)).expect(file);
                let ending = if language == Language::Python { "py" } else { "js" };
                for file in [project, "rule.toml", "README.md", &format!("rule.{ending}"), &format!("rows.{ending}")] {
                    assert!(!read(file).contains(PLACEHOLDER), "{file}");
                }
                assert!(read(project).contains(&toolchain), "{toolchain}");
                assert!(language != Language::Python || read("README.md").contains(PYTHON_VERSION));
                let manifest = Manifest::parse(&read("rule.toml")).expect("a manifest");
                assert_eq!((manifest.name.as_str(), manifest.world), ("busy-contracts", world));
                assert!(directory.join("sdk/contract").with_extension(ending).is_file());
                assert!(directory.join("sdk/wit/worlds.wit").is_file());
                assert!(!directory.join("sdk/guest-sdk").exists() && !directory.join("Cargo.lock").exists());
            }
        }
    }

    #[test]
    fn new_rule_in_c_has_its_sdk_and_the_toolchain_that_is_tested() {
        for world in [World::Transform, World::TransformWithEvm] {
            let parent = tempfile::tempdir().expect("a directory");
            let directory = parent.path().join("busy-contracts");
            write(&name(), world, Language::C, &directory).expect("nothing is in the way");
            let read = |file: &str| fs::read_to_string(directory.join(file)).expect(file);
            for file in ["rule.c", "rows.h", "rows.c", "rows_test.c", "rule.toml", "README.md"] {
                assert!(!read(file).contains(PLACEHOLDER), "{file}");
            }
            assert!(read("README.md").contains(&format!("ziglang=={}", crate::c::ZIG_VERSION)));
            let manifest = Manifest::parse(&read("rule.toml")).expect("a manifest");
            assert_eq!((manifest.name.as_str(), manifest.world), ("busy-contracts", world));
            for file in ["refiner.h", "refiner.c", "contract.h", "contract.c"] {
                assert!(directory.join("sdk").join(file).is_file(), "{file}");
            }
            assert!(!directory.join("sdk/guest-sdk").exists() && !directory.join("Cargo.lock").exists());
        }
    }

    #[test]
    fn word_of_rust_names_no_crate_and_a_rule_of_another_language() {
        let parent = tempfile::tempdir().expect("a directory");
        let sdk: RuleName = "sdk".parse().expect("a name");
        let error = write(&sdk, World::Transform, Language::Rust, &parent.path().join("rust")).expect_err("a crate");
        assert!(matches!(&error, NewError::Taken(name) if *name == sdk), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("`refiner rule new my-sdk`")), "{:?}", error.hint());
        assert_eq!(entries(parent.path()), 0);
        for language in Language::ALL.into_iter().filter(|language| *language != Language::Rust) {
            write(&sdk, World::Transform, language, &parent.path().join(language.as_str()))
                .expect("nothing is in the way");
        }
    }

    #[test]
    fn nothing_is_overwritten_and_an_empty_directory_is_filled() {
        use std::os::unix::fs::MetadataExt as _;
        let directory = tempfile::tempdir().expect("a directory");
        let inode = || fs::metadata(directory.path()).expect("it is there").ino();
        let before = inode();
        write(&name(), World::Transform, Language::Rust, directory.path()).expect("it is empty");
        assert_eq!(inode(), before, "a shell that is in it stays in it");
        let names =
            fs::read_dir(directory.path()).expect("it is there").map(|entry| entry.expect("an entry").file_name());
        let names: Vec<_> = names.collect();
        assert!(names.iter().any(|name| name == "rule.toml") && names.iter().any(|name| name == "sdk"), "{names:?}");
        assert!(
            !names
                .iter()
                .any(|name| name.to_string_lossy().starts_with('.') && name != ".gitignore" && name != ".cargo"),
            "{names:?}"
        );
        let error = write(&name(), World::Transform, Language::Rust, directory.path()).expect_err("it is full");
        assert!(matches!(&error, NewError::Exists(path) if path == directory.path()), "{error}");
        let file = directory.path().join("Cargo.toml");
        assert!(matches!(write(&name(), World::Transform, Language::Go, &file), Err(NewError::Exists(_))));
    }
}
