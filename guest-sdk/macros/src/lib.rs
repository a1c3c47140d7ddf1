//! Reads a rule's `rule.toml` while the rule compiles.
//!
//! * **Inputs**: the manifest beside the rule's `Cargo.toml`.
//! * **Outputs**: the `describe` export and rows by columns, or a compile error that names the fault of the manifest.
//! * **Invariants**: nothing happens at run time; a rule states what it is once, in its manifest.

mod package;
mod row;

use package::world_of;
use proc_macro::TokenStream;
use refiner_manifest::Manifest;

/// Expands to a `Description` made from the manifest. Its argument is the world the rule is exported for.
#[doc(hidden)]
#[proc_macro]
pub fn describe(world: TokenStream) -> TokenStream {
    let code = match world_of(&world.to_string()).and_then(package::manifest) {
        Ok(manifest) => description(&manifest),
        Err(error) => format!("::core::compile_error!({:?})", format!("rule.toml: {error}")),
    };
    code.parse().expect("the expansion is Rust")
}

/// Implements `refiner_sdk::ndjson::Row` for a struct whose fields are named as the columns of an output in `rule.toml`.
#[proc_macro_derive(Row, attributes(row))]
pub fn derive_row(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    row::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn description(manifest: &Manifest) -> String {
    let layouts: String = manifest.layouts.iter().map(|layout| format!("{},", owned(layout))).collect();
    let outputs: String = manifest
        .outputs
        .iter()
        .map(|output| {
            let schema = match &output.schema {
                Some(schema) => format!("::core::option::Option::Some({})", owned(schema)),
                None => "::core::option::Option::None".to_owned(),
            };
            format!(
                "::refiner_sdk::OutputDescription {{ name: {}, media_type: {}, schema: {schema} }},",
                owned(&output.name),
                owned(&output.media_type),
            )
        })
        .collect();
    // The unused constant makes cargo rebuild the rule when its manifest changes.
    format!(
        "{{ const _: &str = ::core::include_str!(::core::concat!(::core::env!(\"CARGO_MANIFEST_DIR\"), \"/rule.toml\"));
            ::refiner_sdk::Description {{
                name: {},
                version: {},
                layouts: ::std::vec![{layouts}],
                outputs: ::std::vec![{outputs}],
            }} }}",
        owned(&manifest.name),
        owned(&manifest.version),
    )
}

fn owned(text: &str) -> String {
    format!("::std::string::String::from({text:?})")
}
