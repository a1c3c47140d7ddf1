//! The contents of one specimen.

use std::path::PathBuf;

use pyo3::{PyResult, Python, pyfunction};
use refiner_config::{Flags, scope};

use crate::{failure, interrupt};

/// The contents of a specimen as JSON, field for field as they are on the wire.
#[pyfunction]
pub fn specimen(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    let settings = Flags::<scope::Replay>::default().values().map_err(|error| failure::exception(py, &error))?;
    let read = interrupt::waiting(py, move |_| refiner_replay::contents(&path.into_os_string(), &settings))?;
    read.map_err(|failure| failure::exception(py, failure.diagnostic()))
}
