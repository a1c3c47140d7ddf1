//! Writes the committed tests anew: `cargo run -p refiner-conformance --bin make-fixtures`.

use std::{fs, io};

use refiner_conformance::make::{files, fixtures};

fn main() -> io::Result<()> {
    for (name, content) in files() {
        fs::write(fixtures().join(name), content)?;
    }
    Ok(())
}
