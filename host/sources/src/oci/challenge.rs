//! `WWW-Authenticate`: the way in which a registry wants to be asked.

use url::Url;

/// A way in which a registry wants to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token, which another address gives.
    Bearer {
        /// The address, without its parameters.
        realm: Url,
        service: Option<String>,
        scope: Option<String>,
    },
}

impl Challenge {
    /// Reads `Basic realm="…"` or `Bearer realm="…",service="…",scope="…"`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (scheme, parameters) = text.split_once(' ').unwrap_or((text, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters_of(parameters);
        let value =
            |name: &str| parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        let owned = |name| value(name).map(str::to_owned);
        Some(Self::Bearer { realm: Url::parse(value("realm")?).ok()?, service: owned("service"), scope: owned("scope") })
    }

    /// Service and scope, as parameters of a request for a token.
    pub(super) fn parameters(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Basic => Vec::new(),
            Self::Bearer { service, scope, .. } => {
                let service = service.as_deref().map(|service| ("service", service));
                service.into_iter().chain(scope.as_deref().map(|scope| ("scope", scope))).collect()
            }
        }
    }
}

/// Pairs of a name and a quoted value, between commas. A value may hold commas itself.
fn parameters_of(text: &str) -> Vec<(&str, &str)> {
    let mut rest = text;
    let mut parameters = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"').map(|quoted| quoted.split_once('"')) {
            Some(Some(split)) => split,
            Some(None) => break,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        parameters.push((name.trim(), value));
        rest = after.trim_start_matches([',', ' ']);
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_of_a_registry_is_read_with_its_parameters() {
        let check = |text: &str, realm: &str, parameters: &[(&str, &str)]| {
            let challenge = Challenge::read(text).expect(text);
            assert_eq!(challenge.parameters(), parameters, "{text}");
            assert!(matches!(challenge, Challenge::Bearer { realm: found, .. } if found.as_str() == realm), "{text}");
        };
        check(
            "Bearer realm=\"https://auth.example/token\",service=\"r.example\",scope=\"repository:a/b:pull,push\"",
            "https://auth.example/token",
            &[("service", "r.example"), ("scope", "repository:a/b:pull,push")],
        );
        check("bearer realm=\"https://a/t\"", "https://a/t", &[]);
        assert_eq!(Challenge::read("Basic realm=\"Registry\""), Some(Challenge::Basic));
        assert_eq!(Challenge::read("basic"), Some(Challenge::Basic));
        for other in
            ["", "Digest realm=\"https://a/t\"", "Bearer", "Bearer realm=\"https://a", "Bearer service=\"a\"", "Bearer realm=\"x\""]
        {
            assert_eq!(Challenge::read(other), None, "{other}");
        }
    }
}
