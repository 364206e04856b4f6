//! The commands as a person uses them: clear words, and exit statuses that scripts can trust.

use crate::fakes::{Aws, EXTERNAL_ID, FUNCTION, ROLE};
use crate::load;
use crate::program::{A_MINUTE, Program, eventually, scratch};
use crate::temporal::{Server, version, whole};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::process::Output;
use std::time::Duration;
use temporalio_client::tonic::Request;
use temporalio_common::protos::temporal::api::common::v1::Payload;
use temporalio_common::protos::temporal::api::compute::v1::{
    ComputeConfigScalingGroup, ComputeConfigScalingGroupUpdate, ComputeProvider,
};
use temporalio_common::protos::temporal::api::deployment::v1::WorkerDeploymentVersion;
use temporalio_common::protos::temporal::api::workflowservice::v1::UpdateWorkerDeploymentVersionComputeConfigRequest;

/// Exit status, stdout, stderr.
fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_say_what_is_and_what_would_go_wrong() {
    let (server, aws) = (Server::start().await, Aws::start().await);
    let _controller = server.controller(&[], &aws.env());
    let run = |args: &[&str]| said(&server.cli().args(args).envs(aws.env()).output().unwrap());
    let of = ["-d", "fn", "-b", "1"];
    let with = |command: &'static str, more: &[&'static str]| {
        let mut args = vec![command];
        args.extend(of.iter().chain(more));
        run(&args)
    };
    let (status, _, words) = with("check", &[]);
    assert!(status == 1 && words.contains("would go wrong"), "{words}");

    let file = scratch("spec.json");
    let spec = |arn: &str| {
        let config = json!({"arn": arn, "role": ROLE, "role_external_id": EXTERNAL_ID});
        let compute = json!({"provider_type": "aws-lambda", "config": config});
        std::fs::write(&file, json!({"scaling_group_specs": {"g": {"compute": compute}}}).to_string())
            .unwrap();
    };
    let path: &'static str = Box::leak(file.display().to_string().into_boxed_str());
    std::fs::write(&file, "{\"scaling_group_specs\": {\"g\": {}}}").unwrap();
    let (status, _, words) = with("create", &["--spec", path]);
    assert!(status == 2 && words.contains("compute.provider_type"), "{words}");
    spec(FUNCTION);
    let (status, created, words) = with("create", &["--spec", path]);
    assert!(status == 0 && created.contains("conflict_token"), "{words}");
    let (status, _, words) = with("create", &["--spec", path]);
    assert!(status == 1 && words.contains("use update"), "{words}");
    let (status, _, words) = with("update", &["--spec", path, "--conflict-token", "AAAA"]);
    assert!(status == 1 && words.contains("conflict token mismatch"), "{words}");

    let (status, findings, _) = with("check", &[]);
    assert!(status == 1 && findings.contains("WRONG Temporal does not know the version"), "{findings}");
    assert!(findings.contains("the function's timeout is 3 s"), "{findings}");
    load::register(&server, "fn", "fn-q").await;
    let (_, findings, _) = with("check", &[]);
    assert!(findings.contains("ok    1 workflow task queues"), "{findings}");
    // The one that has just ended is still remembered.
    assert!(findings.contains("ok    1 worker has polled within the last minute"), "{findings}");
    let (status, findings, _) = run(&["check", "-d", "fn", "-b", "2"]);
    assert!(status == 1 && findings.contains("deployment fn has the builds 1"), "{findings}");
    let (_, findings, _) = run(&["check", "-d", "fm", "-b", "1"]);
    assert!(findings.contains("there is no deployment fm, but fn"), "{findings}");
    let mut load = load::start(&server, "fn-q", 3.0, 1.0, 0.1);
    eventually("the load has ended", Duration::from_secs(60), async || load.has_ended().then_some(())).await;
    let table = eventually("the table shows a decision", Duration::from_secs(60), async || {
        let (_, table, _) = run(&["watch", "--once"]);
        table.contains("Tasks found no waiting worker").then_some(table)
    })
    .await;
    assert!(table.contains("fn:1"), "{table}");
    let other = scratch("other.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut slow: serde_json::Value = serde_json::from_str(&text).unwrap();
    slow["scaling_group_specs"]["g"]["scaling"] =
        json!({"scaling_algorithm": "no-sync", "config": {"scale_up_cooloff_ms": 60000}});
    std::fs::write(&other, slow.to_string()).unwrap();
    let other: &'static str = Box::leak(other.display().to_string().into_boxed_str());
    let (status, lines, words) = with("shadow", &["--once", "--spec", other]);
    assert_eq!(status, 0, "{words}");
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let acted = |side: &str| lines.iter().filter(|line| line[side][0]["limit"].is_null()).count();
    assert!(acted("running") > acted("shadow"), "{lines:?}");
    let (status, journal, _) = with("journal", &[]);
    assert!(status == 0 && journal.starts_with("{\"journal\":1"), "{journal}");
    let (status, listed, _) = run(&["list", "--json"]);
    assert!(status == 0 && listed.contains("\"deployment_name\":\"fn\""), "{listed}");
    assert_eq!(with("delete", &[]).0, 0);
    assert_eq!(with("delete", &[]).0, 0, "a missing one is as good as deleted");
    let (status, _, words) = with("describe", &[]);
    assert!(status == 1 && words.contains("there is no worker controller instance for fn:1"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_group_is_not_removed_and_the_others_are_named() {
    let server = Server::start().await;
    let _controller = server.controller(&[], &[]);
    let client = server.client().await.unwrap();
    let group =
        |task_type: &str| json!({"task_types": [task_type], "compute": {"provider_type": "external"}});
    let groups = json!({"fast": group("WORKFLOW"), "slow": group("ACTIVITY")});
    client.update(&version("groups"), &whole(json!({"scaling_group_specs": groups}))).await.unwrap();
    let remove = |command: &str, name: &str| {
        let of = ["-d", "groups", "-b", "1", "--remove", name];
        said(&server.cli().arg(command).args(of).output().unwrap())
    };
    for command in ["update", "validate"] {
        let (status, _, words) = remove(command, "slwo");
        let expected = "--remove: found \"slwo\", expected a scaling group of the spec: fast, slow";
        assert!(status == 1 && words.contains(expected), "{command}: {words}");
    }
    let (status, updated, words) = remove("update", "slow");
    assert!(status == 0 && updated.contains("fast") && !updated.contains("slow"), "{updated}{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_says_that_the_server_is_away_and_goes_on_when_it_is_back() {
    let mut server = Server::start_on_file().await;
    let _controller = server.controller(&[], &[]);
    let client = server.client().await.unwrap();
    let spec = json!({"scaling_group_specs": {"g": {"compute": {"provider_type": "external"}}}});
    client.update(&version("shown"), &whole(spec)).await.unwrap();
    let watch = Program::start("watch", server.cli().args(["watch", "--every", "0.3"]));
    let last_table = async || {
        let text = std::fs::read_to_string(&watch.log).unwrap();
        text.rsplit_once("LAST DECISION")
            .map(|(_, rows)| rows.to_owned())
            .filter(|rows| rows.contains("shown:1"))
    };
    eventually("the table shows it", A_MINUTE, last_table).await;
    server.kill();
    eventually("the table says what is wrong", A_MINUTE, async || {
        last_table().await.filter(|rows| rows.contains("NOT READ"))
    })
    .await;
    server.restart().await;
    eventually("the table is well again", A_MINUTE, async || {
        last_table().await.filter(|rows| rows.ends_with('\n') && !rows.contains("NOT READ"))
    })
    .await;
    assert!(watch.stop(), "exit status of a table that was ended");
}

#[test]
fn an_unreachable_server_is_named() {
    let mut command = std::process::Command::new(crate::program::CONTROLLER);
    let (status, _, words) = said(&command.args(["list", "--address", "127.0.0.1:1"]).output().unwrap());
    assert!(status == 1 && words.contains("cannot reach Temporal at http://127.0.0.1:1"), "{words}");
    let mut command = std::process::Command::new(crate::program::CONTROLLER);
    let (status, _, words) = said(&command.args(["list", "--grpc-meta", "team"]).output().unwrap());
    assert!(status == 2 && words.contains("expected KEY=VALUE"), "{words}");
}

/// Has the server itself scale the version, whose workers the function runs.
async fn let_the_original_serve(server: &Server, deployment: &str) {
    let config = json!({"arn": FUNCTION, "role": ROLE, "role_external_id": EXTERNAL_ID});
    let metadata = HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]);
    let details = Payload { metadata, data: config.to_string().into_bytes(), ..Payload::default() };
    let provider =
        ComputeProvider { r#type: "aws-lambda".into(), details: Some(details), ..ComputeProvider::default() };
    let group =
        ComputeConfigScalingGroup { provider: Some(provider), ..ComputeConfigScalingGroup::default() };
    let update = ComputeConfigScalingGroupUpdate { scaling_group: Some(group), update_mask: None };
    let request = UpdateWorkerDeploymentVersionComputeConfigRequest {
        namespace: "default".into(),
        deployment_version: Some(WorkerDeploymentVersion {
            deployment_name: deployment.into(),
            build_id: "1".into(),
        }),
        compute_config_scaling_groups: HashMap::from([("g".to_owned(), update)]),
        identity: "test".into(),
        request_id: "by-the-original".into(),
        ..UpdateWorkerDeploymentVersionComputeConfigRequest::default()
    };
    let client = server.client().await.unwrap();
    let mut service = client.temporal().connection().workflow_service();
    service.update_worker_deployment_version_compute_config(Request::new(request)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_cannot_be_made_of_the_originals_decisions_and_a_shadow_can() {
    let aws = Aws::start().await;
    let server = Server::start_alone(aws.env()).await;
    load::register(&server, "theirs", "theirs-q").await;
    let_the_original_serve(&server, "theirs").await;
    for command in [&["journal"][..], &["journal", "--follow"]] {
        let mut line = tokio::process::Command::from(server.cli());
        line.args(command).args(["-d", "theirs", "-b", "1"]).kill_on_drop(true);
        let ended = tokio::time::timeout(A_MINUTE, line.output()).await;
        let (status, out, words) = said(&ended.expect("it does not wait").unwrap());
        assert_eq!((status, out.as_str()), (1, ""), "{command:?}: {words}");
        assert!(words.contains("served by the original, which records neither"), "{command:?}: {words}");
    }

    let file = scratch("spec.json");
    let compute = json!({"provider_type": "aws-lambda", "config": {"arn": FUNCTION}});
    std::fs::write(&file, json!({"scaling_group_specs": {"g": {"compute": compute}}}).to_string()).unwrap();
    let mut command = server.cli();
    let shadow = command.args(["shadow", "-d", "theirs", "-b", "1", "--spec"]).arg(&file);
    let shadow = Program::start("shadow", shadow);
    let _load = load::start(&server, "theirs-q", 2.0, 3.0, 0.1);
    let line = eventually("both decide on a signal", A_MINUTE, async || {
        let text = std::fs::read_to_string(&shadow.log).unwrap();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["running"][0]["action"] == "invoke-worker")
            .find(|line| line["shadow"][0].is_object())
    })
    .await;
    assert_eq!((&line["running"][0]["group"], &line["shadow"][0]["group"]), (&json!("g"), &json!("g")));
    assert_eq!(line["shadow"][0]["desired_workers"], 1, "{line}");
    eventually("the table shows what the original did", A_MINUTE, async || {
        let table = said(&server.cli().args(["watch", "--once"]).output().unwrap()).1;
        table.contains("g: invoke-worker (by the original)").then_some(())
    })
    .await;
}
