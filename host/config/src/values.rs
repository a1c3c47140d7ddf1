//! The values of one command, merged from every source and checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use refiner_proofchain::{LocalKey, Secret};

use crate::{
    environment::{Environment, KEY_VARIABLE},
    origin::Origin,
    problem::Problem,
    row::{Former, Row, Scope, Setting, variable_of},
    table,
    value::{Measure, Read},
};

/// Characters of the longest scheme that is shown of a confidential URL.
const SCHEME_CHARACTERS_MAX: usize = 7;

/// A former name that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The former name.
    pub former: &'static str,
    /// The present one.
    pub name: &'static str,
    /// Its origin.
    pub origin: Origin,
}

/// Texts of one source, by the name that they were given under.
pub(crate) type Given = BTreeMap<String, Vec<String>>;

/// The values of one command. Every one was checked; one that is faulty is a problem, and its default stands in.
#[derive(Debug)]
pub struct Values {
    given: BTreeMap<&'static str, (Vec<String>, Origin)>,
    /// The settings that have a value in another form or out of its bounds.
    faulty: BTreeSet<&'static str>,
    key: Option<(&'static str, Secret)>,
    warnings: Vec<Warning>,
}

impl Values {
    /// Merges the sources of a command's settings: flags, then the environment, then a file.
    pub(crate) fn merge(
        scope: Scope,
        flags: &Given,
        environment: &Environment,
        file: Option<(&PathBuf, &Given)>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        if matches!(scope, Scope::Run | Scope::KeyAddress) && environment.is_not_text(KEY_VARIABLE) {
            problems.push(Problem::NotText { name: KEY_VARIABLE.to_owned() });
        }
        let mut values =
            Self { given: BTreeMap::new(), faulty: BTreeSet::new(), key: environment.key(), warnings: Vec::new() };
        for row in table::rows().filter(|row| row.is_in(scope)) {
            let of_flags = values.of_names(row, |name| of_flag(row, flags.get(name)?), |_| Origin::Flag, problems);
            // Without it, a bound that an operator set would not hold.
            if of_flags.is_none()
                && let Some(name) = row.variables().find(|name| environment.is_not_text(name))
            {
                problems.push(Problem::NotText { name });
                values.faulty.insert(row.name);
                continue;
            }
            let found = of_flags.or_else(|| values.of_environment(row, environment, problems)).or_else(|| {
                let (path, given) = file?;
                values.of_names(row, |name| given.get(name).cloned(), |_| Origin::File(path.clone()), problems)
            });
            let Some((texts, origin)) = found else { continue };
            if check(row, &texts, &origin, problems) {
                values.given.insert(row.name, (texts, origin));
            } else {
                values.faulty.insert(row.name);
            }
        }
        values
    }

    /// The texts of a row by its name, or by a former one.
    fn of_names(
        &mut self,
        row: &'static Row,
        given: impl Fn(&str) -> Option<Vec<String>>,
        origin: impl Fn(&str) -> Origin,
        problems: &mut Vec<Problem>,
    ) -> Option<(Vec<String>, Origin)> {
        let present = given(row.name);
        for former in row.former {
            let Former::Name { name, unit } = *former else { continue };
            let Some(texts) = given(name) else { continue };
            if present.is_some() {
                problems.push(Problem::Twice { key: row.name, former: name, origin: origin(row.name) });
                break;
            }
            let origin = origin(name);
            self.warnings.push(Warning { former: name, name: row.name, origin: origin.clone() });
            return Some((texts.into_iter().map(|text| with_unit(text, unit)).collect(), origin));
        }
        present.map(|texts| (texts, origin(row.name)))
    }

    /// The texts of a row by its variable, a former one, or one of the network's earlier refiner.
    fn of_environment(
        &mut self,
        row: &'static Row,
        environment: &Environment,
        problems: &mut Vec<Problem>,
    ) -> Option<(Vec<String>, Origin)> {
        let texts = |name: &str| Some(split(row, environment.value(name)?));
        let variable = |name: &str| if name == row.name { row.variable() } else { variable_of(name) };
        let ours = self.of_names(row, |name| texts(&variable(name)), |name| Origin::Variable(variable(name)), problems);
        ours.or_else(|| {
            row.former.iter().find_map(|former| match former {
                Former::Variable(name) => Some((texts(name)?, Origin::Variable((*name).to_owned()))),
                Former::Name { .. } => None,
            })
        })
    }

