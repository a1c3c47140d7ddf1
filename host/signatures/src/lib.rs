//! Signatures of rules, as [Sigstore bundles](https://docs.sigstore.dev/about/bundle/) inside the component.
//!
//! * **Inputs**: a component, and the signers that an operator demands: public keys, or identities of certificates under a trust root.
//! * **Outputs**: a component with a signature inside, or the signer of a component.
//! * **Invariants**: what is signed is every byte of the component before its first signature; nothing but signatures follows. Nothing
//!   is fetched: keys and trust roots are files.
//!
//! A signature travels with the component through every source, and can be made by other programs: `cosign sign-blob --bundle` signs the
//! file before it has a signature, and [`attach`] puts the bundle inside.
//!
//! ```
//! use refiner_signatures::{SigningKey, sign, signatures};
//!
//! let component = b"\0asm\x0d\0\x01\0";
//! let key = SigningKey::generate().expect("random bytes");
//! let signed = sign(component, &key).expect("a component");
//! let found = signatures(&signed).expect("readable sections");
//! assert_eq!((found.signed, found.bundles.len()), (component.as_slice(), 1));
//! ```

mod claims;
mod error;
mod key;
mod key_file;
mod limits;
mod provider;
mod section;
mod signers;

pub use claims::{ClaimedSigner, claimed_signers};
pub use error::{Reasons, SignError, SignatureError};
pub use key::{PublicKey, SigningKey};
pub use key_file::{KeyFile, KeyKind};
pub use limits::{BUNDLE_BYTES_MAX, SIGNATURES_MAX};
pub use section::{SECTION, Signatures, attach, sign, signatures, without};
pub use signers::{RequiredSigner, Signers};
