//! `wci-controller`: serves worker controller instances on Temporal, and looks after them.

use std::process::ExitCode;

fn main() -> ExitCode {
    wci_providers::cli::main()
}
