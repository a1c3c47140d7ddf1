//! Requirements of the tests on a proof chain: anvil and solc, which they install from npm into `target/node` by themselves.

use anyhow::{Result, bail};

use crate::command;

/// Makes sure that those tests can run, for without npm they would skip themselves with a notice.
pub fn ensure() -> Result<()> {
    let answers = |program: &str| command::answer(command::program(program).arg("--version")).is_some();
    if answers("node") && answers("npm") {
        return Ok(());
    }
    bail!("node and npm are not here, from which anvil and solc come; install them with `apt-get install nodejs npm`")
}
