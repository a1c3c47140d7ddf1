//! `refiner key`: keystores that the daemon opens, and nothing of a key in what is printed.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use refiner_testchain::{OPERATOR, OPERATOR_KEY, OPERATOR_KEYSTORE};

/// The password of the tests. It is found in no other text.
const PASSWORD: &str = "canary-password";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The path of a file that only its owner may read.
    fn private(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn keystore(&self) -> String {
        self.path("keystore").to_str().unwrap().to_owned()
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refiner"));
    command.arg("key").args(arguments).env_remove("BLOCK_RESULT_OPERATOR_PRIVATE_KEY");
    command
}

/// Runs the command without a terminal.
fn key(arguments: &[&str]) -> Output {
    let mut detached = Command::new("setsid");
    let command = command(arguments);
    let output = detached.arg("-w").arg(command.get_program()).args(command.get_args()).output().unwrap();
    assert_tells_nothing(&output.stdout);
    assert_tells_nothing(&output.stderr);
    output
}

#[track_caller]
fn assert_tells_nothing(told: &[u8]) {
    let told = String::from_utf8_lossy(told).to_lowercase();
    for secret in [&OPERATOR_KEY[..16], &OPERATOR_KEY[48..], PASSWORD] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[track_caller]
fn address(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().trim_end().to_owned()
}

#[track_caller]
fn refused(output: &Output, code: i32, expected: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(expected), "{expected} in {told}");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn new_key_is_in_a_keystore_of_its_own_password_and_overwrites_no_file() {
    let folder = Folder::new();
    let (keystore, password) = (folder.keystore(), folder.private("password", &format!("{PASSWORD}\n")));
    let made = address(&key(&["new", &keystore, "--password-file", &password]));
    assert!(made.starts_with("0x") && made.len() == 42, "{made}");
    assert_eq!(mode(Path::new(&keystore)), 0o600);
    let told = address(&key(&["address", "--keystore", &keystore, "--password-file", &password]));
    assert_eq!(told, made);

    let before = fs::read(&keystore).unwrap();
    refused(&key(&["new", &keystore, "--password-file", &password]), 2, "exists already, and no key is overwritten");
    let key_file = folder.private("key", OPERATOR_KEY);
    let import = ["import", &keystore, "--key-file", &key_file, "--password-file", &password];
    refused(&key(&import), 2, "exists already, and no key is overwritten");
    assert_eq!(fs::read(&keystore).unwrap(), before);
    let other = folder.private("other", "another");
    let wrong = key(&["address", "--keystore", &keystore, "--password-file", &other]);
    refused(&wrong, 2, "the password is not this keystore's");
}

#[test]
fn imported_key_keeps_its_address() {
    let folder = Folder::new();
    let (keystore, password) = (folder.keystore(), folder.private("password", PASSWORD));
    let key_file = folder.private("key", &format!("0x{OPERATOR_KEY}\n"));
    let import = ["import", &keystore, "--key-file", &key_file, "--password-file", &password];
    assert_eq!(address(&key(&import)), OPERATOR.to_string());
    assert_tells_nothing(&fs::read(&keystore).unwrap());
    let told = key(&["address", "--keystore", &keystore, "--password-file", &password]);
    assert_eq!(address(&told), OPERATOR.to_string());
    assert_eq!(address(&key(&["address", "--key-file", &key_file])), OPERATOR.to_string());
    let both = ["address", "--key-file", &key_file, "--keystore", &keystore, "--password-file", &password];
    refused(&key(&both), 2, "keystore and key-file cannot both be given");
    refused(&key(&["address"]), 2, "key-file is missing");
}

#[test]
fn key_on_the_command_line_and_open_files_are_refused_without_being_shown() {
    let folder = Folder::new();
    let password = folder.private("password", PASSWORD);
    for typed in [OPERATOR_KEY.to_owned(), format!("0x{OPERATOR_KEY}")] {
        let output = key(&["import", &typed, "--password-file", &password]);
        refused(&output, 2, "a key on the command line");
        assert!(!Path::new(&typed).exists());
    }
    let key_file = folder.private("key", OPERATOR_KEY);
    fs::set_permissions(&password, fs::Permissions::from_mode(0o644)).unwrap();
    let keystore = folder.keystore();
    let import = ["import", &keystore, "--key-file", &key_file, "--password-file", &password];
    refused(&key(&import), 2, "open to others (mode 644)");
    assert!(!Path::new(&keystore).exists());
    let permitted = [&import[..], &["--insecure-key-permissions"]].concat();
    assert_eq!(address(&key(&permitted)), OPERATOR.to_string());
}

#[test]
fn files_that_were_mixed_up_are_refused_without_being_shown() {
    let folder = Folder::new();
    let (password, key_file) = (folder.private("password", PASSWORD), folder.private("key", OPERATOR_KEY));
    let keystore = folder.private("keystore", OPERATOR_KEYSTORE);
    for (arguments, expected) in [
        (["--keystore", &key_file, "--password-file", &password], "not a keystore: no JSON object"),
        (["--keystore", &keystore, "--password-file", &key_file], "the password is not this keystore's"),
        (["--key-file", &password, "--password-file", &password], "a key of 15 digits instead of 64"),
        (["--key-file", &keystore, "--password-file", &password], "digits instead of 64"),
    ] {
        refused(&key(&[&["address"], &arguments[..]].concat()), 2, expected);
    }
}

#[test]
fn empty_password_and_no_terminal_are_refused() {
    let folder = Folder::new();
    let (keystore, empty) = (folder.keystore(), folder.private("password", "\n"));
    refused(&key(&["new", &keystore, "--password-file", &empty]), 2, "the password is empty");
    let asked = key(&["new", &keystore]);
    refused(&asked, 2, "no terminal to ask for the password");
    refused(&asked, 2, "--password-file");
    assert!(!Path::new(&keystore).exists());
}

/// Types an answer after each question on a terminal of the command's own, and gives all that the terminal showed.
fn typed(arguments: &[&str], answers: &[(&str, &str)]) -> (bool, String) {
    let quoted: Vec<_> = arguments.iter().map(|argument| format!("'{argument}'")).collect();
    let line = format!("'{}' key {}", env!("CARGO_BIN_EXE_refiner"), quoted.join(" "));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut byte) = (String::new(), [0]);
    for (question, answer) in answers {
        let from = shown.len();
        while !shown[from..].ends_with(&format!("{question}: ")) {
            assert_eq!(output.read(&mut byte).unwrap(), 1, "{question} in {shown}");
            shown.push(char::from(byte[0]));
        }
        writeln!(input, "{answer}").unwrap();
    }
    output.read_to_string(&mut shown).unwrap();
    (child.wait().unwrap().success(), shown)
}

#[test]
fn key_and_password_are_typed_without_being_shown() {
    let folder = Folder::new();
    let keystore = folder.keystore();
    let answers = [("Key (64 hexadecimal digits)", OPERATOR_KEY), ("Password", PASSWORD), ("Password again", PASSWORD)];
    let (imported, shown) = typed(&["import", &keystore], &answers);
    assert!(imported && shown.contains(&OPERATOR.to_string()), "{shown}");
    assert_tells_nothing(shown.as_bytes());
    let (opened, shown) = typed(&["address", "--keystore", &keystore], &[("Password", PASSWORD)]);
    assert!(opened && shown.contains(&OPERATOR.to_string()), "{shown}");

    let other = folder.path("other").to_str().unwrap().to_owned();
    let (made, shown) = typed(&["new", &other], &[("Password", PASSWORD), ("Password again", "another")]);
    assert!(!made && shown.contains("the two passwords differ") && !Path::new(&other).exists(), "{shown}");
    assert_tells_nothing(shown.as_bytes());
}
