//! `#[derive(Row)]`: a struct checked against the columns of an output in `rule.toml`, which name what it writes.

use std::{env, fs, path::Path};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use refiner_manifest::{Column, ColumnType, Manifest, Output, Scalar};
use syn::{Data, DeriveInput, Error, Field, Fields, LitStr, Result, ext::IdentExt as _};

use crate::package::PackageError;

/// Columns that the specimen's block fills where the struct has no field of their name, with their type.
const OF_THE_BLOCK: [(&str, Scalar, &str); 4] = [
    ("chain_id", Scalar::U64, "ChainId"),
    ("block_number", Scalar::U64, "Height"),
    ("block_hash", Scalar::Hash, "Hash"),
    ("block_time", Scalar::Time, "Time"),
];

/// Reads the manifest of the crate under work and expands the derive.
pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fault = |error: PackageError| Error::new_spanned(&input.ident, format!("rule.toml: {error}"));
    let manifest = manifest().map_err(fault)?;
    let implementation = expand(input, &manifest)?;
    Ok(quote! {
        const _: &str = ::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/rule.toml"));
        #implementation
    })
}

fn manifest() -> std::result::Result<Manifest, PackageError> {
    let directory = env::var("CARGO_MANIFEST_DIR").map_err(|_| PackageError::NoCargo)?;
    let text = fs::read_to_string(Path::new(&directory).join("rule.toml")).map_err(PackageError::Unreadable)?;
    Ok(Manifest::parse(&text)?)
}

/// The implementation of `Row` for the struct.
fn expand(input: &DeriveInput, manifest: &Manifest) -> Result<TokenStream> {
    let fields = fields(input)?;
    let output = output(input, manifest)?;
    for field in &fields {
        let name = name(field);
        if !output.columns.iter().any(|column| column.name == name) {
            let known = names(output.columns.iter().map(|column| column.name.as_str()));
            return Err(Error::new_spanned(
                &field.ident,
                format!("output {} has no column {name} in rule.toml; it has {known}", output.name),
            ));
        }
    }
    let has_field = |column: &Column| fields.iter().any(|field| name(field) == column.name);
    let (of_fields, others): (Vec<_>, Vec<_>) = output.columns.iter().partition(|column| has_field(column));
    let block = others.into_iter().map(|column| block_value(input, output, column)).collect::<Result<Vec<_>>>()?;
    let writes = of_fields.into_iter().map(write);
    let (struct_name, (generics, arguments, bounds)) = (&input.ident, input.generics.split_for_impl());
    let (output_name, media_type) = (&output.name, &output.media_type);
    let schema = match &output.schema {
        Some(schema) => quote!(::core::option::Option::Some(#schema)),
        None => quote!(::core::option::Option::None),
    };
    Ok(quote! {
        impl #generics ::refiner_sdk::ndjson::Row for #struct_name #arguments #bounds {
            const OUTPUT: ::refiner_sdk::ndjson::RowOutput = ::refiner_sdk::ndjson::RowOutput {
                name: #output_name,
                media_type: #media_type,
                schema: #schema,
                block: &[#(#block),*],
            };

            fn write(&self, row: &mut ::refiner_sdk::ndjson::RowWriter<'_>) {
                #(#writes)*
            }
        }
    })
}

fn fields(input: &DeriveInput) -> Result<Vec<&Field>> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter().collect()),
            _ => Err(Error::new_spanned(&input.ident, "a row is a struct whose fields have the names of columns")),
        },
        _ => Err(Error::new_spanned(&input.ident, "a row is a struct")),
    }
}

/// The name of a field, without the mark of a raw identifier.
fn name(field: &Field) -> String {
    field.ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default()
}

/// The output that `#[row(output = "...")]` names, or the only one with columns.
fn output<'a>(input: &DeriveInput, manifest: &'a Manifest) -> Result<&'a Output> {
    let with_columns: Vec<_> = manifest.outputs.iter().filter(|output| !output.columns.is_empty()).collect();
    let known = || names(with_columns.iter().map(|output| output.name.as_str()));
    let mut wanted: Option<LitStr> = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("row")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("output") {
                return Err(meta.error("expected output = \"name of the output\""));
            }
            wanted = Some(meta.value()?.parse()?);
            Ok(())
        })?;
    }
    match (wanted, with_columns.as_slice()) {
        (Some(wanted), outputs) => {
            let fault =
                || Error::new(wanted.span(), format!("no such output with columns in rule.toml; it has {}", known()));
            outputs.iter().find(|output| output.name == wanted.value()).copied().ok_or_else(fault)
        }
        (None, [only]) => Ok(only),
        (None, []) => Err(Error::new_spanned(
            &input.ident,
            "no output in rule.toml has columns; name them by [[outputs.columns]]",
        )),
        (None, _) => Err(Error::new_spanned(
            &input.ident,
            format!("rule.toml has columns of {}; choose one by #[row(output = \"...\")]", known()),
        )),
    }
}

