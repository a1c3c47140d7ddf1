//! Rules that this process runs itself: their code comes from the cache or from a child, and is loaded into a sandbox of this process.

use refiner_rule_model::Grants;
use refiner_sandbox::{AdmitFailure, AdmittedRule, Sandbox};
use refiner_worker::{CodeCache, CodeKey, CompiledRule};
use tracing::warn;

/// Admits a component that comes with this program into a sandbox of this process, by code that was kept, or compiles it here and keeps
/// the code. A stranger's is compiled by [`Compiler`](refiner_worker::Compiler), in a process that may die.
pub(crate) fn admit_own(
    cache: &CodeCache,
    sandbox: &Sandbox,
    component: &[u8],
    grants: &Grants,
) -> Result<AdmittedRule, AdmitFailure> {
    let key = CodeKey { component: refiner_specimen::sha256(component), compatibility: sandbox.code_compatibility() };
    let code = match cache.get(&key) {
        Some(code) => code,
        None => {
            let code = sandbox.compile(component, None, grants)?;
            if let Err(error) = cache.put(&key, &code) {
                warn!(%error, component = %key.component, "compiled code not kept, compiled again next time");
            }
            code.into()
        }
    };
    sandbox.describe(sandbox.load(component, None, &code, grants)?)
}

/// Loads the code of a rule in this process and asks the rule to describe itself: for a process without a key, whose user takes the
/// risk of running a stranger's rule in it, and not that of compiling one.
pub(crate) fn admit_compiled(sandbox: &Sandbox, rule: &CompiledRule) -> Result<AdmittedRule, AdmitFailure> {
    let loaded = sandbox.load(rule.component(), rule.beside(), rule.code(), rule.grants())?;
    sandbox.describe(loaded)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf, time::SystemTime};

    use refiner_rule_package::builtin;
    use refiner_sandbox::EngineProfile;

    use super::*;

    fn only_file(directory: &tempfile::TempDir) -> PathBuf {
        let mut files: Vec<_> =
            fs::read_dir(directory.path().join("code")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    fn written(path: &PathBuf) -> (SystemTime, Vec<u8>) {
        (path.metadata().unwrap().modified().unwrap(), fs::read(path).unwrap())
    }

    #[test]
    fn component_of_this_program_is_compiled_once_and_again_where_its_file_was_changed() {
        let directory = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(directory.path().join("code")).unwrap();
        let sandbox = Sandbox::new(EngineProfile::of_this_process()).unwrap();
        let (_, component) = builtin::RULES[0];
        let admit = || admit_own(&cache, &sandbox, component, &Grants::all()).unwrap();
        let first = admit();
        let file = only_file(&directory);
        let (time, bytes) = written(&file);
        assert_eq!(admit().component(), first.component());
        assert_eq!(written(&file), (time, bytes.clone()), "the second time nothing is compiled");
        fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(admit().component(), first.component());
        assert_eq!(written(&file).1, bytes, "what was cut is compiled again");
    }
}
