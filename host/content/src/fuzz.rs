//! Entries for fuzzing into parts that are private: any bytes in the place of what a gateway sends.

use bytes::Bytes;

use crate::{
    Blocks, Codec, ContentId, Layout, assemble,
    blocking::Interrupt,
    dag_pb,
    das::{self, ArchiveReader, Assembly},
    das_dag,
    unixfs::Entry,
};

/// Reads a node of UnixFS.
pub fn read_node(block: &Bytes) {
    let _ = dag_pb::read_file_node(block);
}

/// Puts every file together that a block of an archive is the root of.
pub fn assemble_all(blocks: &Blocks, limit_bytes: usize) {
    for block in blocks.iter() {
        for codec in [Codec::Raw, Codec::DagPb] {
            if let Ok(file) = assemble(&ContentId::of_block(codec, block), blocks, limit_bytes) {
                assert!(file.len() <= limit_bytes);
            }
        }
    }
}

/// Most blocks of a planned tree.
const PLAN_STEPS_MAX: usize = 256;

/// Puts a tree together whose form follows from `plan`, from its leaves to its root: each byte adds a leaf of some bytes, or a node
/// above blocks that were added before, which states a size that can be wrong.
pub fn assemble_plan(plan: &[u8], limit_bytes: usize) {
    let mut blocks = Blocks::default();
    let mut ids = vec![blocks.add(Codec::Raw, Bytes::from_static(b"leaf"))];
    for steps in plan.chunks(4).take(PLAN_STEPS_MAX) {
        let &[kind, first, step, size] = steps else { break };
        let id = if kind % 4 == 0 {
            blocks.add(Codec::Raw, vec![first; usize::from(size)].into())
        } else {
            let places =
                (0..usize::from(kind)).map(|place| (usize::from(first) + place * usize::from(step)) % ids.len());
            let entry = |place: usize| Entry { id: ids[place], file_bytes: size.into(), dag_bytes: size.into() };
            blocks.add(Codec::DagPb, dag_pb::file_node(&places.map(entry).collect::<Vec<_>>()).into())
        };
        ids.push(id);
    }
    if let Some(root) = ids.last()
        && let Ok(file) = assemble(root, &blocks, limit_bytes)
    {
        assert!(file.len() <= limit_bytes);
    }
}

/// Reads a block in the place of each block of DAS content, and an archive of blocks that comes in pieces.
pub fn read_das(bytes: &Bytes) {
    das::read_each(bytes);
    let mut reader = ArchiveReader::default();
    let mut assembly = None;
    for piece in bytes.chunks(1 << 10) {
        reader.push(piece);
        loop {
            match reader.next() {
                Ok(Some((id, block))) => {
                    let assembly = assembly.get_or_insert_with(|| Assembly::new(id, crate::CONTENT_BYTES_MAX));
                    if assembly.offer(id, block).is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
    if let Some(assembly) = assembly.filter(|_| reader.end().is_ok()) {
        let _ = assembly.finish(&Interrupt::default());
    }
}

/// The blocks of DAS content but for its nodes, which are too long to start from, and an archive of the root.
pub fn das_seeds() -> Vec<Vec<u8>> {
    let Ok(dag) = das_dag(b"content", Layout::default()) else { return Vec::new() };
    let short = dag.blocks().iter().filter(|block| block.bytes.len() <= 8 << 10);
    let mut seeds: Vec<_> = short.map(|block| block.bytes.to_vec()).collect();
    seeds.push(crate::write_car(&dag).slice(..1 << 10).into());
    seeds
}
