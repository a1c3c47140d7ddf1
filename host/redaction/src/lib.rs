//! Texts without secrets: those that are known, and whatever looks like one.
//!
//! * **Inputs**: secrets that are known, variables and addresses that may hold some, and a text or a JSON document.
//! * **Outputs**: the same with `…` in the place of each.
//! * **Invariants**: rather too much is taken out than too little.
//!
//! Known are the parts of every address in the environment and the settings that follow its host, variables that are named after a
//! secret, and the files of the operator's key. A text is searched for them in any case, and then for other addresses, for values behind
//! a name such as `password`, and for words that have the form of a key.
//!
//! ```
//! let mut redaction = refiner_redaction::Redaction::default();
//! redaction.add_variable("MORALIS_API_KEY", "plain-words");
//! assert_eq!(redaction.redacted("asked with plain-words"), "asked with …");
//! ```

use refiner_proofchain::{Endpoint, LocalKey, Secret};
use serde_json::Value;
use url::Url;

/// Stands where something was taken out.
const HIDDEN: &str = "…";
/// Shorter secrets are not searched for: they would be found in every word.
const SECRET_BYTES_MIN: usize = 6;
/// Names before values that are secrets, without `-` and `_`.
const NAMES: [&str; 22] = [
    "accesstoken",
    "apikey",
    "apitoken",
    "auth",
    "authorization",
    "authtoken",
    "bearertoken",
    "clientsecret",
    "credential",
    "credentials",
    "jwt",
    "mnemonic",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "proxyauthorization",
    "secret",
    "secretkey",
    "seed",
    "token",
    "xapikey",
];
/// Parts of a variable's name for which its whole value is a secret.
const VARIABLES: [&str; 8] = ["KEY", "TOKEN", "SECRET", "PASSW", "AUTH", "CREDENTIAL", "MNEMONIC", "COOKIE"];
/// Schemes of HTTP authentication, before their value.
const SCHEMES: [&str; 4] = ["basic", "bearer", "digest", "token"];
/// The least length of a word that looks like a key.
const WORD_BYTES_MIN: usize = 20;

/// What is taken out of texts.
#[derive(Debug, Default)]
pub struct Redaction {
    /// In lower case, the longest first.
    known: Vec<Secret>,
}

impl Redaction {
    /// Adds a variable of the environment: all of its value where its name speaks of a secret, else what an address in it hides.
    pub fn add_variable(&mut self, name: &str, value: &str) {
        let name = name.to_ascii_uppercase();
        // Files of secrets are named by paths, which are none, but for a secret that was given in the place of its file.
        let is_named = value.starts_with('/') || name.ends_with("_FILE") || name.ends_with("_PATH");
        let is_path = is_named && !LocalKey::has_form(value);
        if VARIABLES.iter().any(|part| name.contains(part)) && !is_path {
            self.add(value);
        }
        self.add_addresses(value);
    }

    /// Adds what addresses hide in a text that may list several: user, password, path, query and fragment.
    pub fn add_addresses(&mut self, text: &str) {
        for part in text.split([',', ' ', '\n', '\'', '"']) {
            if let Ok(url) = part.trim().parse::<Url>() {
                Endpoint::new(url).hidden().for_each(|hidden| self.add(hidden));
            }
        }
    }

    /// Adds the content of a file that holds a key, a password or a keystore.
    pub fn add_file(&mut self, text: &str) {
        self.add(text);
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.len() >= WORD_BYTES_MIN)
            .for_each(|word| self.add(word));
    }

    /// Adds a secret, as it is and as it stands in JSON.
    pub fn add(&mut self, secret: &str) {
        let secret = secret.trim().to_ascii_lowercase();
        let bare = secret.strip_prefix("0x").unwrap_or(&secret).to_owned();
        let quoted = serde_json::to_string(&secret).unwrap_or_default().trim_matches('"').to_owned();
        for form in [secret, bare, quoted] {
            if form.len() >= SECRET_BYTES_MIN && !self.known.iter().any(|known| known.expose() == form) {
                self.known.push(Secret::new(form));
            }
        }
        self.known.sort_by_key(|known| std::cmp::Reverse(known.expose().len()));
    }

    /// The value with every text in it redacted, keys included.
    pub fn redacted_json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.redacted(&text).into(),
            Value::Array(values) => values.into_iter().map(|value| self.redacted_json(value)).collect(),
            Value::Object(fields) => {
                let redacted = |(key, value): (String, Value)| match value {
                    Value::String(text) if is_name_of_a_secret(&key) && is_value(&text) => (key, HIDDEN.into()),
                    value => (self.redacted(&key), self.redacted_json(value)),
                };
                fields.into_iter().map(redacted).collect()
            }
            other => other,
        }
    }

    /// The text without what it should not hold.
    pub fn redacted(&self, text: &str) -> String {
        let known = self.known.iter().fold(text.to_owned(), |text, known| without(&text, known.expose()));
        without_words(&without_values(&without_addresses(&known)))
    }
}

