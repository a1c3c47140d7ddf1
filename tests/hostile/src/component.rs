//! Components from the text of a case. The sandbox's tests and the acceptance tests both take this file in.

use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

/// Gives a borrowed specimen back. It stands before the fields of a case because imports come first in a module.
const DROP: &str = r#"(import "refiner:rule/specimen" "[resource-drop]block-specimen" (func $drop (param i32)))"#;

/// A component over the contract from module fields, with `tests/hostile/parts.wat` behind them and a manifest inside.
pub fn component(fields: &str) -> Vec<u8> {
    component_of_module(&module_of_fields(fields))
}

/// A component over the contract from a module's text, with a manifest inside.
pub fn component_of_module(module: &str) -> Vec<u8> {
    with_manifest(&bare_component(module), &manifest(module))
}

/// A module's text from its first fields.
pub fn module_of_fields(fields: &str) -> String {
    let parts = std::fs::read_to_string(root().join("tests/hostile/parts.wat")).unwrap();
    if outputs(fields).next().is_none() {
        return format!("(module {DROP}\n{fields}\n{parts})");
    }
    let (list, data) = described_outputs(fields);
    assert!(parts.contains(NO_OUTPUTS));
    let parts = parts.replace(NO_OUTPUTS, &format!("(i64.store (i32.const 88) (i64.const {list}))"));
    format!("(module {DROP}\n{fields}\n{parts}\n{data})")
}

/// The place at which `describe` of `parts.wat` states that there are no outputs.
const NO_OUTPUTS: &str = "(i64.store (i32.const 88) (i64.const 0))";

/// The outputs that a text states, each in a line `;; output: name media-type` or `;; output: name media-type schema`.
fn outputs(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter_map(|line| Some(line.strip_prefix(";; output: ")?.split(' ').collect()))
}

/// The columns of an output that a text states, each in a line `;; column: output name type`, where a type that ends with `?` takes null.
fn columns(text: &str, output: &str) -> String {
    let stated =
        text.lines().filter_map(|line| line.strip_prefix(";; column: ")?.strip_prefix(output)?.strip_prefix(' '));
    stated
        .map(|column| {
            let (name, kind) = column.split_once(' ').unwrap();
            let (kind, null) = kind.strip_suffix('?').map_or((kind, ""), |kind| (kind, "nullable = true\n"));
            format!("[[outputs.columns]]\nname = {name:?}\ntype = {kind:?}\n{null}")
        })
        .collect()
}

/// Where the records of outputs stand in the memory of `parts.wat`, and where their texts do: above what cases use.
const RECORDS: usize = 600;
const TEXTS: usize = 824;

/// The list that `describe` gives: its length and pointer as one number, and the memory behind it.
fn described_outputs(text: &str) -> (usize, String) {
    let (mut records, mut texts) = (Vec::new(), String::new());
    let mut place = |text: &str| {
        let at = texts.find(text).unwrap_or_else(|| {
            texts.push_str(text);
            texts.len() - text.len()
        });
        [TEXTS + at, text.len()]
    };
    for output in outputs(text) {
        let [name, media_type, schema @ ..] = output.as_slice() else { panic!("{output:?}") };
        let [[name, name_len], [media, media_len]] = [place(name), place(media_type)];
        let [schema, schema_len] = schema.first().map_or([0, 0], |schema| place(schema));
        records.push([name, name_len, media, media_len, usize::from(schema > 0), schema, schema_len]);
    }
    assert!(RECORDS + 28 * records.len() <= TEXTS && TEXTS + texts.len() <= 1024, "outputs beyond their place");
    let words = records.iter().flatten().flat_map(|word| u32::try_from(*word).unwrap().to_le_bytes());
    let bytes: String = words.map(|byte| format!("\\{byte:02x}")).collect();
    let data = format!("(data (i32.const {RECORDS}) \"{bytes}\") (data (i32.const {TEXTS}) {texts:?})");
    (records.len() << 32 | RECORDS, data)
}

