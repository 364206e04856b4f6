//! The servers that tests of the live side talk to, fetched when they are not there.

use crate::shell::{self, program};
use std::fs;
use std::path::{Path, PathBuf};

/// Each is installed without looking for further packages: the lists are complete.
const LISTS: [&str; 2] = ["xtask/temporal.txt", "xtask/moto.txt"];

/// The folder with the programs `temporal` and `moto_server`.
pub fn tools() -> Result<PathBuf, String> {
    let home = shell::target_dir().join("live");
    let stamp = home.join("installed");
    let wanted = LISTS.iter().map(|list| fs::read_to_string(shell::root().join(list)));
    let wanted: String = wanted.collect::<Result<_, _>>().map_err(|e| format!("the lists of tools: {e}"))?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(home.join("bin"));
    }
    install(&home)?;
    fs::write(&stamp, wanted).map_err(|e| format!("{}: {e}", stamp.display()))?;
    Ok(home.join("bin"))
}

fn install(home: &Path) -> Result<(), String> {
    println!("fetching a Temporal server and moto into {}", home.display());
    shell::run(program("python3").args(["-m", "venv", "--clear"]).arg(home))?;
    for list in LISTS {
        let mut pip = program(home.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        shell::run(pip.args(["--prefer-binary", "--requirement", list]))?;
    }
    Ok(())
}
