//! `WWW-Authenticate`: the way in which a registry wants to be asked.

use url::Url;

/// A way in which a registry wants to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token, which another address gives.
    Bearer(TokenService),
}

/// The address that gives tokens, and what it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TokenService {
    /// The address, without its parameters.
    pub(super) realm: Url,
    service: Option<String>,
    scope: Option<String>,
}

/// The reason why a challenge is none that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChallengeFault {
    /// There is no challenge.
    Missing,
    /// Schemes of which none is known.
    Unknown(String),
    /// A token is asked for, and no address gives one.
    NoRealm,
}

impl Challenge {
    /// The first of several challenges that can be answered, or the fault of the others.
    pub(super) fn first<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, ChallengeFault> {
        let mut fault = ChallengeFault::Missing;
        for text in texts {
            match (Self::read(text), &mut fault) {
                (Ok(challenge), _) => return Ok(challenge),
                (Err(ChallengeFault::Unknown(scheme)), ChallengeFault::Unknown(schemes)) => {
                    *schemes = format!("{schemes}, {scheme}");
                }
                (Err(found), ChallengeFault::Missing | ChallengeFault::Unknown(_)) => fault = found,
                (Err(_), ChallengeFault::NoRealm) => {}
            }
        }
        Err(fault)
    }

    /// Reads `Basic realm="…"` or `Bearer realm="…",service="…",scope="…"`.
    fn read(text: &str) -> Result<Self, ChallengeFault> {
        let (scheme, parameters) = text.split_once(' ').unwrap_or((text, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ChallengeFault::Unknown(scheme.to_owned()));
        }
        let parameters = parameters_of(parameters);
        let value =
            |name: &str| parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        let owned = |name| value(name).map(str::to_owned);
        let realm = value("realm").and_then(|realm| Url::parse(realm).ok()).ok_or(ChallengeFault::NoRealm)?;
        Ok(Self::Bearer(TokenService { realm, service: owned("service"), scope: owned("scope") }))
    }
}

impl TokenService {
    /// Service and scope, as parameters of a request for a token.
    pub(super) fn parameters(&self) -> Vec<(&'static str, &str)> {
        let service = self.service.as_deref().map(|service| ("service", service));
        service.into_iter().chain(self.scope.as_deref().map(|scope| ("scope", scope))).collect()
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
            let Ok(Challenge::Bearer(service)) = Challenge::read(text) else { panic!("{text}") };
            assert_eq!((service.realm.as_str(), service.parameters().as_slice()), (realm, parameters), "{text}");
        };
        check(
            "Bearer realm=\"https://auth.example/token\",service=\"r.example\",scope=\"repository:a/b:pull,push\"",
            "https://auth.example/token",
            &[("service", "r.example"), ("scope", "repository:a/b:pull,push")],
        );
        check("bearer realm=\"https://a/t\"", "https://a/t", &[]);
        assert_eq!(Challenge::read("Basic realm=\"Registry\""), Ok(Challenge::Basic));
        assert_eq!(Challenge::read("basic"), Ok(Challenge::Basic));
        for other in ["Bearer", "Bearer realm=\"https://a", "Bearer service=\"a\"", "Bearer realm=\"x\""] {
            assert_eq!(Challenge::read(other), Err(ChallengeFault::NoRealm), "{other}");
        }
    }

    #[test]
    fn first_challenge_that_can_be_answered_is_taken_and_otherwise_the_fault_is_named() {
        assert_eq!(Challenge::first([]), Err(ChallengeFault::Missing));
        assert_eq!(Challenge::first(["Negotiate", "Basic"]), Ok(Challenge::Basic));
        let unknown = ChallengeFault::Unknown("Negotiate, Digest".to_owned());
        assert_eq!(Challenge::first(["Negotiate", "Digest realm=\"https://a/t\""]), Err(unknown));
        assert_eq!(Challenge::first(["Bearer", "Negotiate"]), Err(ChallengeFault::NoRealm));
        assert_eq!(Challenge::first(["Negotiate", "Bearer"]), Err(ChallengeFault::NoRealm));
    }
}