/// Takes a secret out that is written in lower case here and in any case there.
fn without(text: &str, secret: &str) -> String {
    // ASCII alone changes its case, so that positions are the same in both.
    let lower = text.to_ascii_lowercase();
    let mut left = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = lower[from..].find(secret) {
        left.push_str(&text[from..from + at]);
        left.push_str(HIDDEN);
        from += at + secret.len();
    }
    left.push_str(&text[from..]);
    left
}

/// Leaves scheme, host and port of every address.
fn without_addresses(text: &str) -> String {
    const SEPARATOR: &str = "://";
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(SEPARATOR) {
        let (before, after) = rest.split_at(at + SEPARATOR.len());
        left.push_str(before);
        let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'<>`\\".contains(c);
        let (address, behind) = after.split_at(after.find(ends).unwrap_or(after.len()));
        let (authority, path) = address.split_at(address.find(['/', '?', '#']).unwrap_or(address.len()));
        left.push_str(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
        if path.len() > 1 || authority.contains('@') {
            left.push('/');
            left.push_str(HIDDEN);
        }
        rest = behind;
    }
    left.push_str(rest);
    left
}

/// Takes out what stands behind a name of a secret and `=` or `:`, and behind a scheme of authentication.
fn without_values(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_of_name) {
        let (before, from) = rest.split_at(at);
        let (name, behind) = from.split_at(from.find(|c| !is_of_name(c)).unwrap_or(from.len()));
        left.push_str(before);
        left.push_str(name);
        let (is_name, is_of_scheme) = (is_name_of_a_secret(name), is_scheme(name));
        rest = behind;
        // A word is looked for behind such names alone: it can be as long as the text.
        if !is_name && !is_of_scheme {
            continue;
        }
        let gap = behind.len() - behind.trim_start_matches(['"', '\'', '\\', ' ', ':', '=']).len();
        let (gap, value) = behind.split_at(gap);
        let word = &value[..value.find(|c: char| c.is_whitespace() || ",;\"'\\)}]".contains(c)).unwrap_or(value.len())];
        let is_named = is_name && gap.contains([':', '=']);
        let is_of_scheme = is_of_scheme && gap == " " && looks_random(word);
        if (is_named && !is_scheme(word) || is_of_scheme) && is_value(word) {
            left.push_str(gap);
            left.push_str(HIDDEN);
            rest = &value[word.len()..];
        }
    }
    left.push_str(rest);
    left
}

/// Takes out words in the form of a key: hexadecimal digits without `0x`, or 20 and more characters of all kinds.
fn without_words(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_of_name) {
        let (before, from) = rest.split_at(at);
        let (word, behind) = from.split_at(from.find(|c| !is_of_name(c)).unwrap_or(from.len()));
        left.push_str(before);
        let label = left.trim_end_matches([' ', ':', '=', '"']).as_bytes();
        let is_sha256 = label.last_chunk::<6>().is_some_and(|label| label.eq_ignore_ascii_case(b"sha256"));
        left.push_str(if !is_sha256 && is_like_a_key(word) { HIDDEN } else { word });
        rest = behind;
    }
    left.push_str(rest);
    left
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn is_name_of_a_secret(name: &str) -> bool {
    NAMES.contains(&name.replace(['-', '_'], "").to_ascii_lowercase().as_str())
}

fn is_scheme(word: &str) -> bool {
    SCHEMES.contains(&word.to_ascii_lowercase().as_str())
}

fn is_value(word: &str) -> bool {
    !["null", "true", "false"].contains(&word)
        && word.starts_with(|c: char| c.is_alphanumeric() || "+/=-_.~$!*#@%&".contains(c))
}

fn looks_random(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
    word.len() >= SECRET_BYTES_MIN && (has(char::is_ascii_digit) || word.contains('=') || has(char::is_ascii_uppercase))
}

