//! Writes the committed samples anew: `cargo run -p refiner-testkit --bin make-samples`.

use std::process::ExitCode;

use refiner_testkit::{samples_dir, write_samples};

#[allow(clippy::print_stdout, clippy::print_stderr)]
fn main() -> ExitCode {
    match write_samples(&samples_dir()) {
        Ok(paths) => {
            for path in paths {
                println!("{}", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}: {:?}", std::error::Error::source(&error));
            ExitCode::FAILURE
        }
    }
}
