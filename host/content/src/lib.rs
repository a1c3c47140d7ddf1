//! Content ids, and fetching and keeping the bytes they name.
//!
//! * **Inputs**: bytes, or a content id.
//! * **Outputs**: a content id, or [`Content`]: bytes that were checked against theirs.
//! * **Invariants**: no fetched byte leaves before its hash was compared with the requested id. Two exceptions give bytes only to the
//!   caller's own check: [`Unverified`], and [`Gateway::fetch_known`]. Knows no specimen, rule or key.
//!
//! Start at [`Fetcher`] (several backends, with hedged requests) and at the two ports: [`FetchBackend`] is fetched from, [`ContentStore`] also keeps.
//! [`LocalStore`] and [`Pinner`] are both, a [`Gateway`] is a source only. [`serve`] answers as an ipfs-pinner over a local store.
//!
//! ```
//! use refiner_content::{Content, ContentId, content_id};
//!
//! let content = Content::of(bytes::Bytes::from_static(b"hello"));
//! assert_eq!(content.id(), content_id(b"hello"));
//! let id: ContentId = content.id().to_string().parse()?;
//! assert_eq!(id, content.id());
//! # Ok::<_, refiner_content::IdError>(())
//! ```

mod addresses;
mod archive;
mod assemble;
mod backend;
mod base;
mod blocking;
mod car;
mod cbor;
mod content;
mod dag_pb;
mod das;
mod error;
mod fetcher;
#[doc(hidden)]
pub mod fuzz;
mod gateway;
mod http;
mod id;
mod identity;
mod local;
mod location;
mod origin;
mod pinner;
pub mod serve;
mod unixfs;
mod url_fetcher;
mod varint;

pub use addresses::AddressPolicy;
pub use archive::{ARCHIVE_BLOCKS_MAX, ARCHIVE_FILES_MAX, Archive, ArchiveError, DIRECTORY_DEPTH_MAX, Named};
pub use assemble::{DEPTH_MAX, DagError, NODES_MAX, assemble};
pub use backend::{ContentStore, FetchBackend};
pub use base::CharacterError;
pub use car::{Blocks, CarError, read_car, write_car};
pub use cbor::CborError;
pub use content::{Accept, Content};
pub use dag_pb::NodeError;
pub use das::{BLOB_DATA_BYTES, DasError, EncodeError, Layout, NodesPerBlob, Version, das_dag, das_id};
pub use error::{Blame, FetchError, FetchFailure, KeepError, SetupError};
pub use fetcher::{ATTEMPTS_MAX, Fetched, Fetcher, HedgePolicy};
pub use gateway::{Gateway, PUBLIC_GATEWAYS, public_gateways};
pub use http::{BaseUrlError, ClientError, HttpLimits, LeastRate, TransportError};
pub use id::{Codec, ContentId, ID_CHARACTERS_MAX, IdError};
pub use local::{LocalStore, OpenError, Pruned, Retention, Stored};
pub use location::{ENTRIES_MAX, ENTRY_BYTES_MAX, Locations, NotFetchable, Refused};
pub use origin::{Excerpt, Origin};
pub use pinner::{Pinner, PinnerLimits};
pub use unixfs::{Block, Builder, CHUNK_BYTES, Dag, LINKS_MAX, content_id};
pub use url_fetcher::{Unverified, UrlFetcher};

/// Most bytes of one content unless a caller sets another limit: the specimen limit of the engine profile. The largest specimen known
/// has 4 MiB.
pub const CONTENT_BYTES_MAX: usize = 64 << 20;