fn is_like_a_key(word: &str) -> bool {
    if word.len() < WORD_BYTES_MIN {
        return false;
    }
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    let all_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let groups: Vec<_> = word.split('-').map(str::len).collect();
    let is_uuid = groups == [8, 4, 4, 4, 12] && all_hex(&word.replace('-', ""));
    let is_digits = word.bytes().all(|byte| byte.is_ascii_digit());
    // A hash or an address, as Ethereum writes them: only the latter has capitals.
    let is_quantity = word.strip_prefix("0x").is_some_and(|digits| all_hex(digits) && digits.len() <= 40);
    let is_content_id = word.len() == 46 && word.starts_with("Qm");
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
    is_uuid || all_hex(word) && !is_digits || is_mixed && !is_quantity && !is_content_id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(Redaction::default().redacted(text), expected);
    }

    #[test]
    fn known_secret_is_taken_out_in_any_case_and_quoting() {
        let mut redaction = Redaction::default();
        redaction.add("0xABCdef0123");
        redaction.add("pass\"word\\é");
        redaction.add("abc");
        for (text, expected) in [
            ("a=abcDEF0123.", "a=….".to_owned()),
            ("a=0XABCDEF0123", format!("a={HIDDEN}")),
            ("pass\"word\\é", HIDDEN.to_owned()),
            (r#"{"a":"pass\"word\\é"}"#, format!(r#"{{"a":"{HIDDEN}"}}"#)),
            ("abc", "abc".to_owned()),
        ] {
            assert_eq!(redaction.redacted(text), expected);
        }
    }

    #[test]
    fn variable_is_secret_by_its_name_or_by_its_address() {
        let mut redaction = Redaction::default();
        redaction.add_variable("MORALIS_API_KEY", "plain-words");
        redaction.add_variable("ERIGON_NODE", "https://someone:pa%20ssword@host/v3/path-of-it,http://b/other-path");
        redaction.add_variable("REFINER_PASSWORD_FILE", "/run/secrets/password");
        let key = format!("0x{}", "5a".repeat(32));
        redaction.add_variable("REFINER_KEY_FILE", &key);
        for (text, expected) in [
            ("plain-words", HIDDEN),
            ("someone", HIDDEN),
            ("pa ssword and pa%20ssword", "… and …"),
            ("path-of-it, other-path", "…, …"),
            ("/run/secrets/password", "/run/secrets/password"),
            (key.as_str(), HIDDEN),
            (&key[2..], HIDDEN),
        ] {
            assert_eq!(redaction.redacted(text), expected);
        }
    }

    #[test]
    fn text_behind_the_name_of_a_secret_is_taken_out_of_json() {
        let value = serde_json::json!({"password": "words", "tokens": 3, "token": null, "a": {"api-key": "x"}});
        let expected = serde_json::json!({"password": HIDDEN, "tokens": 3, "token": null, "a": {"api-key": HIDDEN}});
        assert_eq!(Redaction::default().redacted_json(value), expected);
    }

    #[test]
    fn time_grows_with_the_length_of_the_text() {
        let line = "2026-11-29T10:21:30Z  INFO proved item=1 height=22433670 sha256=abc token \n";
        let text = line.repeat(4 << 20 >> 6);
        let began = std::time::Instant::now();
        assert_eq!(Redaction::default().redacted(&text), text);
        // Some tenths of a second; hours where each word cost a look at all before it.
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
    }

    #[test]
    fn address_keeps_scheme_host_and_port() {
        check("at https://u:p@host:1/key?a=b#c, and", "at https://host:1/… and");
        check(r#"["http://127.0.0.1:8545","wss://host/"]"#, r#"["http://127.0.0.1:8545","wss://host"]"#);
        check("https://user:p@ss@host", "https://host/…");
        check("ipfs://bafybeig", "ipfs://bafybeig");
        check(r#"{"a":"http://h/x\"y"}"#, r#"{"a":"http://h/…\"y"}"#);
        check("://", "://");
    }

    #[test]
    fn value_behind_the_name_of_a_secret_is_taken_out() {
        check("password=hunter2, token: abc", "password=…, token: …");
        check("Authorization: Bearer abc.def1", "Authorization: Bearer …");
        check("Authorization: Basic dXNlcg==", "Authorization: Basic …");
        check(
            r#"{"apiKey":"x1","api_key": "y", "password-file":"/a"}"#,
            r#"{"apiKey":"…","api_key": "…", "password-file":"/a"}"#,
        );
        check("basic settings, a token is missing", "basic settings, a token is missing");
        check("token-transfers: rejected", "token-transfers: rejected");
        check(r#"{"token":null}"#, r#"{"token":null}"#);
    }

    #[test]
    fn word_in_the_form_of_a_key_is_taken_out_and_a_hash_is_not() {
        let (digits, cid) =
            ("0123456789abcdef".repeat(4), "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy");
        let address = "0xdD2FD4581271e230360230F9337D5c0430Bf44C0";
        for kept in [
            format!("0x{digits} {address} {cid} QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPBdG"),
            format!("sha256 {digits}, sha256:{digits}, 1_22433670_{digits}_{digits}"),
            "refiner_scan_settled_block 12345678901234567890123 a-long-name-with-many-parts-2".to_owned(),
        ] {
            check(&kept, &kept);
        }
        let capitals = format!("0x{}", digits.to_uppercase());
        for key in
            [digits.as_str(), &capitals, &digits[..32], "AbCdEfGhIjKlMnOpQrSt1", "123e4567-e89b-12d3-a456-426614174000"]
        {
            check(&format!("a {key}."), "a ….");
        }
    }
}
