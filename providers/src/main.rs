//! `wci-controller`: serves worker controller instances on Temporal, and looks after them.

#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]

use std::process::ExitCode;

fn main() -> ExitCode {
    wci_providers::cli::main()
}