/// Interfaces that came after the first version of the contract.
const LATER: [&str; 6] = ["receipts", "recordings", "traces", "state-changes", "gas-profile", "what-if"];
/// What stands before the name of an interface of the contract.
const PACKAGE: &str = "refiner:rule/";

/// The contract that a text is built for, the first one unless it imports what came later: its package, and the world of everything.
fn contract_of(text: &str) -> (Resolve, PackageId, &'static str) {
    let imports = |interface: &&str| text.contains(&format!("{PACKAGE}{interface}\""));
    let (wit, world) = match LATER.iter().any(imports) {
        true => ("wit/refiner-rule-1", "analyze"),
        false => ("tests/contract/1.0.0/wit", "transform-with-evm"),
    };
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(root().join(wit)).unwrap();
    (resolve, package, world)
}

/// The text with the version of its contract behind the name of each interface that states none, so that no case writes it.
pub fn versioned(text: &str) -> String {
    let (resolve, package, _) = contract_of(text);
    let version = resolve.packages[package].name.version.clone().unwrap();
    let mut parts = text.split(PACKAGE);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end =
            part.find(|character: char| !character.is_ascii_lowercase() && character != '-').unwrap_or(part.len());
        let (interface, rest) = part.split_at(end);
        whole += PACKAGE;
        whole += interface;
        if rest.starts_with(['"', '#']) {
            whole += &format!("@{version}");
        }
        whole += rest;
    }
    whole
}

/// A component without a manifest.
pub fn bare_component(module: &str) -> Vec<u8> {
    let with_wasi = module.contains("wasi:");
    let (mut resolve, mut package, mut world) = contract_of(module);
    let mut module = wat::parse_str(versioned(module)).unwrap();
    if with_wasi {
        (package, world) = (resolve.push_file(root().join("tests/hostile/wasi.wit")).unwrap(), "sealed");
    }
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

/// The manifest of a rule that describes itself as `parts.wat` does. It asks for what the text imports.
pub fn manifest(text: &str) -> String {
    let asked = ["evm", "receipts", "traces", "state-changes", "gas-profile", "what-if"];
    let asked = asked.into_iter().filter(|name| text.contains(&format!("{PACKAGE}{name}\"")));
    let capabilities = asked.map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let world = if capabilities.is_empty() { "transform" } else { "transform-with-evm" };
    let wasi = if text.contains("wasi:") { "wasi = \"sealed\"\n" } else { "" };
    let outputs: String = outputs(text)
        .map(|output| {
            let schema = output.get(2).map_or_else(String::new, |schema| format!("schema = {schema:?}\n"));
            let columns = columns(text, output[0]);
            format!("[[outputs]]\nname = {:?}\nmedia-type = {:?}\n{schema}{columns}", output[0], output[1])
        })
        .collect();
    let none = if outputs.is_empty() { "outputs = []\n" } else { "" };
    format!(
        "name = \"case\"\nversion = \"1.0.0\"\nworld = \"{world}\"\nlayouts = []\ncapabilities = [{capabilities}]\n{wasi}\
         {none}licence = \"Apache-2.0\"\nsource = \"tests/hostile\"\n{outputs}"
    )
}

/// The component with a manifest in a custom section, written byte by byte and not by the host's crates.
pub fn with_manifest(component: &[u8], manifest: &str) -> Vec<u8> {
    const NAME: &[u8] = b"refiner:rule-manifest";
    let name_length = u8::try_from(NAME.len()).unwrap();
    let content = [&[name_length], NAME, manifest.as_bytes()].concat();
    let mut whole = [component, &[0]].concat();
    let mut length = content.len();
    while length >= 0x80 {
        whole.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    whole.push(u8::try_from(length).unwrap());
    whole.extend(content);
    whole
}

/// The root of the repository; every crate of the host is two folders below it.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
