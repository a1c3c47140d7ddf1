//! DAS content: its ids, its blocks from gateways and pinners, and hostile roots.

mod accepted;
mod blocks;
mod given_up;
mod hostile;
mod hostile_table;
mod ids;
mod reading;

use std::sync::Arc;

use refiner_content::{
    Accept, Block, ContentId, Dag, Gateway, HttpLimits, Layout, NodesPerBlob, Version, das_dag, write_car,
};

use crate::{archive::archive, patient, pinner::PinnerDouble};

/// Bytes of a blob's data.
const BLOB: usize = 126_976;

fn layout(nodes: u64) -> Layout {
    Layout { nodes: NodesPerBlob::new(nodes).unwrap(), version: Version::V0_2_0 }
}

fn dag(bytes: &[u8], nodes: u64) -> Dag {
    das_dag(bytes, layout(nodes)).unwrap()
}

fn gateway(double: &PinnerDouble) -> Gateway {
    Gateway::new(&double.url(), HttpLimits { body_bytes: 64 << 20, ..patient() }).unwrap()
}

/// The list of a blob and its nodes.
fn blob(dag: &Dag, blob: usize, per_blob: usize) -> (&Block, Vec<&Block>) {
    let mut blocks = dag.blocks().iter().rev().skip(1 + blob * (per_blob + 1));
    (blocks.next().unwrap(), blocks.take(per_blob).collect())
}

fn root(dag: &Dag) -> &Block {
    dag.blocks().last().unwrap()
}

fn raw(id: &ContentId) -> String {
    format!("/ipfs/{id}?format=raw")
}

/// Serves each block at its own address.
fn serve_blocks<'a>(double: &PinnerDouble, blocks: impl IntoIterator<Item = &'a Block>) {
    for block in blocks {
        double.serve_at(&raw(&block.id), 200, &block.bytes);
    }
}

fn serve_archive(double: &PinnerDouble, dag: &Dag) {
    double.serve_at(&format!("/ipfs/{}?format=car", dag.root()), 200, &write_car(dag));
}

fn is(bytes: &[u8]) -> Accept {
    let bytes = bytes.to_vec();
    Arc::new(move |candidate| candidate == bytes)
}

/// Serves an archive of these blocks in this order.
fn serve_archive_of<'a>(double: &PinnerDouble, root: &ContentId, blocks: impl IntoIterator<Item = &'a Block>) {
    let blocks: Vec<_> = blocks.into_iter().map(|block| (block.id, block.bytes.to_vec())).collect();
    double.serve_at(&format!("/ipfs/{root}?format=car"), 200, &archive(root, &blocks));
}
