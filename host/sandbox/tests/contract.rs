//! Nothing of an earlier minor version of the contract changed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use wit_parser::{Resolve, TypeDefKind};

fn directory(below_the_root: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(below_the_root)
}

/// Every type and function of every interface of a version, in words that leave out its number and its documentation.
fn items(directory: &Path) -> Vec<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(directory).unwrap();
    let mut items = Vec::new();
    for (name, id) in &resolve.packages[package].interfaces {
        let interface = &resolve.interfaces[*id];
        for (kind, id) in &interface.types {
            items.push(format!("{name}.{kind}: {}", words(&resolve, &resolve.types[*id].kind)));
        }
        for (function, described) in &interface.functions {
            let params: Vec<_> =
                described.params.iter().map(|param| format!("{}: {}", param.name, word(&resolve, &param.ty))).collect();
            let result = described.result.as_ref().map(|result| word(&resolve, result));
            items.push(format!("{name}.{function}({}) -> {result:?}", params.join(", ")));
        }
    }
    items
}

fn words(resolve: &Resolve, kind: &TypeDefKind) -> String {
    match kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter().map(|field| format!("{}: {}", field.name, word(resolve, &field.ty)));
            format!("record {:?}", fields.collect::<Vec<_>>())
        }
        TypeDefKind::Variant(variant) => {
            let case = |ty: &Option<wit_parser::Type>| ty.as_ref().map(|ty| word(resolve, ty));
            let cases = variant.cases.iter().map(|named| format!("{}: {:?}", named.name, case(&named.ty)));
            format!("variant {:?}", cases.collect::<Vec<_>>())
        }
        TypeDefKind::Enum(cases) => format!("enum {:?}", cases.cases.iter().map(|case| &case.name).collect::<Vec<_>>()),
        TypeDefKind::Option(of) => format!("option {}", word(resolve, of)),
        TypeDefKind::List(of) => format!("list {}", word(resolve, of)),
        TypeDefKind::Tuple(of) => {
            format!("tuple {:?}", of.types.iter().map(|ty| word(resolve, ty)).collect::<Vec<_>>())
        }
        TypeDefKind::Result(of) => {
            let side = |ty: &Option<wit_parser::Type>| ty.as_ref().map(|ty| word(resolve, ty));
            format!("result {:?} {:?}", side(&of.ok), side(&of.err))
        }
        TypeDefKind::Handle(handle) => match handle {
            wit_parser::Handle::Own(id) => format!("own {:?}", resolve.types[*id].name),
            wit_parser::Handle::Borrow(id) => format!("borrow {:?}", resolve.types[*id].name),
        },
        TypeDefKind::Resource => "resource".to_owned(),
        TypeDefKind::Type(of) => word(resolve, of),
        other => panic!("{other:?} has no words here"),
    }
}

fn word(resolve: &Resolve, ty: &wit_parser::Type) -> String {
    match ty {
        wit_parser::Type::Id(id) => {
            let named = &resolve.types[*id];
            named.name.clone().unwrap_or_else(|| words(resolve, &named.kind))
        }
        plain => format!("{plain:?}"),
    }
}

/// The items of the first version that this one has not, or has otherwise.
fn changed(present: &Path) -> Vec<String> {
    let present = items(present);
    items(&directory("tests/contract/1.0.0/wit")).into_iter().filter(|item| !present.contains(item)).collect()
}

#[test]
fn contract_has_every_type_and_function_of_its_first_version_as_it_was() {
    let first = items(&directory("tests/contract/1.0.0/wit"));
    assert!(first.len() > 60, "{}", first.len());
    assert_eq!(changed(&directory("wit/refiner-rule-1")), Vec::<String>::new());
}

#[test]
fn case_or_field_that_is_added_to_the_first_version_is_noticed() {
    for (from, to, item) in [
        ("unavailable(string),\n    }", "unavailable(string),\n        other,\n    }", "evm.execute-error"),
        ("success: bool,", "more: u8,\n        success: bool,", "evm.receipt"),
        ("log-count: func() -> u32;", "log-count: func() -> u64;", "evm.[method]execution.log-count"),
    ] {
        let changed_contract = tempfile_directory(item);
        for entry in fs::read_dir(directory("wit/refiner-rule-1")).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap();
            let text = if name == "evm.wit" { text.replacen(from, to, 1) } else { text };
            fs::write(changed_contract.join(name), text).unwrap();
        }
        let changed = changed(&changed_contract);
        fs::remove_dir_all(&changed_contract).unwrap();
        assert!(changed.len() == 1 && changed[0].starts_with(item), "{changed:?}");
    }
}

/// A directory for one case, which its test removes.
fn tempfile_directory(case: &str) -> PathBuf {
    let name = format!("{}-{}", std::process::id(), case.replace(['[', ']', '.'], "-"));
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).unwrap();
    directory
}
