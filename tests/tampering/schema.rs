//! An Avro schema, as far as the specimens' use it.

use std::{collections::BTreeMap, fs, path::Path};

use refiner_specimen::Layout;
use serde_json::Value;

/// The schema of a layout.
pub struct Schema {
    root: Shape,
    /// Records that can be referred to by their name.
    records: BTreeMap<String, Shape>,
}

/// The shape of a value.
#[derive(Clone, Debug)]
pub enum Shape {
    Record(Vec<(String, Shape)>),
    /// A record that stands elsewhere in full.
    Named(String),
    List(Box<Shape>),
    /// A union of null and this type.
    Optional(Box<Shape>),
    Number,
    Text,
    Boolean,
}

impl Schema {
    /// Reads `schemas/specimen/<layout>.avsc`.
    pub fn of(layout: Layout) -> Self {
        let file = format!("../../schemas/specimen/{layout}.avsc");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let mut records = BTreeMap::new();
        let root = shape(&serde_json::from_str(&text).unwrap(), &mut records);
        Self { root, records }
    }

    /// The schema of the whole segment.
    pub const fn root(&self) -> &Shape {
        &self.root
    }

    /// The shape itself, where `shape` may be only a name.
    pub fn resolve<'a>(&'a self, shape: &'a Shape) -> &'a Shape {
        match shape {
            Shape::Named(name) => &self.records[name],
            shape => shape,
        }
    }
}

fn shape(schema: &Value, records: &mut BTreeMap<String, Shape>) -> Shape {
    match schema {
        Value::String(name) => match name.as_str() {
            "int" | "long" | "double" | "float" => Shape::Number,
            "string" | "bytes" => Shape::Text,
            "boolean" => Shape::Boolean,
            record => Shape::Named(unqualified(record).to_owned()),
        },
        Value::Array(union) => {
            assert!(union.len() == 2 && union[0] == "null", "{schema}");
            Shape::Optional(Box::new(shape(&union[1], records)))
        }
        Value::Object(object) => match &object["type"] {
            Value::String(kind) if kind == "record" => {
                let fields = object["fields"].as_array().unwrap().iter();
                let fields = fields.map(|field| (text(&field["name"]), shape(&field["type"], records)));
                let record = Shape::Record(fields.collect());
                records.insert(unqualified(&text(&object["name"])).to_owned(), record.clone());
                record
            }
            Value::String(kind) if kind == "array" => Shape::List(Box::new(shape(&object["items"], records))),
            inner => shape(inner, records),
        },
        other => panic!("{other} is no schema"),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn unqualified(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
