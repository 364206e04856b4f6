//! A controller whose workflow tasks fail again and again is seen.

use crate::program::{A_MINUTE, eventually, free_port};
use crate::temporal::{Server, version, whole};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_controller_is_told_of_wherever_controllers_are() {
    let server = Server::start().await;
    let _serving = server.controller(&[], &[]);
    let client = server.client().await.unwrap();
    let spec = json!({"scaling_group_specs": {"g": {"compute": {"provider_type": "external"}}}});
    client.update(&version("well"), &whole(spec)).await.unwrap();
    // No worker can read this start. What is not reported fails by its time, so that is short.
    let id = "temporal-sys-worker-controller-instance:stuck:1";
    let kind = "temporal-sys-worker-controller-instance-workflow";
    let mut start = vec!["workflow", "start", "--type", kind, "--workflow-id", id, "--task-timeout", "1s"];
    start.extend(["--task-queue", "wci-controller", "--input", "7"]);
    assert!(server.temporal(&start).status.success());

    let stuck = eventually("the server notices", 3 * A_MINUTE, async || {
        client.stuck().await.unwrap().into_iter().next()
    })
    .await;
    assert_eq!(stuck.deployment_name, "stuck");
    let run = |args: &[&str]| {
        let output = server.cli().args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (_, listed, words) = run(&["list"]);
    let row = |name: &str| listed.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("stuck").contains("WorkflowTaskFailed") && row("well").ends_with("  -"), "{listed}");
    assert!(words.contains(&format!("--type LastWorkflowTask --reason stuck --workflow-id {id}")), "{words}");
    let (_, lines, _) = run(&["list", "--json"]);
    for line in lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        assert_eq!(line["problem"].is_string(), line["deployment_name"] == "stuck", "{line}");
    }
    let (status, findings, _) = run(&["check", "-d", "stuck", "-b", "1"]);
    assert!(status == Some(1) && findings.contains("WRONG the controller is stuck"), "{findings}");
    assert!(findings.contains("--type LastWorkflowTask"), "{findings}");
    let (status, table, _) = run(&["watch", "--once"]);
    assert!(status == Some(1) && table.contains("STUCK: WorkflowTaskFailed"), "{table}");
    assert_eq!(table.matches("STUCK").count(), 1, "{table}");
    let (_, _, words) = run(&["describe", "-d", "stuck", "-b", "1"]);
    assert!(words.contains("its last workflow task has failed"), "{words}");

    // A process that begins looks at once.
    let figures = format!("127.0.0.1:{}", free_port());
    let second = server.controller(&["--metrics-listen", &figures], &[]);
    eventually("the figure counts it", A_MINUTE, async || {
        let text = reqwest::get(format!("http://{figures}/metrics")).await.ok()?.text().await.ok()?;
        let line = text.lines().find(|line| line.starts_with("worker_controller_instance_stuck_count{"))?;
        (line.contains(r#"namespace="default""#) && line.ends_with(" 1")).then_some(())
    })
    .await;
    eventually("the log names it", Duration::from_secs(60), async || {
        let log = std::fs::read_to_string(&second.log).unwrap();
        log.lines().any(|line| line.contains("the controller is stuck") && line.contains(id)).then_some(())
    })
    .await;
}