/// The key of a column without a field, and what of the block fills it.
fn block_value(input: &DeriveInput, output: &Output, column: &Column) -> Result<TokenStream> {
    let filled =
        OF_THE_BLOCK.iter().find(|(name, scalar, _)| *name == column.name && ColumnType::One(*scalar) == column.kind);
    let Some((_, _, value)) = filled else {
        return Err(Error::new_spanned(
            &input.ident,
            format!("column {} of output {} in rule.toml has no field here", column.name, output.name),
        ));
    };
    let (key, value) = (column.field(), format_ident!("{value}"));
    Ok(quote!((#key, ::refiner_sdk::ndjson::BlockValue::#value)))
}

/// The statement that writes a column.
fn write(column: &Column) -> TokenStream {
    let (key, field) = (column.field(), field_ident(&column.name));
    let kind = match column.kind {
        ColumnType::One(scalar) => marker(scalar),
        ColumnType::List(scalar) => {
            let item = marker(scalar);
            quote!(::refiner_sdk::ndjson::column::List<#item>)
        }
    };
    let check = if column.nullable { quote!(nullable) } else { quote!(value) };
    quote!(row.field(#key, ::refiner_sdk::ndjson::column::#check::<#kind, _>(&self.#field));)
}

/// The name of a column as a field: raw where it is a word of Rust, such as `type`.
fn field_ident(name: &str) -> syn::Ident {
    syn::parse_str(name).unwrap_or_else(|_| format_ident!("r#{name}"))
}

/// The type in `refiner_sdk::ndjson::column` that stands for a type of columns.
fn marker(scalar: Scalar) -> TokenStream {
    let name = format_ident!("{scalar:?}");
    quote!(::refiner_sdk::ndjson::column::#name)
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "name = \"a\"\nversion = \"1\"\nworld = \"transform\"\nlayouts = []\nlicence = \"x\"\nsource = \"y\"\n";

    fn manifest_of(outputs: &[(&str, &str)]) -> Manifest {
        let mut text = HEAD.to_owned();
        for (name, columns) in outputs {
            text.push_str(&format!("[[outputs]]\nname = {name:?}\nmedia-type = \"application/x-ndjson\"\n{columns}"));
        }
        Manifest::parse(&text).expect("a manifest")
    }

    fn columns(lines: &[&str]) -> String {
        lines.iter().map(|line| format!("[[outputs.columns]]\n{}\n", line.replace("; ", "\n"))).collect()
    }

    fn expanded(outputs: &[(&str, &str)], row: &str) -> std::result::Result<String, String> {
        let input = syn::parse_str(row).expect("a struct");
        expand(&input, &manifest_of(outputs))
            .map(|tokens| tokens.to_string().replace(' ', ""))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn columns_are_written_in_their_order_under_their_keys_and_the_block_fills_its_own() {
        let columns = columns(&[
            "name = \"block_number\"; type = \"u64\"; field = \"blockNumber\"",
            "name = \"type\"; type = \"list<u8>\"",
            "name = \"from_address\"; type = \"address\"; field = \"from\"; nullable = true",
        ]);
        let code =
            expanded(&[("o", &columns)], "struct Transfer<'a> { from_address: Option<Address>, r#type: &'a [u8] }");
        let code = code.expect("an expansion");
        let parts = [
            "impl<'a>::refiner_sdk::ndjson::RowforTransfer<'a>",
            "name:\"o\"",
            "block:&[(\"blockNumber\",::refiner_sdk::ndjson::BlockValue::Height)]",
            "row.field(\"type\",::refiner_sdk::ndjson::column::value::<::refiner_sdk::ndjson::column::List<::refiner_sdk::ndjson::column::U8>,_>(&self.r#type));",
            "row.field(\"from\",::refiner_sdk::ndjson::column::nullable::<::refiner_sdk::ndjson::column::Address,_>(&self.from_address));",
        ];
        let mut rest = code.as_str();
        for part in parts {
            let at = rest.find(part).unwrap_or_else(|| panic!("{part} is not in {rest}"));
            rest = &rest[at + part.len()..];
        }
    }

    #[test]
    fn struct_that_does_not_agree_with_the_columns_is_refused_with_what_is_there() {
        let one = columns(&["name = \"amount\"; type = \"u256\"", "name = \"index\"; type = \"u32\""]);
        let check =
            |row: &str, expected: &str| assert_eq!(expanded(&[("o", &one)], row), Err(expected.to_owned()), "{row}");
        check("struct R { amount: U256, indx: u32 }", "output o has no column indx in rule.toml; it has amount, index");
        check("struct R { amount: U256 }", "column index of output o in rule.toml has no field here");
        check("struct R(U256);", "a row is a struct whose fields have the names of columns");
        check("enum R { A }", "a row is a struct");
        check("#[row(name = \"o\")] struct R {}", "expected output = \"name of the output\"");
        check("#[row(output = \"p\")] struct R {}", "no such output with columns in rule.toml; it has o");
        // A column of the block's name with another type is not filled.
        let other = columns(&["name = \"block_time\"; type = \"u64\""]);
        let missing = "column block_time of output o in rule.toml has no field here";
        assert_eq!(expanded(&[("o", &other)], "struct R {}"), Err(missing.to_owned()));
    }

    #[test]
    fn one_of_several_outputs_is_chosen_by_its_name() {
        let one = columns(&["name = \"a\"; type = \"u8\""]);
        let outputs = [("first", one.as_str()), ("second", one.as_str()), ("plain", "")];
        let refused = expanded(&outputs, "struct R { a: u8 }");
        assert_eq!(
            refused,
            Err("rule.toml has columns of first, second; choose one by #[row(output = \"...\")]".to_owned())
        );
        let second = expanded(&outputs, "#[row(output = \"second\")] struct R { a: u8 }");
        assert!(second.is_ok_and(|code| code.contains("name:\"second\"")));
        let none = expanded(&[("plain", "")], "struct R { a: u8 }");
        assert_eq!(none, Err("no output in rule.toml has columns; name them by [[outputs.columns]]".to_owned()));
    }
}
