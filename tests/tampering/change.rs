//! Every change of one place of a specimen, found by walking its JSON along the schema of its layout.
//!
//! A field that a later layout adds is changed as well without a line here.

use std::fmt;

use alloy_primitives::U256;
use serde_json::{Value, json};

use crate::schema::{Schema, Shape};

/// Positions of a list that are changed. Longer lists are changed at so many, evenly spread.
const POSITIONS: usize = 18;

/// One changed place of a specimen.
#[derive(Clone, Debug)]
pub struct Change {
    /// Path of the changed value from the root.
    path: Vec<Step>,
    action: Action,
}

#[derive(Clone, Debug)]
enum Step {
    Field(String),
    Item(usize),
}

/// The change of the value at a path.
#[derive(Clone, Debug)]
enum Action {
    Set(Value),
    /// The list lacks its item.
    Remove(usize),
    /// The list has its item twice.
    Repeat(usize),
    /// The list has its item behind the next.
    Swap(usize),
}

/// Every change of `json`, which follows `schema`.
pub fn changes(schema: &Schema, json: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    walk(schema, schema.root(), json, &mut Vec::new(), &mut changes);
    changes
}

fn walk(schema: &Schema, shape: &Shape, json: &Value, path: &mut Vec<Step>, changes: &mut Vec<Change>) {
    let set = |path: &[Step], value| Change { path: path.to_vec(), action: Action::Set(value) };
    match (shape, json) {
        (Shape::Record(fields), Value::Object(values)) => {
            for (name, shape) in fields {
                path.push(Step::Field(name.clone()));
                walk(schema, schema.resolve(shape), &values[name], path, changes);
                path.pop();
            }
        }
        (Shape::List(item), Value::Array(items)) => {
            for position in positions(items.len()) {
                let of_list = |action| Change { path: path.clone(), action };
                changes.push(of_list(Action::Remove(position)));
                changes.push(of_list(Action::Repeat(position)));
                if items.get(position + 1).is_some_and(|next| *next != items[position]) {
                    changes.push(of_list(Action::Swap(position)));
                }
                path.push(Step::Item(position));
                walk(schema, schema.resolve(item), &items[position], path, changes);
                path.pop();
            }
            if items.is_empty() {
                let added = examples(schema, schema.resolve(item));
                changes.extend(added.into_iter().map(|item| set(path, json!([item]))));
            } else if items.len() > 1 {
                changes.push(set(path, json!([])));
            }
        }
        (Shape::Optional(inner), Value::Null) => {
            let examples = examples(schema, schema.resolve(inner));
            changes.extend(examples.into_iter().map(|value| set(path, value)));
        }
        (Shape::Optional(inner), value) => {
            changes.push(set(path, Value::Null));
            walk(schema, schema.resolve(inner), value, path, changes);
        }
        (Shape::Number, Value::Number(number)) => {
            changes.extend(other_numbers(number).into_iter().map(|value| set(path, value)));
        }
        (Shape::Text, Value::String(text)) => {
            changes.extend(other_texts(text).into_iter().map(|text| set(path, text.into())));
        }
        (Shape::Boolean, Value::Bool(value)) => changes.push(set(path, (!value).into())),
        (shape, json) => panic!("{json} is no {shape:?}"),
    }
}

/// Positions at which a list of this length is changed.
fn positions(length: usize) -> Vec<usize> {
    if length <= POSITIONS {
        return (0..length).collect();
    }
    (0..POSITIONS).map(|nth| nth * (length - 1) / (POSITIONS - 1)).collect()
}

/// Values that could stand in a place where there is none. Only one that the field can hold becomes a specimen.
fn examples(schema: &Schema, shape: &Shape) -> Vec<Value> {
    match shape {
        Shape::Number => vec![0.into(), 1.into()],
        Shape::Boolean => vec![true.into()],
        // A number, an address, a hash, and base64.
        Shape::Text => vec![
            "0x0".into(),
            "0x1".into(),
            format!("0x{}", "11".repeat(20)).into(),
            format!("0x{}", "11".repeat(32)).into(),
            "".into(),
            "AA==".into(),
        ],
        Shape::List(item) => {
            let items = examples(schema, schema.resolve(item)).into_iter().map(|item| json!([item]));
            [json!([])].into_iter().chain(items).collect()
        }
        Shape::Optional(inner) => examples(schema, schema.resolve(inner)),
        Shape::Named(_) => examples(schema, schema.resolve(shape)),
        Shape::Record(fields) => {
            // Each text of a record is of another kind, so the record is made of each kind of each.
            let records = (0..6).map(|nth| {
                let field = |(name, shape): &(String, Shape)| {
                    let examples = examples(schema, schema.resolve(shape));
                    (name.clone(), examples[nth % examples.len()].clone())
                };
                fields.iter().map(field).collect::<serde_json::Map<_, _>>().into()
            });
            records.collect()
        }
    }
}

