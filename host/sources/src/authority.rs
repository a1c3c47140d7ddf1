//! Servers whose certificate no known authority signed.

use std::error::Error;

use refiner_diagnostics::{Hint, causes};

/// The words of the TLS library, whose type stands behind several others.
const UNKNOWN_ISSUER: &str = "UnknownIssuer";

/// Advice where a request failed because the server's authority is unknown.
pub(crate) fn hint(error: &(dyn Error + 'static)) -> Option<Hint> {
    let is_unknown = causes(error).any(|cause| cause.to_string().contains(UNKNOWN_ISSUER));
    is_unknown.then(|| {
        "no authority that this machine knows signed the server's certificate: SSL_CERT_FILE=FILE or SSL_CERT_DIR=DIR names certificates of authorities in \
         PEM, in place of the system's; what cannot be read there is passed over"
            .into()
    })
}
