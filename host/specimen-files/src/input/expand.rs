//! Command-line arguments to inputs.

use std::{
    collections::HashSet,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Read as _},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use refiner_remote_files::{RemoteFiles, is_remote, without_secrets};

use super::{
    Input, InputError, archive,
    limits::NAMES_BYTES_MAX,
    stream::Stream,
    walk::{Step, Walk, is_specimen_name},
};
use crate::BYTE_ORDER_MARK;

/// The inputs that arguments name.
#[derive(Debug, Default)]
pub struct Expanded {
    /// Each argument's in name order, arguments in theirs, each file once.
    pub inputs: Vec<Input>,
    /// Arguments, and directories below them, that name nothing; the others are not affected.
    pub refused: Vec<InputError>,
}

/// Turns command-line arguments into inputs; the first that names nothing is the error.
pub fn expand(arguments: &[impl AsRef<OsStr>]) -> Result<Vec<Input>, InputError> {
    let Expanded { inputs, refused } = expand_all(arguments);
    refused.into_iter().next().map_or(Ok(inputs), Err)
}

/// Turns command-line arguments into inputs, whatever becomes of some of them. URLs are refused.
pub fn expand_all(arguments: &[impl AsRef<OsStr>]) -> Expanded {
    expand_by(arguments, None)
}

/// The same, where URLs and content ids name files of other machines.
pub fn expand_with(arguments: &[impl AsRef<OsStr>], remote: &RemoteFiles) -> Expanded {
    expand_by(arguments, Some(remote))
}

fn expand_by(arguments: &[impl AsRef<OsStr>], remote: Option<&RemoteFiles>) -> Expanded {
    let mut expansion = Expansion { remote, ..Expansion::default() };
    for argument in arguments {
        expansion.add(argument.as_ref());
    }
    expansion.expanded
}

/// Reads a list of names, or standard input where it is called `-`: separated by NUL where there is one, else by lines, which may end
/// in CR LF and begin with a byte order mark. A name that itself ends in CR takes a list with NUL.
///
/// # Errors
///
/// The list cannot be read, is longer than [`NAMES_BYTES_MAX`], or in UTF-16.
pub fn names_from(list: &OsStr) -> Result<Vec<OsString>, InputError> {
    let input = || if list == "-" { Input::Stream(Stream::standard_input()) } else { Input::File(list.into()) };
    let refuse = |source| InputError::Read { input: input(), source };
    let mut text = Vec::new();
    let taken = if list == "-" {
        io::stdin().lock().take(NAMES_BYTES_MAX + 1).read_to_end(&mut text)
    } else {
        File::open(list).map_err(refuse)?.take(NAMES_BYTES_MAX + 1).read_to_end(&mut text)
    }
    .map_err(refuse)?;
    if taken as u64 > NAMES_BYTES_MAX {
        return Err(InputError::ListTooLarge { input: input() });
    }
    if is_utf16(&text) {
        return Err(InputError::ListInUtf16 { input: input() });
    }
    let by_nul = text.split(|byte| *byte == 0);
    let lines = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text).split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Ok(if text.contains(&0) { names(by_nul) } else { names(lines) })
}

/// True for the mark of UTF-16 in either order, and for what a list of ASCII is in it: a NUL at every second byte, and a dot, slash or end
/// of line at one of the others. By bytes and NULs such a list would name `.` and `/`.
fn is_utf16(text: &[u8]) -> bool {
    let of_ascii = |nul: usize| {
        let units = text.as_chunks::<2>().0;
        let names_much = units.iter().any(|unit| b"./\n".contains(&unit[1 - nul]));
        names_much && units.iter().all(|unit| unit[nul] == 0 && unit[1 - nul] != 0)
    };
    [[0xff, 0xfe], [0xfe, 0xff]].iter().any(|mark| text.starts_with(mark)) || of_ascii(0) || of_ascii(1)
}

fn names<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Vec<OsString> {
    parts.filter(|name| !name.is_empty()).map(|name| OsString::from_vec(name.to_vec())).collect()
}

#[derive(Default)]
struct Expansion<'a> {
    remote: Option<&'a RemoteFiles>,
    expanded: Expanded,
    seen: HashSet<PathBuf>,
    /// Names of files of other machines that are inputs already.
    urls: HashSet<String>,
    has_stdin: bool,
}

impl Expansion<'_> {
    fn add(&mut self, argument: &OsStr) {
        if let Err(error) = self.try_add(argument) {
            self.expanded.refused.push(error);
        }
    }

    fn try_add(&mut self, argument: &OsStr) -> Result<(), InputError> {
        if argument == "-" {
            if !std::mem::replace(&mut self.has_stdin, true) {
                self.add_stream(Stream::standard_input())?;
            }
            return Ok(());
        }
        let path = Path::new(argument);
        if path.is_dir() {
            let files = self.walk(path, &[Step::AnyDirectories, Step::SpecimenName])?;
            return if files.is_empty() { Err(InputError::EmptyDirectory(path.to_owned())) } else { self.take(files) };
        }
        // A file wins over a pattern, so that a name with brackets in it can be given as it is.
        if path.exists() {
            return self.take(vec![path.to_owned()]);
        }
        if let Some(url) = argument.to_str().filter(|argument| is_remote(argument)) {
            return self.add_remote(url);
        }
        if !argument.as_bytes().iter().any(|byte| b"*?[".contains(byte)) {
            return Err(InputError::Missing(path.to_owned()));
        }
        let pattern = || argument.to_string_lossy().into_owned();
        let (base, steps) =
            Step::of_pattern(argument).map_err(|source| InputError::Pattern { pattern: pattern(), source })?;
        let files = self.walk(&base, &steps)?;
        if files.is_empty() { Err(InputError::NoMatch(pattern())) } else { self.take(files) }
    }

    fn add_stream(&mut self, stream: Stream) -> Result<(), InputError> {
        match archive::in_stream(&stream)? {
            Some(members) => self.expanded.inputs.extend(members),
            None => self.expanded.inputs.push(Input::Stream(stream)),
        }
        Ok(())
    }

    fn add_remote(&mut self, url: &str) -> Result<(), InputError> {
        let remote = self.remote.ok_or_else(|| InputError::NotHere(without_secrets(url).into()))?;
        for file in remote.find(url, &|name| is_specimen_name(OsStr::new(name)))? {
            if self.urls.insert(file.name()) {
                self.expanded.inputs.push(Input::Remote(file));
            }
        }
        Ok(())
    }

    fn walk(&mut self, base: &Path, steps: &[Step]) -> Result<Vec<PathBuf>, InputError> {
        let (files, refused) = Walk::files(base, steps)?;
        self.expanded.refused.extend(refused);
        Ok(files)
    }

    fn take(&mut self, files: Vec<PathBuf>) -> Result<(), InputError> {
        for file in files {
            // By the name that no link is in, so that a file with two names is read once.
            let whole = fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
            if !self.seen.insert(whole) {
                continue;
            }
            if fs::metadata(&file).is_ok_and(|metadata| !metadata.is_file()) {
                self.add_stream(Stream::of(file))?;
            } else if archive::is_archive(&file) {
                self.expanded.inputs.extend(archive::members(&file)?);
            } else {
                self.expanded.inputs.push(Input::File(file));
            }
        }
        Ok(())
    }
}
