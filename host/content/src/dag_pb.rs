//! dag-pb nodes and the UnixFS record in them, as far as files need it.
//!
//! A node is protobuf: field 2 repeated, a link {1: id, 2: name, 3: bytes of all blocks below}; then field 1, the UnixFS record
//! {1: type, 2: bytes, 3: file size, 4 repeated: bytes of the file below each link}. Sources:
//! <https://ipld.io/specs/codecs/dag-pb/spec/>, <https://specs.ipfs.tech/unixfs/>.

use bytes::Bytes;

use crate::{ContentId, IdError, unixfs::Entry, varint};

/// Most links of a node that is read. Other recipes use up to 1,024 (UnixFS 2025); a block of 4 MiB could hold 80,000.
pub(crate) const LINKS_READ_MAX: usize = 16_384;

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;

const RECORD_RAW: u64 = 0;
const RECORD_DIRECTORY: u64 = 1;
const RECORD_FILE: u64 = 2;
const RECORD_METADATA: u64 = 3;
const RECORD_LINK: u64 = 4;
const RECORD_SHARD: u64 = 5;
/// Entries of a shard, unless it states another number.
const SHARD_FANOUT: u64 = 256;

/// Reasons for which a block is no node of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// Not protobuf, or not of the fields a node has.
    #[error("the node is malformed at byte {at}")]
    Malformed {
        /// Offset in the message that is read, which may lie within the node.
        at: usize,
    },
    /// It has no UnixFS record.
    #[error("the node holds no UnixFS record")]
    NoRecord,
    /// A directory, a symbolic link or another record that is no file.
    #[error("the node is of UnixFS type {kind}, which is no file")]
    NotAFile {
        /// Type of the UnixFS record.
        kind: u64,
    },
    /// A link whose id is not read here.
    #[error("link {index}")]
    Link {
        /// Position of the link, from 0.
        index: usize,
        /// The fault of the link's id.
        source: IdError,
    },
    /// More links than a node may have.
    #[error("the node has more than {LINKS_READ_MAX} links")]
    TooManyLinks,
}

/// A node of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileNode {
    /// Bytes of the file that stand in the node itself, before those of its links.
    pub(crate) inline: Bytes,
    pub(crate) links: Vec<ContentId>,
    /// Size of the whole file below it, if the node states it.
    pub(crate) file_bytes: Option<u64>,
}

/// Writes the node above `entries`, byte for byte as go-merkledag does.
pub(crate) fn file_node(entries: &[Entry]) -> Vec<u8> {
    let mut record = vec![0x08, 0x02];
    write_number(&mut record, 3, entries.iter().map(|entry| entry.file_bytes).sum());
    for entry in entries {
        write_number(&mut record, 4, entry.file_bytes);
    }
    let mut node = Vec::with_capacity(entries.len() * 50 + record.len() + 8);
    for entry in entries {
        let mut link = Vec::with_capacity(48);
        write_bytes(&mut link, 1, &entry.id.to_bytes());
        write_bytes(&mut link, 2, &[]);
        write_number(&mut link, 3, entry.dag_bytes);
        write_bytes(&mut node, 2, &link);
    }
    write_bytes(&mut node, 1, &record);
    node
}

/// A node, by its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// Of a file.
    File,
    /// A directory whose entries stand in the node.
    Directory(Vec<(String, ContentId)>),
    /// A directory, or a part of one, whose entries are spread by the hashes of their names.
    Shard {
        /// Hexadecimal digits of a hash before each name.
        prefix_digits: usize,
        /// Entries, and shards below.
        entries: Vec<(String, ContentId)>,
    },
    /// A symbolic link, or notes about a file: of this type, and no content.
    Other(u64),
}

