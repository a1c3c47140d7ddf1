//! Checksums and the tar file.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Result;
use refiner_authoring::digest;

use crate::command;

/// Writes `SHA256SUMS`, which `sha256sum --check` takes.
pub fn checksums(folder: &Path) -> Result<()> {
    let mut sums = String::new();
    for file in files(folder, folder)? {
        writeln!(sums, "{}  {}", digest::sha256(&fs::read(folder.join(&file))?), file.display())?;
    }
    Ok(fs::write(folder.join("SHA256SUMS"), sums)?)
}

/// Packs the folder `name` in `directory`: in the order of names, of user 0, all of one time, without the name of a file in the header.
pub fn pack(directory: &Path, name: &str, epoch: &str) -> Result<PathBuf> {
    let tar = directory.join(format!("{name}.tar"));
    command::run(
        command::program("tar")
            .args(["--create", "--format=ustar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
            .args(["--mode=u+rw,go+r-w,a+X", &format!("--mtime=@{epoch}"), "--directory"])
            .arg(directory)
            .arg("--file")
            .arg(&tar)
            .arg(name),
    )?;
    command::run(command::program("gzip").args(["--no-name", "--best", "--force"]).arg(&tar))?;
    let archive = directory.join(format!("{name}.tar.gz"));
    let sum = format!("{}  {name}.tar.gz\n", digest::sha256(&fs::read(&archive)?));
    fs::write(directory.join(format!("{name}.tar.gz.sha256")), sum)?;
    Ok(archive)
}

/// Files below `folder`, by their paths in `root`, in order.
fn files(root: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.append(&mut files(root, &path)?);
        } else {
            found.extend(path.strip_prefix(root).ok().map(Path::to_owned));
        }
    }
    found.sort();
    Ok(found)
}
