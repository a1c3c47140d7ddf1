//! Places of files: one for all spellings of a path.

use std::path::{Component, Path, PathBuf};

/// The path from the root, without `.` and `..`. Links are not looked at, so that it needs no file.
pub(crate) fn absolute(directory: &Path, path: &Path) -> PathBuf {
    let joined = directory.join(path);
    let mut place = PathBuf::new();
    for component in std::path::absolute(&joined).unwrap_or(joined).components() {
        match component {
            Component::ParentDir => {
                place.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => place.push(component),
        }
    }
    place
}

/// The name of a path of the working directory in a file of `directory`, itself a place: relative where it lies below it or was typed so, as
/// the two are moved together then.
pub(crate) fn name(directory: &Path, path: &Path) -> PathBuf {
    let place = absolute(Path::new(""), path);
    let shared = directory.components().zip(place.components()).take_while(|(one, other)| one == other).count();
    let up = directory.components().count() - shared;
    // What has no more than the root in common is not moved together.
    if shared < 2 || (path.is_absolute() && up > 0) {
        return place;
    }
    let down = place.components().skip(shared);
    std::iter::repeat_n(Component::ParentDir, up).chain(down).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_is_one_for_all_spellings() {
        for path in ["a.wasm", "./a.wasm", "b/../a.wasm", ".//b/./../a.wasm", "/rules/a.wasm", "/../rules/a.wasm"] {
            assert_eq!(absolute(Path::new("/rules"), Path::new(path)), Path::new("/rules/a.wasm"), "{path}");
        }
    }

    #[test]
    fn name_is_relative_to_the_directory_where_both_can_be_moved_together() {
        let here = std::env::current_dir().expect("a directory");
        let check = |directory: &str, path: &Path, expected: &Path| {
            assert_eq!(name(&here.join(directory), path), expected, "{}", path.display());
        };
        check("", Path::new("./a.wasm"), Path::new("a.wasm"));
        check("", &here.join("rules/a.wasm"), Path::new("rules/a.wasm"));
        check("conf", Path::new("rules/a.wasm"), Path::new("../rules/a.wasm"));
        check("conf", Path::new("conf/a.wasm"), Path::new("a.wasm"));
        check("conf", &here.join("rules/a.wasm"), &here.join("rules/a.wasm"));
        check("/conf", Path::new("a.wasm"), &here.join("a.wasm"));
    }
}
