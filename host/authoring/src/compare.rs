//! Two builds of one rule, part by part.

use std::{fmt, fs, path::Path};

use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};

use crate::digest;

/// Names of a core module's sections, by number.
const MODULE_SECTIONS: [&str; 14] = [
    "custom",
    "type",
    "import",
    "function",
    "table",
    "memory",
    "global",
    "export",
    "start",
    "element",
    "code",
    "data",
    "data count",
    "tag",
];

/// Parts that are listed as different.
const SHOWN_MAX: usize = 8;

/// The outcome of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Parts that are equal.
    pub equal: usize,
    /// Bytes in them.
    pub equal_bytes: usize,
    /// Parts that are not, the largest first.
    pub differences: Vec<Difference>,
}

/// A part in which two builds differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Name of the part.
    pub part: PartName,
    /// Bytes in one build; 0 where it has no such part.
    pub published_bytes: usize,
    /// Bytes in the other.
    pub built_bytes: usize,
}

/// Name of a part of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartName {
    /// The core module that it belongs to, counted from 1, or none for the component around them.
    module: Option<u32>,
    section: &'static str,
}

struct Part<'c> {
    name: PartName,
    bytes: &'c [u8],
}

/// Compares two components by their sections, in order. Neither is compiled.
pub fn compare(published: &[u8], built: &[u8]) -> Result<Comparison, BinaryReaderError> {
    let (published, built) = (parts(published)?, parts(built)?);
    let mut comparison = Comparison::default();
    for position in 0..published.len().max(built.len()) {
        let (one, other) = (published.get(position), built.get(position));
        let bytes = |part: Option<&Part<'_>>| part.map_or(0, |part| part.bytes.len());
        match (one, other) {
            (Some(one), Some(other)) if one.name == other.name && one.bytes == other.bytes => {
                comparison.equal += 1;
                comparison.equal_bytes += one.bytes.len();
            }
            _ => comparison.differences.extend(one.or(other).map(|part| Difference {
                part: part.name.clone(),
                published_bytes: bytes(one),
                built_bytes: bytes(other),
            })),
        }
    }
    comparison.differences.sort_by_key(|part| std::cmp::Reverse(part.published_bytes.max(part.built_bytes)));
    Ok(comparison)
}

/// The sections of the component and of all modules in it, in the order in which they stand.
fn parts(component: &[u8]) -> Result<Vec<Part<'_>>, BinaryReaderError> {
    let mut parts = Vec::new();
    let (mut open, mut modules) = (Vec::new(), 0_u32);
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        match &payload {
            Payload::Version { encoding, .. } => {
                let is_module = *encoding == Encoding::Module;
                modules += u32::from(is_module);
                open.push(is_module.then_some(modules));
            }
            Payload::End(_) => {
                open.pop();
            }
            // What is in them follows, part by part.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {}
            payload => {
                let Some((id, range)) = payload.as_section() else { continue };
                let module = open.last().copied().flatten();
                let section = match payload {
                    Payload::CustomSection(custom) if custom.name() == refiner_manifest::SECTION => "manifest",
                    _ if module.is_some() => MODULE_SECTIONS.get(usize::from(id)).copied().unwrap_or("other"),
                    Payload::CustomSection(_) => "custom",
                    _ => "component",
                };
                let bytes = component.get(range).unwrap_or_default();
                parts.push(Part { name: PartName { module, section }, bytes });
            }
        }
    }
    Ok(parts)
}

impl Comparison {
    /// The comparison for a person: a line on what is equal, and one for each of the largest differences.
    pub fn lines(&self) -> Vec<String> {
        let Self { equal, equal_bytes, differences } = self;
        let mut lines = vec![format!("equal: {equal} parts with {}", digest::size(*equal_bytes))];
        lines.extend(differences.iter().take(SHOWN_MAX).map(|part| format!("differs: {part}")));
        let more = differences.len().saturating_sub(SHOWN_MAX);
        if more > 0 {
            lines.push(format!("differs: {more} more, all of them smaller"));
        }
        lines
    }
}

/// The part that a toolchain does not reproduce, by the language of the source.
pub fn unreproducible(source: &Path) -> Option<&'static str> {
    let has = |extension: &str| {
        let entries = fs::read_dir(source).ok();
        entries.is_some_and(|mut entries| {
            entries
                .any(|entry| entry.is_ok_and(|entry| entry.path().extension().is_some_and(|found| found == extension)))
        })
    };
    if has("py") {
        Some(
            "not reproducible: componentize-py stores the memory of the running interpreter (the data section of the largest module) and \
             the libraries around it in another order each time; pin the component by its digest",
        )
    } else if has("js") || has("mjs") || has("ts") {
        Some(
            "not reproducible: componentize-js stores the memory of the running interpreter (the data section of the largest module), and \
             addresses in it stand in its code section; pin the component by its digest",
        )
    } else {
        None
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.module {
            Some(module) => write!(f, "the {} section of module {module}", self.section),
            None => write!(f, "the {} section", self.section),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, published_bytes, built_bytes } = self;
        write!(f, "{part}: {}, built again {}", digest::size(*published_bytes), digest::size(*built_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    /// A component with one module, whose only section is its data.
    fn with_data(data: &[u8]) -> Vec<u8> {
        let mut section = vec![1, 1, u8::try_from(data.len()).unwrap()];
        section.extend(data);
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend([11, u8::try_from(section.len()).unwrap()]);
        module.extend(section);
        let mut component = EMPTY.to_vec();
        component.extend([1, u8::try_from(module.len()).unwrap()]);
        component.extend(module);
        refiner_manifest::embed(&component, "name = \"a\"")
    }

    #[test]
    fn parts_that_differ_are_named_with_their_sizes() {
        let one = with_data(b"one");
        assert_eq!(compare(&one, &one).unwrap().differences, []);
        let differing = compare(&one, &with_data(b"other")).unwrap();
        let texts: Vec<_> = differing.differences.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["the data section of module 1: 6 B, built again 8 B"]);
        assert_eq!(differing.equal, 1, "the manifest");
        let other = refiner_manifest::embed(&refiner_manifest::without(&one).unwrap(), "name = \"b\"");
        assert!(compare(&one, &other).unwrap().differences[0].to_string().starts_with("the manifest section"));
        assert!(compare(&one, EMPTY).unwrap().differences.len() == 2);
        assert!(compare(&one, b"nothing").is_err());
    }
}
