//! The HTTP client of every part of the program, and the proxy that it goes through where one is asked for.
//!
//! * **Inputs**: the proxy's URL, and the hosts that are asked without it.
//! * **Outputs**: a builder of clients, and the part that the proxy has in a failure.
//! * **Invariants**: no client takes a proxy from the environment; no request to this machine goes through a proxy; the credentials of
//!   a proxy stand in no text, `Debug` included.
//!
//! ```
//! use refiner_http_client::Egress;
//!
//! let egress = Egress::through("http://user:secret@proxy.example:3128".parse()?, ["internal.example".to_owned()]);
//! assert_eq!(egress.proxy_host(), Some("proxy.example"));
//! assert!(!format!("{egress:?}").contains("secret"));
//! # Ok::<_, refiner_http_client::ProxyUrlError>(())
//! ```

mod egress;
mod failure;
mod proxy_url;

pub use self::{
    egress::Egress,
    failure::ProxyFailure,
    proxy_url::{ProxyUrl, ProxyUrlError},
};
