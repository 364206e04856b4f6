//! Tests against real parts: a Temporal server with its hook, and Amazon's protocols as moto speaks them.
//!
//! `WCI_LIVE_TOOLS` names the folder with the programs `temporal` and `moto_server`; `cargo xtask test` fetches them.

mod aws;
mod cli;
mod durable;
mod fakes;
mod fast_poll;
mod grace;
mod load;
mod parity;
mod program;
mod serve;
mod stuck;
mod subprocess;
#[path = "../suite/mod.rs"]
mod suite;
mod temporal;
