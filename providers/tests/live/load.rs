//! Versions that exist, and work for them.

use crate::program::{Program, eventually};
use crate::temporal::Server;
use std::process::Command;
use std::time::Duration;

/// Makes the server know a version with task queue `queue`, as its deployment's current one; no worker is left.
pub async fn register(server: &Server, deployment: &str, queue: &str) {
    let mut command = server.cli();
    command.args(["demo", "worker", "-d", deployment, "-b", "1", "--task-queue", queue, "--set-current"]);
    let mut worker = Program::start("first-worker", command.args(["--idle-secs", "1.5"]));
    eventually("the first worker has ended", Duration::from_secs(60), async || {
        worker.has_ended().then_some(())
    })
    .await;
    let log = std::fs::read_to_string(&worker.log).unwrap();
    assert!(log.contains("is current"), "{log}");
}

/// Starts work for the queue.
pub fn start(server: &Server, queue: &str, rate: f64, secs: f64, work_secs: f64) -> Program {
    start_many(server, &[queue.to_owned()], rate, secs, work_secs)
}

/// Starts each piece of work once for each of the queues.
pub fn start_many(server: &Server, queues: &[String], rate: f64, secs: f64, work_secs: f64) -> Program {
    let mut command: Command = server.cli();
    command.args(["demo", "load"]);
    for queue in queues {
        command.args(["--task-queue", queue]);
    }
    command.args(["--rate", &rate.to_string(), "--secs", &secs.to_string()]);
    Program::start("load", command.args(["--work-secs", &work_secs.to_string()]))
}
