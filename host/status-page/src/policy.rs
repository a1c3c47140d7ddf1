//! The headers of the page: no other origin, and no script or style but its own.

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

/// The one style of the page.
pub const STYLE: &str = include_str!("../assets/style.css");
/// The one script of the page, which only brings newer figures and shows those of a moment.
pub const SCRIPT: &str = include_str!("../assets/script.js");

/// Both are known by their hashes: nothing that was smuggled into the page runs or looks like a part of it.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

/// The headers that the page is served with.
#[must_use]
pub fn headers() -> [(&'static str, &'static str); 6] {
    [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", POLICY.as_str()),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ]
}

fn hash(text: &str) -> String {
    base64_simd::STANDARD.encode_to_string(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_names_hashes_and_permits_nothing_inline_or_foreign() {
        let policy = POLICY.as_str();
        assert!(policy.starts_with("default-src 'none';") && policy.matches("'sha256-").count() == 2, "{policy}");
        for loophole in ["unsafe", "http:", "https:", "*", "nonce", "'self' "] {
            assert!(!policy.contains(loophole), "{loophole}: {policy}");
        }
        // base64 of the SHA-256 of nothing, a known value.
        assert_eq!(hash(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn script_and_style_ask_nothing_of_others() {
        for asset in [SCRIPT, STYLE] {
            assert!(!asset.contains("//") && !asset.contains("</"), "a URL, or the end of its element");
        }
        for sink in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function("] {
            assert!(!SCRIPT.contains(sink), "{sink}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
