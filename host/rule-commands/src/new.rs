//! `refiner rule new`.

use std::path::{Path, PathBuf};

use refiner_authoring::{Language, World, c::ZIG_VERSION, componentize::PYTHON_VERSION, template};
use refiner_diagnostics::{ExitCode, Failure};
use serde_json::json;

use super::{RuleError, arguments::New};
use crate::terminal;

pub fn run(arguments: &New) -> Result<ExitCode, Failure> {
    let New { name, dir, language, with_evm, json } = arguments;
    let directory = dir.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    let world = if *with_evm { World::TransformWithEvm } else { World::Transform };
    template::write(name, world, *language, &directory).map_err(RuleError::from)?;
    let next = commands(name.as_str(), *language, &directory);
    let stdout = &mut terminal::out(*json);
    if *json {
        let written = json!({
            "name": name.as_str(), "language": language.as_str(), "world": world.as_str(), "directory": directory, "next": next,
        });
        writeln!(stdout, "{written}")?;
    } else {
        writeln!(stdout, "Wrote {}, with the SDK and a sample specimen. Next:\n", directory.display())?;
        for command in next {
            writeln!(stdout, "  {command}")?;
        }
    }
    Ok(ExitCode::Done)
}

/// What to type next, as it is to be typed.
fn commands(name: &str, language: Language, directory: &Path) -> Vec<String> {
    let sample = template::SAMPLE.0;
    let install = |package: &str, version: &str| format!(".venv/bin/pip install --quiet {package}=={version}");
    let (componentize, zig) = (install("componentize-py", PYTHON_VERSION), install("ziglang", ZIG_VERSION));
    let of_the_language: &[&str] = match language {
        Language::Rust => &["cargo test"],
        Language::Go => &["go test ."],
        Language::Python => &["python3 -m venv .venv", &componentize, "python3 -m unittest"],
        Language::JavaScript => &["npm install", "node --test"],
        Language::C => &[
            "python3 -m venv .venv",
            &zig,
            ".venv/bin/python-zig cc -I sdk rows.c rows_test.c -o rows_test",
            "./rows_test",
        ],
    };
    let mut commands = vec![format!("cd {}", quoted(&directory.display().to_string()))];
    commands.extend(of_the_language.iter().map(|command| (*command).to_owned()));
    commands.extend([
        "refiner rule build".to_owned(),
        format!("refiner rule check {name}.wasm --repeat 3"),
        format!("refiner rule run {name}.wasm {sample} --show"),
    ]);
    commands
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_=/.,:@+".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directory_is_quoted_where_a_shell_would_split_it() {
        let check = |word: &str, expected: &str| assert_eq!(quoted(word), expected);
        check("rules/my-rule", "rules/my-rule");
        check("my rules", "'my rules'");
        check("it's", r"'it'\''s'");
        check("", "''");
    }
}
