//! The value that the SDK's `describe` returns, as a source in C.

use std::fmt::Write as _;

use refiner_manifest::Manifest;

/// The text of a source that defines `refiner_description` of `guest-sdk/c/refiner.h`.
pub fn of(manifest: &Manifest) -> String {
    let layouts: String = manifest.layouts.iter().map(|layout| format!("{}, ", literal(layout))).collect();
    let mut outputs = String::new();
    for output in &manifest.outputs {
        let schema = output.schema.as_deref().map_or_else(|| "NULL".to_owned(), literal);
        outputs.push_str(&format!("  {{{}, {}, {schema}}},\n", literal(&output.name), literal(&output.media_type)));
    }
    // No array of C is empty.
    format!(
        "#include \"refiner.h\"\n\
         static const char *const layouts[] = {{{layouts}NULL}};\n\
         static const refiner_output_description_t outputs[] = {{\n{outputs}  {{NULL, NULL, NULL}},\n}};\n\
         const refiner_description_t refiner_description = {{{}, {}, {}, layouts, {}, outputs}};\n",
        literal(&manifest.name),
        literal(&manifest.version),
        manifest.layouts.len(),
        manifest.outputs.len(),
    )
}

/// A string of C: what is no letter, digit or plain sign stands as three octal digits.
fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_./+ ".contains(&byte) {
            literal.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(literal, "\\{byte:03o}");
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_is_the_manifest_in_c() {
        let manifest = Manifest::parse(
            "name = \"a\"\nversion = \"1\"\nworld = \"transform\"\nlayouts = [\"0.37\", \"0.38\"]\nlicence = \"x\"\n\
             source = \"y\"\n[[outputs]]\nname = \"o\"\nmedia-type = \"text/csv\"\nschema = \"s\"\n\
             [[outputs]]\nname = \"p\"\nmedia-type = \"text/csv; header=present\"\n",
        );
        assert_eq!(
            of(&manifest.expect("a manifest")),
            "#include \"refiner.h\"\n\
             static const char *const layouts[] = {\"0.37\", \"0.38\", NULL};\n\
             static const refiner_output_description_t outputs[] = {\n  \
             {\"o\", \"text/csv\", \"s\"},\n  \
             {\"p\", \"text/csv\\073 header\\075present\", NULL},\n  \
             {NULL, NULL, NULL},\n};\n\
             const refiner_description_t refiner_description = {\"a\", \"1\", 2, layouts, 2, outputs};\n"
        );
        assert_eq!(literal("\"é\"7"), "\"\\042\\303\\251\\0427\"");
    }
}
