//! The disk of `--data`: whether it takes files, how much it has left, and how fast it keeps them.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::Instant,
};

use super::Check;

const NAME: &str = "disk";
/// Bytes written to find out the speed: as much as the largest specimens have.
const SAMPLE_BYTES: usize = 4 << 20;
const MIB: u64 = 1 << 20;
/// Less free space than this holds neither journal nor content of one more specimen.
const FREE_LEAST: u64 = 16 * MIB;
/// Less free space than this is full within hours.
const FREE_FEW: u64 = 1 << 30;
/// A disk that keeps fewer bytes a second holds up the pipeline.
const SPEED_LOW: u64 = 4 * MIB;
const NAME_OF_SAMPLE: &str = "preflight.tmp";

/// Writes a sample, syncs it and removes it.
pub fn check(data: &Path) -> Check {
    report(data, measured(data))
}

fn report(data: &Path, measured: io::Result<(u64, u64)>) -> Check {
    match measured {
        Ok((free, speed)) => judged(data, free, speed),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
            Check::error(NAME, format!("{}: {error}", data.display()), "make room, or move --data to a larger disk")
        }
        Err(error) => {
            let remedy = "name a directory by --data that this user may write to";
            Check::error(NAME, format!("{}: {error}", data.display()), remedy)
        }
    }
}

/// Free bytes, and bytes a second.
fn measured(data: &Path) -> io::Result<(u64, u64)> {
    if !data.is_dir() {
        refiner_permissions::private_directory(data)?;
    }
    let disk = rustix::fs::statvfs(data)?;
    let path = data.join(NAME_OF_SAMPLE);
    let begun = Instant::now();
    let written = write(&path);
    let took = begun.elapsed();
    // What is left of it is overwritten by the next check.
    let _ = fs::remove_file(&path);
    written?;
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    let speed = (SAMPLE_BYTES as u64).saturating_mul(1_000_000) / micros;
    Ok((disk.f_bavail.saturating_mul(disk.f_frsize), speed))
}

fn write(path: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // Zeros might take no room.
    file.write_all(&vec![0xa5; SAMPLE_BYTES])?;
    file.sync_all()
}

fn judged(data: &Path, free: u64, speed: u64) -> Check {
    let detail = format!("{}: {} MiB free, keeps {} MiB/s", data.display(), free / MIB, speed / MIB);
    if free < FREE_LEAST {
        Check::error(NAME, detail, "make room, or move --data to a larger disk")
    } else if free < FREE_FEW {
        Check::warning(NAME, detail, "make room, or lower --store-size")
    } else if speed < SPEED_LOW {
        Check::warning(NAME, detail, "move --data to a faster disk")
    } else {
        Check::ok(NAME, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::State;

    #[test]
    fn disk_is_judged_by_room_and_speed() {
        let state = |free, speed| judged("/data".as_ref(), free, speed).state;
        assert_eq!(state(FREE_FEW, SPEED_LOW), State::Ok);
        assert_eq!(state(FREE_FEW, SPEED_LOW - 1), State::Warning);
        assert_eq!(state(FREE_FEW - 1, SPEED_LOW), State::Warning);
        assert_eq!(state(FREE_LEAST - 1, SPEED_LOW), State::Error);
    }

    #[test]
    fn sample_is_written_into_a_new_directory_and_removed_again() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        assert!(measured(&data).unwrap().1 > 0);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
    }

    #[test]
    fn disk_that_takes_nothing_is_an_error_with_the_remedy_of_its_cause() {
        let remedy = |kind: io::ErrorKind| {
            let check = report("/data".as_ref(), Err(kind.into()));
            assert_eq!(check.state, State::Error);
            check.remedy.unwrap()
        };
        assert!(remedy(io::ErrorKind::StorageFull).starts_with("make room"));
        assert!(remedy(io::ErrorKind::PermissionDenied).contains("that this user may write to"));
    }

    #[test]
    fn file_in_the_place_of_the_directory_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(check(file.path()).state, State::Error);
    }
}
