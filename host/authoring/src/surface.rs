//! The surface of a component: imports, exports and counts of its parts.

use wasmparser::{BinaryReaderError, Parser, Payload};

/// The surface of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surface {
    /// Names of imports of the outermost component, as they stand there.
    pub imports: Vec<String>,
    /// Names of its exports.
    pub exports: Vec<String>,
    /// Core modules, all together.
    pub modules: u64,
    /// Functions with a body, of all modules.
    pub functions: u64,
}

/// Bytes that cannot be read as a component.
#[derive(Debug, thiserror::Error)]
#[error("malformed at byte {}: {}", .0.offset(), .0.message())]
pub struct Malformed(#[from] BinaryReaderError);

/// Reads every section once. The names are a stranger's: escape them before they are shown.
pub fn read(component: &[u8]) -> Result<Surface, Malformed> {
    let mut surface = Surface::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ModuleSection { .. } => surface.modules += 1,
            Payload::CodeSectionStart { count, .. } => surface.functions += u64::from(count),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    surface.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    surface.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(surface)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_component_are_refused_and_an_empty_one_shows_nothing() {
        assert_eq!(read(b"\0asm\x0d\0\x01\0").unwrap(), Surface::default());
        assert!(read(b"\0asm\x0d\0\x01\0\x0b").is_err());
        assert!(read(b"nothing").is_err());
    }
}
