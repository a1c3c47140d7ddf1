//! Writes the seeds of every target below a directory, and prints each target with the longest input worth trying.
#![allow(clippy::print_stdout, reason = "`cargo xtask fuzz` reads it")]

use std::{env, fs, io, path::PathBuf};

use refiner_fuzz::TARGETS;

fn main() -> io::Result<()> {
    let corpus = env::args_os().nth(1).map(PathBuf::from).ok_or(io::ErrorKind::InvalidInput)?;
    for target in &TARGETS {
        let directory = corpus.join(target.name);
        fs::create_dir_all(&directory)?;
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            fs::write(directory.join(format!("seed-{number}")), seed)?;
        }
        println!("{} {}", target.name, target.bytes_max);
    }
    Ok(())
}
