//! componentize-py and componentize-js: where they are, and what installs them.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{JAVASCRIPT_VERSION, PYTHON_VERSION, Script};

/// A toolchain that is not there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{program} is neither in {} nor on the PATH", .beside.display())]
pub struct NoTool {
    script: Script,
    program: &'static str,
    /// Where it was looked for in the rule's directory.
    beside: PathBuf,
}

impl NoTool {
    /// The commands that install it.
    pub fn remedy(&self) -> String {
        match self.script {
            Script::Python => {
                format!(
                    "in the rule's folder: `python3 -m venv .venv && .venv/bin/pip install componentize-py=={PYTHON_VERSION}`"
                )
            }
            Script::JavaScript => {
                format!(
                    "in the rule's folder: `npm install`, or `npm install --global @bytecodealliance/componentize-js@{JAVASCRIPT_VERSION}`"
                )
            }
        }
    }
}

impl Script {
    const fn program(self) -> &'static str {
        match self {
            Self::Python => "componentize-py",
            Self::JavaScript => "componentize-js",
        }
    }

    /// The folder of a rule's directory where its toolchain is installed.
    const fn folder(self) -> &'static str {
        match self {
            Self::Python => ".venv/bin",
            Self::JavaScript => "node_modules/.bin",
        }
    }

    /// The toolchain: that of the rule's directory, or the one on the PATH.
    pub(super) fn tool(self, directory: &Path) -> Result<PathBuf, NoTool> {
        self.tool_on(directory, refiner_environment::variable("PATH").as_deref().unwrap_or_default())
    }

    fn tool_on(self, directory: &Path, path: &std::ffi::OsStr) -> Result<PathBuf, NoTool> {
        let (program, beside) = (self.program(), directory.join(self.folder()));
        let folders = [beside.clone()].into_iter().chain(env::split_paths(path));
        let found = folders.map(|folder| folder.join(program)).find(|file| file.is_file());
        found.ok_or(NoTool { script: self, program, beside })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn toolchain_of_the_rule_goes_before_the_one_on_the_path() {
        let (rule, path) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        for script in [Script::Python, Script::JavaScript] {
            let tool = || script.tool_on(rule.path(), path.path().as_os_str());
            let missing = tool().expect_err("it is nowhere");
            assert!(missing.to_string().contains("nor on the PATH"), "{missing}");
            assert!(missing.remedy().contains("install"), "{}", missing.remedy());
            let on_the_path = path.path().join(script.program());
            fs::write(&on_the_path, "").expect("a file");
            assert_eq!(tool(), Ok(on_the_path));
            let beside = rule.path().join(script.folder()).join(script.program());
            fs::create_dir_all(beside.parent().expect("a parent")).expect("a directory");
            fs::write(&beside, "").expect("a file");
            assert_eq!(tool(), Ok(beside));
        }
    }
}