    /// The value of a setting that has a default or needs none.
    pub fn get<T: Read>(&self, setting: &'static Setting<T>) -> T {
        let row = &setting.row;
        let default = || row.default.map(str::to_owned).into_iter().collect::<Vec<_>>();
        let texts = self.given.get(row.name).map_or_else(default, |(texts, _)| texts.clone());
        T::read(&texts).unwrap_or_else(|| unreachable!("{} has a value, and it was checked", row.name))
    }

    /// The value of a setting, where one was given.
    pub fn given<T: Read>(&self, setting: &'static Setting<T>) -> Option<T> {
        let (texts, _) = self.given.get(setting.row.name)?;
        T::read(texts)
    }

    /// True when a value was given, faulty ones included.
    pub fn is_given<T>(&self, setting: &'static Setting<T>) -> bool {
        self.given.contains_key(setting.row.name) || self.faulty.contains(setting.row.name)
    }

    /// The text and the origin of a row's value; the default's where none was given.
    pub fn shown(&self, row: &'static Row) -> (Option<Vec<String>>, Origin) {
        match self.given.get(row.name) {
            Some((texts, origin)) => (Some(texts.clone()), origin.clone()),
            None => (row.default.map(|text| vec![text.to_owned()]), Origin::Default),
        }
    }

    /// The operator's key from the environment, with the name of its variable.
    pub fn key(&self) -> Option<(&'static str, Secret)> {
        self.key.clone()
    }

    /// The former names that were used.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Logs a warning for each former name that was used.
    pub fn warn(&self) {
        for Warning { former, name, origin } in &self.warnings {
            tracing::warn!(former, name, %origin, "deprecated name of a setting");
        }
    }
}

/// The texts of a flag: one for each time that it was given.
fn of_flag(row: &Row, texts: &[String]) -> Option<Vec<String>> {
    if !row.commas {
        return Some(texts.to_vec());
    }
    Some(texts.iter().flat_map(|text| split(row, text)).collect())
}

/// The texts of a variable: a list is separated by commas.
fn split(row: &Row, text: &str) -> Vec<String> {
    if !row.list {
        return vec![text.to_owned()];
    }
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
}

/// A number without a unit, of a setting whose values had none, with the unit that they were in.
fn with_unit(text: String, unit: Option<&str>) -> String {
    match unit {
        Some(unit) if text.bytes().all(|byte| byte.is_ascii_digit()) => text + unit,
        _ => text,
    }
}

/// True when every text has the form and the bounds of the row.
fn check(row: &'static Row, texts: &[String], origin: &Origin, problems: &mut Vec<Problem>) -> bool {
    let before = problems.len();
    for text in texts {
        let key = row.name;
        if row.secret_file && LocalKey::has_form(text) {
            problems.push(Problem::Key { key, origin: origin.clone() });
            continue;
        }
        let found = || if row.confidential { concealed(text) } else { text.clone() };
        let Some(measure) = (row.measure)(text) else {
            problems.push(Problem::Value { key, expected: row.expected, found: found(), origin: origin.clone() });
            continue;
        };
        let Some((least, most)) = row.bounds else { continue };
        let bound = |text: &str| (row.measure)(text).unwrap_or(Measure::None);
        if measure < bound(least) || measure > bound(most) {
            problems.push(Problem::Bounds { key, found: found(), least, most, origin: origin.clone() });
        }
    }
    problems.len() == before
}

/// The scheme of a URL, which may carry a credential elsewhere, and nothing of another text.
fn concealed(text: &str) -> String {
    let is_scheme =
        |scheme: &str| scheme.len() <= SCHEME_CHARACTERS_MAX && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match text.split_once("://") {
        Some((scheme, _)) if is_scheme(scheme) => format!("{scheme}://…"),
        _ => "…".to_owned(),
    }
}