/// One more, one less, none, and a lot.
fn other_numbers(number: &serde_json::Number) -> Vec<Value> {
    let Some(number) = number.as_i64() else {
        let number = number.as_f64().unwrap();
        return vec![json!(number + 0.01), json!(0.0)];
    };
    let others = [number.wrapping_add(1), number - 1, 0, i64::from(i32::MAX), i64::MAX];
    others.into_iter().filter(|other| *other >= 0 && *other != number).map(Value::from).collect()
}

/// Other texts of the same kind: hexadecimal, base64 or plain.
fn other_texts(text: &str) -> Vec<String> {
    let others = match text.strip_prefix("0x") {
        Some(digits) if digits.len() == 40 || digits.len() == 64 => {
            let (first, last) = (flipped(&digits[..1]), flipped(&digits[digits.len() - 1..]));
            vec![
                format!("0x{first}{}", &digits[1..]),
                format!("0x{}{last}", &digits[..digits.len() - 1]),
                format!("0x{}", "0".repeat(digits.len())),
            ]
        }
        Some(digits) => {
            let number = U256::from_str_radix(digits, 16).unwrap_or_default();
            vec![
                format!("{:#x}", number.wrapping_add(U256::from(1))),
                format!("{:#x}", number ^ (U256::from(1) << 40)),
                "0x0".to_owned(),
                format!("0x{digits}00"),
            ]
        }
        None if text.is_empty() => vec!["AA==".to_owned()],
        None => {
            let first = if text.starts_with('A') { 'B' } else { 'A' };
            vec![format!("{first}{}", &text[1..]), String::new(), format!("AAAA{text}")]
        }
    };
    others.into_iter().filter(|other| other != text).collect()
}

fn flipped(digit: &str) -> String {
    format!("{:x}", u8::from_str_radix(digit, 16).unwrap() ^ 1)
}

impl Change {
    /// The JSON with this change.
    pub fn apply(&self, json: &Value) -> Value {
        let mut changed = json.clone();
        let place = self.path.iter().fold(&mut changed, |place, step| match step {
            Step::Field(name) => &mut place[name],
            Step::Item(position) => &mut place[*position],
        });
        match (&self.action, place) {
            (Action::Set(value), place) => *place = value.clone(),
            (Action::Remove(position), Value::Array(items)) => drop(items.remove(*position)),
            (Action::Repeat(position), Value::Array(items)) => items.insert(*position, items[*position].clone()),
            (Action::Swap(position), Value::Array(items)) => items.swap(*position, *position + 1),
            (action, place) => panic!("{action:?} of {place}"),
        }
        changed
    }

    /// The changed place without positions: `State/AccountRead/*/Balance`, and the change of a list behind a space.
    pub fn place(&self) -> String {
        let steps = self.path.iter().map(|step| match step {
            Step::Field(name) => name.as_str(),
            Step::Item(_) => "*",
        });
        let mut place = steps.collect::<Vec<_>>().join("/");
        if let Some(inner) = place.strip_prefix("replicaEvent/*/data/") {
            place = inner.to_owned();
        }
        place
            + match &self.action {
                Action::Set(Value::Null) => " null",
                Action::Set(_) => "",
                Action::Remove(_) => "/* removed",
                Action::Repeat(_) => "/* repeated",
                Action::Swap(_) => "/* swapped",
            }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.path {
            match step {
                Step::Field(name) => write!(f, "/{name}")?,
                Step::Item(position) => write!(f, "/{position}")?,
            }
        }
        match &self.action {
            Action::Set(value) => write!(f, " := {value}"),
            other => write!(f, " {other:?}"),
        }
    }
}
