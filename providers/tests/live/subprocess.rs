//! Local workers come when there is work and go when there is none.

use crate::load;
use crate::program::{CONTROLLER, eventually};
use crate::temporal::{Server, version, whole};
use serde_json::json;
use std::time::Duration;

/// How many processes have all of these words in their command line.
fn running(words: &[&str]) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines
        .filter(|line| {
            let line = String::from_utf8_lossy(line).replace('\0', " ");
            // Each worker runs under `timeout`, whose command line holds the same words.
            !line.contains("timeout") && words.iter().all(|word| line.contains(word))
        })
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn local_workers_start_drain_the_queue_and_vanish() {
    let server = Server::start().await;
    let _controller = server.controller(&["--allow-subprocess", CONTROLLER], &[]);
    load::register(&server, "local", "local-q").await;
    let client = server.client().await.unwrap();
    let args = [
        "demo",
        "worker",
        "-d",
        "local",
        "-b",
        "1",
        "--task-queue",
        "local-q",
        "--idle-secs",
        "2",
        "--slots",
        "2",
    ];
    let spec = json!({"scaling_group_specs": {"g": {
        "compute": {"provider_type": "subprocess", "config": {"command": CONTROLLER, "args": args}},
        "scaling": {"scaling_algorithm": "no-sync", "config": {"scale_up_cooloff_ms": 300}}}}});
    client.update(&version("local"), &whole(spec)).await.unwrap();

    let mut load = load::start(&server, "local-q", 4.0, 6.0, 1.0);
    let words = ["local-q", "--idle-secs", &server.address()[..0]];
    eventually("several workers run", Duration::from_secs(60), async || (running(&words) >= 3).then_some(()))
        .await;
    eventually("the load has ended", Duration::from_secs(60), async || load.has_ended().then_some(())).await;
    eventually("all work is done", Duration::from_secs(60), async || {
        let list =
            ["workflow", "count", "--query", "WorkflowType='wci-demo-nap' AND ExecutionStatus='Running'"];
        let text = String::from_utf8(server.temporal(&list).stdout).unwrap();
        text.contains("Total: 0").then_some(())
    })
    .await;
    eventually("the workers vanish", Duration::from_secs(60), async || (running(&words) == 0).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_the_host_does_not_name_is_refused() {
    let server = Server::start().await;
    let _controller = server.controller(&["--allow-subprocess", CONTROLLER], &[]);
    let client = server.client().await.unwrap();
    let spec = json!({"scaling_group_specs": {"g": {
        "compute": {"provider_type": "subprocess", "config": {"command": "sh"}}}}});
    let refused = client.update(&version("shell"), &whole(spec)).await.unwrap_err();
    assert!(refused.to_string().contains("--allow-subprocess"), "{refused}");
    eventually("nothing is left of it", Duration::from_secs(60), async || {
        (!client.exists(&version("shell")).await.unwrap()).then_some(())
    })
    .await;
}
