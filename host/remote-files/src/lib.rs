//! Files that other machines keep: objects of stores, files of web servers, content by its id.
//!
//! * **Inputs**: a URL, `s3://`, `gs://`, `az://` and `abfss://`, `http://` and `https://`, or `ipfs://`; the credentials of stores by the
//!   environment variables of each store's own tools.
//! * **Outputs**: the files that the URL names, each with its length where it is known, its first bytes, and its bytes; a prefix of a store,
//!   into which files are written.
//! * **Invariants**: a file of a store is the one that was listed, or an error; content is what its id names; no file is longer in memory than
//!   its reader permits, whatever a server states and sends; credentials stand in no name, error or `Debug`.
//!
//! ```
//! use refiner_remote_files::{RemoteFiles, Terms};
//!
//! let files = RemoteFiles::new(Terms::default());
//! let error = files.find("ftp://example.com/a.avro", &|_| true).unwrap_err();
//! assert!(error.to_string().contains("ftp"));
//! ```

mod ahead;
mod connector;
#[expect(missing_docs, reason = "the fields of errors are what their names tell")]
mod error;
mod file;
mod files;
mod folder;
mod kind;
mod limits;
mod listing;
mod network;
mod objects;
mod spool;
mod store;

pub use self::{
    error::{ReadFault, RemoteError},
    file::RemoteFile,
    files::{RemoteFiles, Terms, is_remote, is_url, without_secrets},
    folder::{Condition, Mark, Sending, StoreFolder},
    kind::StoreKind,
    limits::{AHEAD_BYTES_MAX, AHEAD_FILES_MAX, OBJECTS_MAX, REQUESTS_MAX, SPOOL_BYTES_MAX},
};
