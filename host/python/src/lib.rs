//! The Python package `refiner`: rules over specimens, into Arrow tables.
//!
//! * **Inputs**: the arguments of a replay from Python; the settings of the environment, as the program has them.
//! * **Outputs**: tables that hand their arrays on through Arrow's C interface, without a copy; exceptions by the class of an error.
//! * **Invariants**: the interpreter's lock is free while rules run, and a signal ends the wait within a tenth of a second; nothing is
//!   printed.
//!
//! `refiner/__init__.py` is what users import, and this module is its `_native`. The tests are Python scripts, which `tests/wheel.rs`
//! runs over an installed wheel.

mod failure;
mod interrupt;
mod replay;
mod specimen;
mod stream;
mod table;

use std::ffi::OsString;

use pyo3::{
    Bound, PyResult, pyfunction, pymodule,
    types::{PyModule, PyModuleMethods as _},
    wrap_pyfunction,
};

/// The native part of `refiner`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<table::Table>()?;
    module.add_class::<stream::Stream>()?;
    module.add_function(wrap_pyfunction!(replay::replay, module)?)?;
    module.add_function(wrap_pyfunction!(stream::stream, module)?)?;
    module.add_function(wrap_pyfunction!(specimen::specimen, module)?)?;
    module.add_function(wrap_pyfunction!(serve_child, module)?)?;
    Ok(())
}

/// The whole life of a child process that compiles or runs a rule which is not built in. Never returns.
#[pyfunction]
fn serve_child(argument: OsString) {
    let code = refiner_worker_child::serve_child(&argument.into_boxed_os_str());
    std::process::exit(i32::from(code != std::process::ExitCode::SUCCESS));
}
