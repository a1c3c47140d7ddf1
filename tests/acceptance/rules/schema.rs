//! A small and strict check of a row against its JSON Schema: it knows the keywords that the schemas of rows use and
//! stops at any other.

use std::{fs, path::Path};

use serde_json::Value;

/// Keywords that decide nothing about validity here, or that the root handles.
const ASIDE: [&str; 9] =
    ["$schema", "$id", "$defs", "title", "description", "required", "properties", "additionalProperties", "maximum"];

/// The schema of a row.
pub struct Schema(Value);

impl Schema {
    /// Reads a schema and checks that it describes an object of known keys, those that are required in front.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let schema: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(path.ends_with(Path::new(schema["$id"].as_str().unwrap())), "{}", schema["$id"]);
        assert_eq!((&schema["type"], &schema["additionalProperties"]), (&Value::from("object"), &Value::from(false)));
        let properties = schema["properties"].as_object().unwrap();
        let required = names(&schema).count();
        assert!(properties.keys().take(required).eq(names(&schema)), "required keys stand in front, in their order");
        for (name, property) in properties {
            assert!(property["title"].is_string(), "{name} has no title");
        }
        Self(schema)
    }

    /// Checks a row, and that its keys stand in the schema's order.
    pub fn check(&self, row: &Value) -> Result<(), String> {
        let object = row.as_object().ok_or("no object")?;
        let properties = self.0["properties"].as_object().unwrap();
        let required = names(&self.0).count();
        let optional = |key: &String| properties.keys().skip(required).any(|name| name == key);
        if !object.keys().take(required).eq(names(&self.0)) || !object.keys().skip(required).all(optional) {
            return Err("other keys, or in another order".to_owned());
        }
        object.iter().try_for_each(|(key, value)| {
            if self.holds(&self.0["properties"][key], value) { Ok(()) } else { Err(format!("{key} is {value}")) }
        })
    }

    fn holds(&self, schema: &Value, value: &Value) -> bool {
        schema.as_object().unwrap().iter().all(|(keyword, wanted)| match keyword.as_str() {
            "$ref" => {
                let pointer = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                self.holds(self.0.pointer(pointer).unwrap(), value)
            }
            "oneOf" => {
                wanted.as_array().unwrap().iter().filter(|alternative| self.holds(alternative, value)).count() == 1
            }
            "enum" => wanted.as_array().unwrap().contains(value),
            "type" => match wanted.as_str().unwrap() {
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "null" => value.is_null(),
                "integer" => value.is_i64() || value.is_u64(),
                other => panic!("type {other} is not used in rows"),
            },
            "minimum" => {
                let number = |value: &Value| value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
                let within = number(wanted).unwrap()..=number(&schema["maximum"]).unwrap();
                number(value).is_some_and(|number| within.contains(&number))
            }
            "pattern" => value.as_str().is_some_and(|text| matches(wanted.as_str().unwrap(), text)),
            aside => {
                assert!(ASIDE.contains(&aside), "the check does not know {aside}");
                true
            }
        })
    }
}

fn names(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap())
}

/// The patterns of the schemas: so many hexadecimal digits or any number of bytes, a decimal number of 256 bits, plain words, and
/// mnemonics.
fn matches(pattern: &str, text: &str) -> bool {
    if pattern == "^(0|[1-9][0-9]{0,77})$" {
        let digits = !text.is_empty() && text.len() <= 78 && text.bytes().all(|byte| byte.is_ascii_digit());
        return digits && (text == "0" || !text.starts_with('0'));
    }
    if pattern == "^[a-z][a-z0-9: ]*$" {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b':' | b' ');
        return text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(plain);
    }
    if pattern == "^([A-Z0-9]+|[a-z]+( [a-z]+)?)$" {
        let words: Vec<&str> = text.split(' ').collect();
        let all = |word: &&str, of: fn(u8) -> bool| !word.is_empty() && word.bytes().all(of);
        let upper = words.len() == 1 && all(&text, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        return upper || (words.len() <= 2 && words.iter().all(|word| all(word, |byte| byte.is_ascii_lowercase())));
    }
    let hexadecimal = |digits: &str| digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if pattern == "^0x([0-9a-f]{2})*$" {
        return text.strip_prefix("0x").is_some_and(|digits| digits.len().is_multiple_of(2) && hexadecimal(digits));
    }
    let count = pattern.strip_prefix("^0x[0-9a-f]{").and_then(|rest| rest.strip_suffix("}$"));
    let count: usize = count.unwrap_or_else(|| panic!("the check does not know {pattern}")).parse().unwrap();
    let digits = text.strip_prefix("0x").unwrap_or_default();
    digits.len() == count && hexadecimal(digits)
}
