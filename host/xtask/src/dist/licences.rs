//! The licences of others' code, from the sources of the packages.

use std::{collections::BTreeMap, fmt::Write as _, fs, io, path::Path};

use anyhow::Result;

use super::packages::{Package, Packages};

/// Beginnings of the names of files with a licence.
const NAMES: [&str; 6] = ["licen", "copying", "copyright", "notice", "unlicense", "patents"];
/// Endings of files that are none, their name notwithstanding.
const OTHERS: [&str; 4] = [".rs", ".c", ".h", ".json"];
/// Folders within each other that are looked through: C sources stand a few below the package.
const DEPTH_MAX: usize = 3;
/// Longest file that can be a licence.
const TEXT_BYTES_MAX: u64 = 256 << 10;

/// Every text once, under the packages that have it. A package without one is listed with its licence's name.
pub fn texts(packages: &Packages) -> Result<String> {
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = String::new();
    for package in packages.all.values().filter(|package| package.checksum.is_some()) {
        let Package { name, version, licence, repository, folder, .. } = package;
        let licence = licence.as_deref().unwrap_or("a licence of its own");
        let title = format!("{name} {version} ({licence})");
        let mut texts = Vec::new();
        find(folder, 0, &mut texts)?;
        if texts.is_empty() {
            writeln!(without, "{title}  {}", repository.as_deref().unwrap_or_default())?;
        }
        texts.sort();
        texts.dedup();
        texts.into_iter().for_each(|text| by_text.entry(text).or_default().push(title.clone()));
    }
    let mut by_packages: Vec<_> = by_text.into_iter().map(|(text, packages)| (packages, text)).collect();
    by_packages.sort();
    let mut all = String::from(
        "The program and the rules in it contain these packages, under the licences that follow their names.\n",
    );
    for (packages, text) in by_packages {
        write!(all, "\n{}\n\n{}\n\n{text}\n", "=".repeat(100), packages.join("\n"))?;
    }
    write!(all, "\n{}\n\nPackages whose source holds no text of their licence:\n\n{without}", "=".repeat(100))?;
    Ok(all)
}

/// Adds the texts below a folder, without spaces at the ends of lines.
fn find(folder: &Path, depth: usize, texts: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if kind.is_dir() && depth < DEPTH_MAX {
            find(&path, depth + 1, texts)?;
        }
        let is_licence = NAMES.iter().any(|beginning| name.starts_with(beginning));
        if kind.is_file()
            && is_licence
            && !OTHERS.iter().any(|ending| name.ends_with(ending))
            && entry.metadata()?.len() <= TEXT_BYTES_MAX
            && let Ok(text) = fs::read_to_string(&path)
        {
            let lines: Vec<_> = text.lines().map(str::trim_end).collect();
            texts.push(lines.join("\n").trim_matches('\n').to_owned());
        }
    }
    Ok(())
}
