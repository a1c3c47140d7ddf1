//! Parameters that the operator gives a rule.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use refiner_text::UntrustedText;
use sha2::{Digest, Sha256};

/// Parameters of a rule, by name. They are part of its identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Params(BTreeMap<String, String>);

/// A parameter that was given twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parameter '{name}' has two values, '{first}' and '{second}'; expected one")]
pub struct TwoValues {
    /// Name of the parameter.
    pub name: UntrustedText,
    /// The value that was given first.
    pub first: UntrustedText,
    /// The other one.
    pub second: UntrustedText,
}

impl Params {
    /// The parameters of a user's list.
    ///
    /// # Errors
    ///
    /// A name has two values.
    pub fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, TwoValues> {
        let mut params = BTreeMap::new();
        for (name, value) in pairs {
            match params.get(&name) {
                Some(first) if *first != value => {
                    let [name, first, second] = [&name, first, &value].map(|text| UntrustedText::new(text));
                    return Err(TwoValues { name, first, second });
                }
                _ => params.insert(name, value),
            };
        }
        Ok(Self(params))
    }

    /// The value under `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Every parameter, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The parameters of one rule of several that run together: those without a rule's name before them, and in their place those with
    /// its own, as `rule:name`. What stands before a colon and is none of these rules is part of the name.
    #[must_use]
    pub fn of_rule(&self, rule: &str, rules: &[&str]) -> Self {
        let named = |name: &'_ str| {
            let (of, own) = name.split_once(':')?;
            rules.contains(&of).then(|| (of.to_owned(), own.to_owned()))
        };
        let mut params = BTreeMap::new();
        for (name, value) in self.0.iter().filter(|(name, _)| named(name).is_none()) {
            params.insert(name.clone(), value.clone());
        }
        for (name, value) in &self.0 {
            if let Some((_, own)) = named(name).filter(|(of, _)| of == rule) {
                params.insert(own, value.clone());
            }
        }
        Self(params)
    }

    /// sha256 over each name and value, by name, each as its length (eight bytes, big-endian) and its bytes.
    pub fn digest(&self) -> B256 {
        let mut hash = Sha256::new();
        for text in self.iter().flat_map(|(name, value)| [name, value]) {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        B256::from(<[u8; 32]>::from(hash.finalize()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_has_one_value_however_often_it_is_given() {
        let of = |pairs: &[(&str, &str)]| {
            Params::of(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
        };
        assert_eq!(of(&[("a", "1"), ("b", "2"), ("a", "1")]).unwrap(), [("a", "1"), ("b", "2")].into_iter().collect());
        let twice = of(&[("a", "1"), ("b", "2"), ("a", "3")]).unwrap_err().to_string();
        assert_eq!(twice, "the parameter 'a' has two values, '1' and '3'; expected one");
    }

    #[test]
    fn parameter_with_the_name_of_a_rule_before_it_is_that_rules_alone_and_before_the_others() {
        let params: Params = [("a", "1"), ("b", "2"), ("one:a", "3"), ("three:a", "4")].into_iter().collect();
        let of = |rule| {
            params
                .of_rule(rule, &["one", "two"])
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(of("one"), ["a=3", "b=2", "three:a=4"]);
        assert_eq!(of("two"), ["a=1", "b=2", "three:a=4"]);
    }
}