/// Reads a node and the names of its links.
pub(crate) fn read_node(node: &Bytes) -> Result<Node, NodeError> {
    let (mut record, mut entries) = (None, Vec::new());
    for field in Fields::of(node) {
        match field? {
            (2, Value::Bytes(link)) => {
                if entries.len() == LINKS_READ_MAX {
                    return Err(NodeError::TooManyLinks);
                }
                let mut name = &[][..];
                for field in Fields::of(link) {
                    if let (2, Value::Bytes(bytes)) = field? {
                        name = bytes;
                    }
                }
                entries.push((String::from_utf8_lossy(name).into_owned(), read_link(entries.len(), link)?));
            }
            (1, Value::Bytes(bytes)) => record = Some(bytes),
            _ => {}
        }
    }
    let (mut kind, mut fanout) = (RECORD_RAW, SHARD_FANOUT);
    for field in Fields::of(record.ok_or(NodeError::NoRecord)?) {
        match field? {
            (1, Value::Number(number)) => kind = number,
            (6, Value::Number(number)) => fanout = number,
            _ => {}
        }
    }
    match kind {
        RECORD_RAW | RECORD_FILE => Ok(Node::File),
        RECORD_DIRECTORY => Ok(Node::Directory(entries)),
        // As many digits as the largest index takes.
        RECORD_SHARD => Ok(Node::Shard { prefix_digits: format!("{:X}", fanout.saturating_sub(1)).len(), entries }),
        RECORD_METADATA | RECORD_LINK => Ok(Node::Other(kind)),
        kind => Err(NodeError::NotAFile { kind }),
    }
}

/// Reads a node of a file.
pub(crate) fn read_file_node(node: &Bytes) -> Result<FileNode, NodeError> {
    let mut links = Vec::new();
    let mut record = None;
    for field in Fields::of(node) {
        match field? {
            (2, Value::Bytes(link)) => {
                if links.len() == LINKS_READ_MAX {
                    return Err(NodeError::TooManyLinks);
                }
                links.push(read_link(links.len(), link)?);
            }
            (1, Value::Bytes(bytes)) => record = Some(bytes),
            _ => {}
        }
    }
    let record = node.slice_ref(record.ok_or(NodeError::NoRecord)?);
    let (mut kind, mut inline, mut file_bytes) = (RECORD_RAW, Bytes::new(), None);
    for field in Fields::of(&record) {
        match field? {
            (1, Value::Number(number)) => kind = number,
            (2, Value::Bytes(bytes)) => inline = record.slice_ref(bytes),
            (3, Value::Number(number)) => file_bytes = Some(number),
            _ => {}
        }
    }
    if kind != RECORD_RAW && kind != RECORD_FILE {
        return Err(NodeError::NotAFile { kind });
    }
    Ok(FileNode { inline, links, file_bytes })
}

fn read_link(index: usize, link: &[u8]) -> Result<ContentId, NodeError> {
    let mut id = &[][..];
    for field in Fields::of(link) {
        if let (1, Value::Bytes(bytes)) = field? {
            id = bytes;
        }
    }
    match ContentId::read(&mut id) {
        Ok(read) if id.is_empty() => Ok(read),
        Ok(_) => Err(NodeError::Link { index, source: IdError::Trailing { bytes: id.len() } }),
        Err(source) => Err(NodeError::Link { index, source }),
    }
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a protobuf message.
struct Fields<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Fields<'a> {
    fn of(message: &'a [u8]) -> Self {
        Self { rest: message, length: message.len() }
    }

    fn read(&mut self) -> Option<(u64, Value<'a>)> {
        let key = varint::read(&mut self.rest)?;
        let value = match key & 7 {
            VARINT => Value::Number(varint::read(&mut self.rest)?),
            FIXED_64 => Value::Bytes(self.take(8)?),
            FIXED_32 => Value::Bytes(self.take(4)?),
            BYTES => {
                let length = usize::try_from(varint::read(&mut self.rest)?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), NodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let at = self.length - self.rest.len();
        let field = self.read().ok_or(NodeError::Malformed { at });
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

fn write_number(out: &mut Vec<u8>, field: u64, number: u64) {
    varint::write(out, field << 3 | VARINT);
    varint::write(out, number);
}

fn write_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint::write(out, field << 3 | BYTES);
    varint::write(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
