//! Programs that keep logins outside of files: `docker-credential-NAME get`, as docker and podman start them.
//!
//! Source: <https://github.com/docker/docker-credential-helpers>.

use std::{
    io::{self, Read as _, Write as _},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::{Program, Secret};

/// Longest answer of a helper. A login takes some 200 bytes, and tokens some 4 KiB.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// Time for an answer: a keychain may ask its user.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
/// Time between two looks whether a helper has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The user of an answer whose secret is a token that stands for a user.
const TOKEN_USER: &str = "<token>";

/// Reasons for which a helper gives no login. Their texts show nothing of its answer.
#[derive(Debug, thiserror::Error)]
pub enum HelperFailure {
    /// The program is not there, or nobody may run it.
    #[error("it cannot be started: {0}")]
    Start(#[source] io::Error),
    /// It has no login, or failed otherwise.
    #[error("it has no login, or failed: {0}")]
    Ended(ExitStatus),
    /// It did not end in time and was stopped, or ended and left a process that may still write its answer.
    #[error("it did not answer within {} s", ANSWERS_WITHIN.as_secs())]
    TooSlow,
    /// It wrote something else than a login.
    #[error("its answer is no login")]
    Answer,
}

/// The login that a helper gives.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Helped {
    Password { user: String, password: Secret },
    Identity { token: Secret },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks the helper for its login to a server, which stands as the file has it.
pub(super) fn ask(program: &Program, server: &str) -> Result<Helped, HelperFailure> {
    let mut helper = Command::new(&program.0);
    helper.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = helper.spawn().map_err(HelperFailure::Start)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read its question answers all the same, or fails by itself.
        let _ = stdin.write_all(server.as_bytes());
    }
    let stdout = child.stdout.take().ok_or(HelperFailure::Answer)?;
    let (until, pieces) = (Instant::now() + ANSWERS_WITHIN, read(stdout));
    let status = ended(&mut child, until)?;
    if !status.success() {
        return Err(HelperFailure::Ended(status));
    }
    let Answer { username, secret } = answer(&pieces, until)?;
    Ok(match username == TOKEN_USER {
        true => Helped::Identity { token: Secret(secret) },
        false => Helped::Password { user: username, password: Secret(secret) },
    })
}

/// The helper's output as it comes. Read on a thread that nothing waits for: an agent that the helper starts can hold the pipe open for ever.
fn read(stdout: ChildStdout) -> Receiver<Vec<u8>> {
    let (sender, pieces) = mpsc::channel();
    thread::spawn(move || {
        let (mut stdout, mut piece) = (stdout.take(ANSWER_BYTES_MAX), [0; 4 << 10]);
        loop {
            match stdout.read(&mut piece) {
                Ok(0) => break,
                Ok(length) if sender.send(piece[..length].to_vec()).is_ok() => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => break,
            }
        }
    });
    pieces
}

/// The answer of a helper that has ended: complete when it can be read, because its output may stay open.
fn answer(pieces: &Receiver<Vec<u8>>, until: Instant) -> Result<Answer, HelperFailure> {
    let mut bytes = Vec::new();
    loop {
        match pieces.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(piece) => bytes.extend(piece),
            Err(RecvTimeoutError::Disconnected) => return Err(HelperFailure::Answer),
            Err(RecvTimeoutError::Timeout) => return Err(HelperFailure::TooSlow),
        }
        if let Ok(answer) = serde_json::from_slice(&bytes) {
            return Ok(answer);
        }
    }
}

fn ended(child: &mut Child, until: Instant) -> Result<ExitStatus, HelperFailure> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < until => thread::sleep(LOOK_EVERY),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(HelperFailure::TooSlow);
            }
            Err(error) => return Err(HelperFailure::Start(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

    use super::*;

    fn helper(directory: &Path, script: &str) -> Program {
        let path = directory.join("docker-credential-test");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("its owner's");
        Program(path.display().to_string())
    }

    #[test]
    fn helper_is_asked_for_the_server_and_gives_a_password_or_a_token() {
        let directory = tempfile::tempdir().expect("a directory");
        let answer =
            r#"read -r server; printf '{"ServerURL":"%s","Username":"%s","Secret":"canary"}' "$server" "of $server""#;
        let password = ask(&helper(directory.path(), answer), "r.example\n").expect("a login");
        assert_eq!(
            password,
            Helped::Password { user: "of r.example".to_owned(), password: Secret("canary".to_owned()) }
        );
        let token = ask(&helper(directory.path(), r#"echo '{"Username":"<token>","Secret":"canary"}'"#), "r.example");
        assert_eq!(token.expect("a login"), Helped::Identity { token: Secret("canary".to_owned()) });
    }

    #[test]
    fn helper_that_leaves_an_agent_with_its_output_is_not_waited_for() {
        let directory = tempfile::tempdir().expect("a directory");
        let agent = "sleep 50 &\n";
        let begun = Instant::now();
        let login = ask(
            &helper(directory.path(), &format!(r#"{agent}echo '{{"Username":"user","Secret":"canary"}}'"#)),
            "r.example",
        );
        assert!(matches!(login, Ok(Helped::Password { .. })), "{login:?}");
        let failed = ask(&helper(directory.path(), &format!("{agent}exit 1")), "r.example");
        assert!(matches!(failed, Err(HelperFailure::Ended(_))), "{failed:?}");
        assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());

        let (sender, pieces) = mpsc::channel();
        sender.send(b"Starting the agent".to_vec()).expect("a reader");
        let nothing = answer(&pieces, Instant::now() + Duration::from_millis(50));
        assert!(matches!(nothing, Err(HelperFailure::TooSlow)), "the output stays open");
        drop(sender);
        let nothing = answer(&pieces, Instant::now() + Duration::from_secs(60));
        assert!(matches!(nothing, Err(HelperFailure::Answer)), "the output has ended");
    }

    #[test]
    fn helper_that_fails_is_told_of_without_what_it_wrote() {
        let directory = tempfile::tempdir().expect("a directory");
        let check = |script: &str, expected: &str| {
            let error = ask(&helper(directory.path(), script), "r.example").expect_err(script).to_string();
            assert!(error.contains(expected) && !error.contains("canary"), "{error}");
        };
        check("echo canary; exit 1", "it has no login, or failed: exit status: 1");
        check("echo canary", "its answer is no login");
        // It is stopped by the pipe, whose reader has gone.
        check("head -c 1000000 /dev/zero", "it has no login, or failed");
        let missing = ask(&Program("/nowhere/docker-credential-test".to_owned()), "r.example");
        assert!(matches!(missing, Err(HelperFailure::Start(_))), "{missing:?}");
    }
}
