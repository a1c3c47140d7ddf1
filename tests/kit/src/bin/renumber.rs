//! Specimens of consecutive heights: `renumber COUNT FIRST_HEIGHT FOLDER SPECIMEN...`, which `cargo xtask renumber` calls.

use std::{env, error::Error, fs, path::Path, process::ExitCode};

use refiner_testkit::renumber::write_renumbered;

#[allow(clippy::print_stderr)]
fn main() -> ExitCode {
    match run(&env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}: {:?}", error.source());
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [count, first, folder, specimens @ ..] = arguments else {
        return Err("usage: renumber COUNT FIRST_HEIGHT FOLDER SPECIMEN...".into());
    };
    let decode = |path: &String| Ok::<_, Box<dyn Error>>(refiner_specimen::decode(&fs::read(path)?)?);
    let specimens = specimens.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    Ok(write_renumbered(&specimens, first.parse()?, count.parse()?, Path::new(folder))?)
}
