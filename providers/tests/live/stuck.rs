//! A controller whose workflow tasks fail again and again is seen, and goes on if its history is what keeps it.

use crate::durable::{handled, journal, rate_based, task_add};
use crate::program::{A_MINUTE, eventually, free_port};
use crate::temporal::{Server, version, whole};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use temporalio_client::tonic::IntoRequest;
use temporalio_common::protos::temporal::api::command::v1::{
    Command, StartTimerCommandAttributes, command::Attributes,
};
use temporalio_common::protos::temporal::api::enums::v1::CommandType;
use temporalio_common::protos::temporal::api::taskqueue::v1::TaskQueue;
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    PollWorkflowTaskQueueRequest, RespondWorkflowTaskCompletedRequest,
};
use tokio::time::timeout;
use wci_core::journal::replay;
use wci_providers::Client;
use wci_providers::controller::journal::Histories;

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

/// Takes the controller's next task as if it were a process of ours, and orders what nobody else would.
async fn derail(client: &Client) {
    let mut service = client.temporal().connection().workflow_service();
    let poll = PollWorkflowTaskQueueRequest {
        namespace: "default".into(),
        task_queue: Some(TaskQueue { name: "wci-controller".into(), ..TaskQueue::default() }),
        ..PollWorkflowTaskQueueRequest::default()
    };
    let task_token = eventually("its task is there", A_MINUTE, async || {
        let mut poll = poll.clone().into_request();
        poll.set_timeout(Duration::from_secs(10));
        let task = service.poll_workflow_task_queue(poll).await.ok()?.into_inner();
        (!task.task_token.is_empty()).then_some(task.task_token)
    })
    .await;
    let timer = StartTimerCommandAttributes {
        timer_id: "nobody's".into(),
        start_to_fire_timeout: Duration::from_secs(86_400).try_into().ok(),
    };
    let command = Command {
        command_type: CommandType::StartTimer.into(),
        attributes: Some(Attributes::StartTimerCommandAttributes(timer)),
        ..Command::default()
    };
    let completed = RespondWorkflowTaskCompletedRequest {
        namespace: "default".into(),
        task_token,
        commands: vec![command],
        ..RespondWorkflowTaskCompletedRequest::default()
    };
    service.respond_workflow_task_completed(completed.into_request()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_whose_history_cannot_be_replayed_goes_on_from_its_last_decision() {
    let server = Server::start().await;
    let mut controller = server.controller(&[], &[]);
    let client = server.client().await.unwrap();
    let token = client.update(&version("derailed"), &whole(rate_based(9))).await.unwrap().conflict_token;
    let signal = async |n: usize| client.signal_task_add(&version("derailed"), &task_add(n)).await.unwrap();
    // The update ended a run; the next one is to have recorded something.
    eventually("the next run has begun", A_MINUTE, async || {
        client.dump(&version("derailed")).await.ok().filter(|state| !state.wci.is_continue_wanted)
    })
    .await;
    signal(0).await;
    eventually("the signal is handled", A_MINUTE, async || {
        (handled(&journal(&client, "derailed").await).0 == 1).then_some(())
    })
    .await;
    controller.kill();
    signal(1).await;
    derail(&client).await;
    signal(2).await;
    let named = version("derailed");
    assert_eq!(Histories::of(&client, &named).replay().await.unwrap().failed.len(), 1);

    // Two processes find it stuck, and signals go on coming.
    let controllers = [server.controller(&[], &[]), server.controller(&[], &[])];
    let mut sent = 3;
    let begun = Instant::now();
    let described = loop {
        signal(sent).await;
        sent += 1;
        if let Ok(Ok(described)) = timeout(Duration::from_millis(100), client.describe(&named)).await {
            break described;
        }
        assert!(begun.elapsed() < 5 * A_MINUTE, "it does not go on");
    };
    assert_eq!(described.conflict_token, token);
    eventually("every signal is handled", A_MINUTE, async || {
        (handled(&journal(&client, "derailed").await).0 == sent).then_some(())
    })
    .await;
    assert_eq!(replay(&journal(&client, "derailed").await).unwrap().different_steps, 0);
    let logs = controllers.each_ref().map(|controller| std::fs::read_to_string(&controller.log).unwrap());
    let recovered = "could not be replayed: it goes on in a new run from its last decision";
    assert_eq!(logs.concat().matches(recovered).count(), 1, "{logs:?}");
}
