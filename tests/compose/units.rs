//! The units of systemd, and the variables of direnv.

use std::{fs, process::Command};

use refiner_config::table;

use crate::engine::repository;

fn text(name: &str) -> String {
    fs::read_to_string(repository().join("compose").join(name)).unwrap()
}

#[test]
fn unit_sets_variables_that_are_settings_and_does_not_restart_after_a_wrong_one() {
    let unit = text("systemd/refiner.service");
    let set: Vec<_> = unit.lines().filter_map(|line| line.strip_prefix("Environment=")?.split_once('=')).collect();
    assert!(set.len() >= 5, "{set:?}");
    for (name, _) in &set {
        assert!(table::rows().any(|row| row.variable() == *name), "{name} is no setting");
    }
    let mut show = Command::new(env!("CARGO_BIN_EXE_refiner"));
    // The lines of `refiner.env` that its installation asks for.
    let operators =
        [("MIX_ENV", "prod"), ("NODE_ETHEREUM_MAINNET", "http://a"), ("REFINER_PINNER", "http://127.0.0.1:3001")];
    assert!(unit.contains("REFINER_PINNER=http://127.0.0.1:3001"));
    show.args(["config", "show"]).env_clear().envs(set).envs(operators);
    let shown = show.output().unwrap();
    assert_eq!((shown.status.code(), String::from_utf8_lossy(&shown.stderr).as_ref()), (Some(0), ""));
    let usage = refiner_diagnostics::ExitCode::Usage as u8;
    let refused = refiner_diagnostics::ExitCode::Refused as u8;
    assert!(unit.contains(&format!("\nRestartPreventExitStatus={usage} {refused}\n")));
}

#[test]
fn units_are_valid() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        #[allow(clippy::print_stderr)]
        {
            eprintln!("skipped: systemd-analyze is not installed");
        }
        return;
    }
    for name in ["refiner.service", "refiner-compose.service"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        // The programs and the engine's unit are those of the operator's machine.
        let unit = text(&format!("systemd/{name}"));
        let unit =
            unit.replace("/usr/local/bin/refiner ", "/bin/true ").replace("/usr/bin/docker-compose", "/bin/true");
        let unit: String =
            unit.lines().filter(|line| !line.contains("docker.service")).map(|line| format!("{line}\n")).collect();
        fs::write(&path, unit).unwrap();
        let verified = Command::new("systemd-analyze").arg("verify").arg(&path).output().unwrap();
        let complaints = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert!(verified.status.success() && !complaints.contains(name), "{complaints}");
    }
}

#[test]
fn variables_of_direnv_name_a_compose_file() {
    let script = r#"dotenv_if_exists() { :; }; PATH_add() { :; }; . ./.envrc; echo "$COMPOSE_FILE""#;
    let output = Command::new("bash")
        .args(["-euc", script])
        .current_dir(repository().join("compose"))
        .env_remove("COMPOSE_FILE")
        .output()
        .unwrap();
    let file = String::from_utf8(output.stdout).unwrap();
    assert!(repository().join("compose").join(file.trim()).is_file(), "{file}");
}
