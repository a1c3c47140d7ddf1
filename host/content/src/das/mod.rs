//! DAS content, as the network's newer pinner keeps it: each blob of 126,976 bytes becomes 128 cells, of which any 64 give it back.
//!
//! * **Inputs**: blocks, or bytes.
//! * **Outputs**: the bytes that a DAS root names; the blocks and the root that bytes have.
//! * **Invariants**: no block is read before its id was compared; nothing is allocated for a size that is only stated.
//!
//! A root, its lists and their nodes are three levels of different forms, so that no link leads back. Reading needs no KZG: every block
//! is checked by its id. Source: docs/protocol.md, section 2; EIP-7594 for blobs and cells.

mod archive;
mod assembly;
mod data;
mod encode;
mod erasure;
mod error;
mod fetch;
mod layout;
mod parallel;

pub(crate) use archive::ArchiveReader;
pub(crate) use assembly::Assembly;
pub use encode::{EncodeError, Layout, das_dag, das_id};
pub(crate) use encode::{das_dag_until, das_id_until, names};
pub use error::DasError;
pub(crate) use fetch::BlockGateway;
use layout::NODE_BYTES_MAX;
pub use layout::{BLOB_DATA_BYTES, NodesPerBlob, Version};

/// Reads a block in every place that it can have.
pub(crate) fn read_each(block: &bytes::Bytes) {
    if let Ok(root) = layout::Root::read(block, crate::CONTENT_BYTES_MAX) {
        assert_eq!(root.write(), block[..], "a root has one form");
    }
    for nodes in NodesPerBlob::ALL {
        let _ = layout::read_node(block, nodes);
        if let Ok(links) = layout::read_list(block, nodes) {
            assert_eq!(layout::write_list(&links), block[..], "a list has one form");
        }
    }
}
