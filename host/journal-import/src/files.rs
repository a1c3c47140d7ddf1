//! The files of a log of Erlang's `disk_log`, the oldest first.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Most bytes of one file, of which the earlier refiner's have one MiB.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// Most bytes of the index, of which `disk_log` writes 10 and 8 for each file.
const INDEX_BYTES_MAX: u64 = 1 << 20;

/// The files of the log `name` in a directory: one of that name, or those with a number after it, in the order in which they were
/// written.
pub fn of_log(directory: &Path, name: &str) -> io::Result<Vec<PathBuf>> {
    let single = directory.join(name);
    if single.is_file() {
        return Ok(vec![single]);
    }
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        let file = entry?.file_name();
        let number = file.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix('.')?.parse::<u32>().ok());
        numbers.extend(number);
    }
    let current = current(&directory.join(format!("{name}.idx"))).unwrap_or(u32::MAX);
    // Behind the one that is written are those of the round before.
    numbers.sort_unstable_by_key(|number| (*number <= current, *number));
    Ok(numbers.into_iter().map(|number| directory.join(format!("{name}.{number}"))).collect())
}

/// The whole file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    bounded(path, FILE_BYTES_MAX)
}

/// The number of the file that was written last: `00`, four bytes of zeros, the version of the index, four bytes of the number.
fn current(index: &Path) -> Option<u32> {
    let index = bounded(index, INDEX_BYTES_MAX).ok()?;
    let (head, rest) = index.split_first_chunk::<6>()?;
    let number = u32::from_be_bytes(*rest.first_chunk()?);
    head.starts_with(&[0; 5]).then_some(number)
}

fn bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let files = of_log(directory, "worklog.etf").unwrap();
        files.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn files_are_read_in_the_order_in_which_a_log_that_went_round_was_written() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(names(directory.path()), Vec::<String>::new());
        for name in ["worklog.etf.1", "worklog.etf.2", "worklog.etf.10", "worklog.etf.siz", "block_height.etf.3"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        assert_eq!(names(directory.path()), ["worklog.etf.1", "worklog.etf.2", "worklog.etf.10"]);
        let index = directory.path().join("worklog.etf.idx");
        fs::write(&index, [0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3]).unwrap();
        assert_eq!(names(directory.path()), ["worklog.etf.2", "worklog.etf.10", "worklog.etf.1"]);
        fs::write(&index, [1, 2, 3]).unwrap();
        assert_eq!(names(directory.path()), ["worklog.etf.1", "worklog.etf.2", "worklog.etf.10"]);
        fs::write(directory.path().join("worklog.etf"), "").unwrap();
        assert_eq!(names(directory.path()), ["worklog.etf"]);
    }

    #[test]
    fn file_above_the_bound_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("huge");
        File::create(&path).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
