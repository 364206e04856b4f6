//! What a running process offers: the intake, KEDA's scaler, figures and health.

use crate::load;
use crate::program::{A_MINUTE, eventually, free_port, scratch};
use crate::temporal::{Server, version, whole};
use futures::StreamExt;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use temporalio_client::tonic::Request;
use temporalio_common::protos::temporal::api::deployment::v1::WorkerDeploymentVersion as ProtoVersion;
use temporalio_common::protos::temporal::api::workflowservice::v1 as api;
use tonic::transport::Channel;
use wci_core::controller::WorkerDeploymentVersion;
use wci_providers::Client;
use wci_providers::serve::proto::keda::external_scaler_client::ExternalScalerClient;
use wci_providers::serve::proto::keda::{GetMetricsRequest, ScaledObjectRef};
use wci_providers::serve::proto::task_adds::task_adds_client::TaskAddsClient;
use wci_providers::serve::proto::task_adds::{ReportRequest, TaskAddEvent};

fn event(deployment: &str) -> Value {
    json!({"deployment_name": deployment, "build_id": "1", "task_queue_name": "q", "task_queue_type": "ACTIVITY",
        "outcome": "no_sync_match"})
}

fn object(group: &str) -> ScaledObjectRef {
    let metadata = [("deploymentName", "keda"), ("buildId", "1"), ("scalingGroup", group)];
    ScaledObjectRef {
        name: "workers".into(),
        namespace: "default".into(),
        scaler_metadata: HashMap::from(metadata.map(|(k, v)| (k.to_owned(), v.to_owned()))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keda_is_led_from_zero_to_five_and_back() {
    let server = Server::start().await;
    let [keda, intake, figures] = [(); 3].map(|()| format!("127.0.0.1:{}", free_port()));
    let listen = [
        "--keda-listen",
        &keda,
        "--intake-listen",
        &intake,
        "--metrics-listen",
        &figures,
        "--flush-interval-ms",
        "500",
    ];
    let _controller = server.controller(&listen, &[]);
    load::register(&server, "keda", "keda-q").await;
    let client = server.client().await.unwrap();
    let spec = json!({"scaling_group_specs": {"g": {"task_types": ["WORKFLOW", "ACTIVITY"], "compute": {"provider_type": "external"},
        "scaling": {"scaling_algorithm": "backlog", "config": {"max_count": 5, "empty_backlog_ms": 1000,
            "scale_up_cooldown_ms": 100, "scale_down_cooldown_ms": 100}}}}});
    client.update(&version("keda"), &whole(spec)).await.unwrap();
    let mut scaler = ExternalScalerClient::connect(format!("http://{keda}")).await.unwrap();
    assert_eq!(
        scaler.get_metric_spec(object("g")).await.unwrap().into_inner().metric_specs[0].target_size,
        1
    );
    let mut activity = scaler.stream_is_active(object("g")).await.unwrap().into_inner();
    assert!(!activity.message().await.unwrap().unwrap().result, "inactive at first");

    let http = reqwest::Client::new();
    let asked = scaler.clone();
    let size = async || {
        let request = GetMetricsRequest {
            scaled_object_ref: Some(object("g")),
            metric_name: "wci-desired-workers".into(),
        };
        let answer = asked.clone().get_metrics(request).await.unwrap().into_inner();
        answer.metric_values[0].metric_value
    };
    eventually("five are wanted", Duration::from_secs(60), async || {
        let sent =
            http.post(format!("http://{intake}/v1/task-adds")).json(&event("keda")).send().await.unwrap();
        assert_eq!(sent.status(), 202);
        tokio::time::sleep(Duration::from_millis(300)).await;
        (size().await == 5).then_some(())
    })
    .await;
    assert!(activity.message().await.unwrap().unwrap().result, "active");
    assert!(scaler.is_active(object("g")).await.unwrap().into_inner().result);
    eventually("none is wanted", Duration::from_secs(60), async || (size().await == 0).then_some(())).await;
    assert!(!activity.message().await.unwrap().unwrap().result, "inactive again");
    let missing = scaler.get_metric_spec(ScaledObjectRef::default()).await.unwrap_err();
    assert!(missing.message().contains("deploymentName"), "{missing}");

    let text = http.get(format!("http://{figures}/metrics")).send().await.unwrap().text().await.unwrap();
    for name in
        ["signals_total", "scale_up_count_total", "target_worker_count", "backlog_count", "operations_total"]
    {
        assert!(text.contains(&format!("worker_controller_instance_{name}{{")), "{name} in {text}");
    }
    for (path, status) in [("healthz", 200), ("readyz", 200)] {
        let answer = http.get(format!("http://{figures}/{path}")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
    client.delete(&version("keda"), "test", None).await.unwrap();
    eventually("nothing is told of what is gone", Duration::from_secs(60), async || {
        let text = http.get(format!("http://{figures}/metrics")).send().await.unwrap().text().await.unwrap();
        (!text.contains(r#"worker_deployment_name="keda""#)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_intake_refuses_what_it_cannot_read_and_takes_grpc_too() {
    let server = Server::start().await;
    let intake = format!("127.0.0.1:{}", free_port());
    let token = "sixteen-letters-or-more";
    let _controller = server.controller(&["--intake-listen", &intake, "--intake-token", token], &[]);
    let headers = [(reqwest::header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())];
    let http = reqwest::Client::builder().default_headers(HeaderMap::from_iter(headers)).build().unwrap();
    let url = format!("http://{intake}/v1/task-adds");
    let sent = eventually("the intake listens", Duration::from_secs(60), async || {
        http.post(&url).json(&json!({"events": [event("x"), event("x")]})).send().await.ok()
    })
    .await;
    assert_eq!(sent.json::<Value>().await.unwrap(), json!({"accepted": 2}));
    let unknown = reqwest::Client::new().post(&url).json(&event("x")).send().await.unwrap();
    assert_eq!(unknown.status(), 401, "a token that is given is asked for, on this machine too");
    let mut lost = event("x");
    lost["outcome"] = json!("lost");
    let mut flood = event("x");
    flood["count"] = json!(4_000_000_000_u32);
    let mut elsewhere = event("x");
    elsewhere["namespace"] = json!("elsewhere");
    for (body, words) in [
        (json!({"events": [event("x"), lost]}), "event 2: unknown variant `lost`, expected one of"),
        (elsewhere, "this process serves default"),
        (flood, "count: found 4000000000, expected at most 10000"),
        (json!(7), "event: invalid type: integer `7`"),
    ] {
        let refused = http.post(&url).json(&body).send().await.unwrap();
        assert_eq!(refused.status(), 400);
        let text = refused.text().await.unwrap();
        assert!(text.contains(words), "{text}");
    }
    let channel = Channel::from_shared(format!("http://{intake}")).unwrap().connect().await.unwrap();
    let mut grpc = TaskAddsClient::with_interceptor(channel, |mut request: tonic::Request<()>| {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        Ok(request)
    });
    let told = TaskAddEvent {
        deployment_name: "x".into(),
        build_id: "1".into(),
        task_queue_type: "WORKFLOW".into(),
        outcome: "no_sync_match".into(),
        count: 3,
        ..TaskAddEvent::default()
    };
    let answer = grpc.report(ReportRequest { events: vec![told] }).await.unwrap().into_inner();
    assert_eq!(answer.accepted, 3);
}

/// The instance number `n` of many; a deployment holds only so many versions.
fn one_of_many(n: usize) -> WorkerDeploymentVersion {
    WorkerDeploymentVersion { deployment_name: format!("many-{}", n / 50), build_id: (n % 50).to_string() }
}

/// Makes the server know the version: its statistics can be read.
async fn introduce(client: &Client, n: usize) {
    let version = one_of_many(n);
    let mut service = client.temporal().connection().workflow_service();
    let request = api::CreateWorkerDeploymentVersionRequest {
        namespace: "default".into(),
        deployment_version: Some(ProtoVersion {
            deployment_name: version.deployment_name.clone(),
            build_id: version.build_id.clone(),
        }),
        identity: "test".into(),
        request_id: format!("{}-{}", version.deployment_name, version.build_id),
        ..api::CreateWorkerDeploymentVersionRequest::default()
    };
    service.create_worker_deployment_version(Request::new(request)).await.unwrap();
}

async fn introduce_deployment(client: &Client, name: &str) {
    let mut service = client.temporal().connection().workflow_service();
    let request = api::CreateWorkerDeploymentRequest {
        namespace: "default".into(),
        deployment_name: name.into(),
        identity: "test".into(),
        request_id: name.into(),
    };
    service.create_worker_deployment(Request::new(request)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_controllers_are_served_within_the_read_budget() {
    const CONTROLLERS: usize = 500;
    let server = Server::start().await;
    let limits = scratch("limits.yaml");
    std::fs::write(
        &limits,
        "workercontroller.enabled:\n- value: true\nworkercontroller.maxInstances:\n- value: 500\n",
    )
    .unwrap();
    let _controller = server.controller(&["--dynamic-config", limits.to_str().unwrap()], &[]);
    let client = server.client().await.unwrap();
    let spec = json!({"scaling_group_specs": {"g": {"compute": {"provider_type": "external"},
        "scaling": {"scaling_algorithm": "rate-based", "config": {"metrics_poll_interval_ms": 30_000, "scale_down_cooldown_ms": 30_000}}}}});
    let begun = std::time::Instant::now();
    for deployment in 0..CONTROLLERS.div_ceil(50) {
        introduce_deployment(&client, &format!("many-{deployment}")).await;
    }
    let each = || futures::stream::iter(0..CONTROLLERS);
    let introducing = each().for_each_concurrent(16, |n| introduce(&client, n));
    introducing.await;
    println!("{CONTROLLERS} versions introduced in {:?}", begun.elapsed());
    let creating = each().for_each_concurrent(16, |n| {
        let (client, spec) = (client.clone(), spec.clone());
        async move {
            drop(client.update(&one_of_many(n), &whole(spec)).await.unwrap());
        }
    });
    creating.await;
    println!("{CONTROLLERS} controllers created in {:?}", begun.elapsed());
    eventually("all are listed", Duration::from_secs(60), async || {
        (client.list_all().await.unwrap().len() == CONTROLLERS).then_some(())
    })
    .await;
    for n in [0, CONTROLLERS / 2, CONTROLLERS - 1] {
        let described = client.describe(&one_of_many(n)).await.unwrap();
        assert_eq!(described.validation_state.unwrap().status, "success");
    }
    // The server's lists lag: a controller that begins a new run may be missing for a moment, so that one more fits.
    let one_more = eventually("one more is refused", A_MINUTE, async || {
        match client.update(&version("one-more"), &whole(spec.clone())).await {
            Ok(_) => client.delete(&version("one-more"), "test", None).await.map(|()| None).unwrap(),
            Err(e) => Some(e.to_string()),
        }
    })
    .await;
    assert!(one_more.contains("and at most 500 are allowed"), "{one_more}");
    // Each reads every half minute, which the server's budget allows: none is refused.
    let (before, begun) = (reads(&server).await, std::time::Instant::now());
    let made = eventually("a third of them has read", Duration::from_secs(120), async || {
        let made = reads(&server).await.0 - before.0;
        (made >= 160.0).then_some(made)
    })
    .await;
    let a_second = made / begun.elapsed().as_secs_f64();
    println!("{CONTROLLERS} controllers make {a_second:.1} reads a second");
    assert!(a_second <= 42.0, "{a_second} reads a second");
    assert_eq!(reads(&server).await.1, before.1, "reads refused for their number");
}

/// Reads of a version's statistics that the server has counted, and those of them that it refused for their number.
async fn reads(server: &Server) -> (f64, f64) {
    let of = [r#"operation="DescribeWorkerDeploymentVersion""#];
    (
        counted(server, "service_requests{", &of).await,
        counted(server, "service_errors_resource_exhausted{", &of).await,
    )
}

/// What the server has counted under a name, of series that have these labels.
async fn counted(server: &Server, name: &str, labels: &[&str]) -> f64 {
    let text = reqwest::get(server.metrics()).await.unwrap().text().await.unwrap();
    let has_labels = |line: &&str| labels.iter().all(|label| line.contains(label));
    let lines = text.lines().filter(|line| line.starts_with(name)).filter(has_labels);
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_asks_the_controller_only_for_news_of_its_own_group() {
    const SIGNALS: i64 = 30;
    let server = Server::start().await;
    let [keda, figures] = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
    let _controller = server.controller(&["--keda-listen", &keda, "--metrics-listen", &figures], &[]);
    let client = server.client().await.unwrap();
    let group = |task_type: &str, max: i64| {
        json!({"task_types": [task_type], "compute": {"provider_type": "external"},
            "scaling": {"scaling_algorithm": "backlog", "config": {"max_count": max, "scale_up_cooldown_ms": 0,
                "metrics_poll_interval_ms": 300_000}}})
    };
    let groups = json!({"g": group("WORKFLOW", 1), "other": group("ACTIVITY", SIGNALS)});
    client.update(&version("keda"), &whole(json!({"scaling_group_specs": groups}))).await.unwrap();
    let mut scaler = ExternalScalerClient::connect(format!("http://{keda}")).await.unwrap();
    let mut activity = scaler.stream_is_active(object("g")).await.unwrap().into_inner();
    activity.message().await.unwrap().unwrap();
    let reading = tokio::spawn(async move { while let Ok(Some(_)) = activity.message().await {} });

    // The server counts a second late.
    let before = eventually("the stream's first question is counted", Duration::from_secs(60), async || {
        Some(questions(&server).await).filter(|count| *count > 0.0)
    })
    .await;
    let begun = std::time::Instant::now();
    let add = json!({"task_queue_type": 2, "is_sync_match": false, "no_sync_match_signals_batched": 1});
    let add: wci_core::signals::TaskAdd = serde_json::from_value(add).unwrap();
    let size = async || {
        let text = reqwest::get(format!("http://{figures}/metrics")).await.unwrap().text().await.unwrap();
        let start = "worker_controller_instance_target_worker_count{";
        text.lines()
            .find(|line| line.starts_with(start))
            .and_then(|line| line.rsplit(' ').next()?.parse().ok())
    };
    eventually("the other group has grown to its maximum", Duration::from_secs(60), async || {
        client.signal_task_add(&version("keda"), &add).await.unwrap();
        size().await.filter(|size: &i64| *size >= SIGNALS)
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let asked = questions(&server).await - before;
    let looks = begun.elapsed().as_secs_f64() / 5.0 + 1.0;
    println!("{SIGNALS} sizes of another group: {asked} questions in {:?}", begun.elapsed());
    assert!(asked <= looks, "{asked} questions, of which {looks:.1} may be by the clock");
    reading.abort();
}

/// Questions to controllers that the server has counted.
async fn questions(server: &Server) -> f64 {
    let of = [r#"operation="QueryWorkflow""#, r#"service_name="frontend""#];
    counted(server, "service_requests{", &of).await
}
