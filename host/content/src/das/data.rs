//! The data of a blob from its cells.

use std::collections::HashMap;

use bytes::Bytes;

use super::{
    DasError,
    erasure::Recovery,
    layout::{CELL_BYTES, DATA_CELLS, NodesPerBlob, append_data},
};

/// The data of a blob whose first nodes did not all come.
pub(super) fn recover(
    nodes: &[Option<Bytes>],
    per_blob: NodesPerBlob,
    blob: usize,
    length: usize,
    recovery: Option<&Recovery>,
) -> Result<Vec<u8>, DasError> {
    let cells_of = |node: usize| {
        nodes[node / per_blob.cells()].as_ref().map(|cells| {
            let at = node % per_blob.cells() * CELL_BYTES;
            &cells[at..at + CELL_BYTES]
        })
    };
    let cells: Vec<Option<&[u8]>> = (0..nodes.len() * per_blob.cells()).map(cells_of).collect();
    let found = cells.iter().flatten().count();
    let Some(recovery) = recovery.filter(|_| found >= DATA_CELLS) else {
        return Err(DasError::TooFewCells { blob, found });
    };
    let missing: HashMap<usize, Vec<u8>> = recovery.missing(&cells)?.into_iter().collect();
    let all = cells
        .iter()
        .take(DATA_CELLS)
        .enumerate()
        .filter_map(|(number, cell)| cell.or_else(|| missing.get(&number).map(Vec::as_slice)));
    data_of(all, length)
}

/// The data that cells hold, in their order.
pub(super) fn data_of<'a>(cells: impl Iterator<Item = &'a [u8]>, length: usize) -> Result<Vec<u8>, DasError> {
    let mut data = Vec::with_capacity(length);
    for cell in cells {
        append_data(&mut data, cell, length)?;
    }
    Ok(data)
}
