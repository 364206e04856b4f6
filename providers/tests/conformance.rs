//! Every provider that can be tested without a foreign program passes the one suite.

mod suite;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use suite::{Mood, OtherSide, conforms, provider};
use wci_core::controller::FailureClass;
use wci_providers::host::{GoogleEndpoints, IntermediaryServiceAccount};
use wci_providers::provider::{CallId, ComputeProvider, Target};
use wci_providers::{Host, Published, Registry};

/// A server that plays Kubernetes, Google and a webhook, with moods.
#[derive(Clone)]
struct Fake {
    address: String,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    workers: u32,
    mood: Mood,
    /// What was asked of the credentials service, and the tokens shown elsewhere.
    notes: Vec<String>,
    /// The port from which each call came, and its key.
    calls: Vec<(u16, String)>,
    /// Polls that an operation of Google's takes.
    polls: u32,
    /// Service accounts that may not be acted as.
    refused: Vec<String>,
}

impl Fake {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen =
            Seen { workers: 0, mood: Mood::Well, notes: vec![], calls: vec![], polls: 0, refused: vec![] };
        let fake = Self { address, seen: Arc::new(Mutex::new(seen)) };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move {
            axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
        });
        fake
    }

    fn calls(&self) -> Vec<(u16, String)> {
        self.seen.lock().unwrap().calls.clone()
    }

    fn notes(&self) -> Vec<String> {
        self.seen.lock().unwrap().notes.clone()
    }
}

async fn answer(
    State(fake): State<Fake>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let auth =
        request.headers().get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let key = request.headers().get("idempotency-key").map_or("", |key| key.to_str().unwrap()).to_owned();
    fake.seen.lock().unwrap().calls.push((from.port(), key));
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if path == "/token" {
        return Json(json!({"access_token": "own-token", "expires_in": 3600, "token_type": "Bearer"}))
            .into_response();
    }
    if path.contains("serviceAccounts") {
        return act_as(&fake, &path, &body, &auth);
    }
    let mood = fake.seen.lock().unwrap().mood;
    match mood {
        Mood::Well => {}
        Mood::Failing(status) => {
            let status = StatusCode::from_u16(status).unwrap();
            let words = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Mood",
                "message": "told hunter22-secret-value", "code": status.as_u16()});
            return (status, Json(words)).into_response();
        }
        Mood::Silent => std::future::pending().await,
    }
    let mut seen = fake.seen.lock().unwrap();
    seen.notes.push(format!("{method} {path}?{query} {auth}"));
    if path.ends_with("/scale") {
        return scale(&mut seen, &method, &body);
    }
    if path.contains("workerPools") || path.contains("operations") {
        return pool(&mut seen, &method, &path, &query, &body);
    }
    seen.workers += 1;
    StatusCode::NO_CONTENT.into_response()
}

fn act_as(fake: &Fake, path: &str, body: &Value, auth: &str) -> Response {
    let mut seen = fake.seen.lock().unwrap();
    seen.notes.push(format!("{path} {} {auth}", body["delegates"]));
    let delegates = body["delegates"].to_string();
    if seen.refused.iter().any(|account| delegates.contains(account) || path.contains(account)) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if path.ends_with("generateIdToken") {
        return Json(json!({"token": "identity-token"})).into_response();
    }
    Json(json!({"accessToken": "acting-token", "expireTime": "2099-01-01T00:00:00Z"})).into_response()
}

fn scale(seen: &mut Seen, method: &Method, body: &Value) -> Response {
    if *method == Method::PATCH {
        seen.workers = u32::try_from(body["spec"]["replicas"].as_u64().unwrap()).unwrap();
    }
    Json(json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "w", "namespace": "n"},
        "spec": {"replicas": seen.workers}, "status": {"replicas": seen.workers}}))
    .into_response()
}

/// A change is an operation that is done at the third look.
fn pool(seen: &mut Seen, method: &Method, path: &str, query: &str, body: &Value) -> Response {
    if *method == Method::PATCH {
        assert_eq!(query, "updateMask=scaling");
        seen.workers = u32::try_from(body["scaling"]["manualInstanceCount"].as_u64().unwrap()).unwrap();
        seen.polls = 0;
    }
    if path.contains("operations") {
        seen.polls += 1;
    }
    let is_done = path.contains("operations") && seen.polls >= 2;
    Json(json!({"name": "projects/p/locations/r/operations/o", "done": is_done})).into_response()
}

/// One provider that leads to the fake.
struct Side {
    fake: Fake,
    compute: Value,
    host: Host,
}

impl OtherSide for Side {
    fn compute(&self) -> Value {
        self.compute.clone()
    }
    fn host(&self) -> Host {
        self.host.clone()
    }
    fn workers(&self) -> u32 {
        self.fake.seen.lock().unwrap().workers
    }
    fn set_mood(&self, mood: Mood) -> bool {
        self.fake.seen.lock().unwrap().mood = mood;
        true
    }
}

fn kubeconfig(address: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: k\n  cluster: {{server: \"{address}\"}}\n\
         contexts:\n- name: c\n  context: {{cluster: k, user: u}}\nusers:\n- name: u\n  user:\n    token: hunter22-secret-value\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn k8s_conforms() {
    let fake = Fake::start().await;
    let config = json!({"namespace": "n", "deployment": "w", "kubeconfig": kubeconfig(&fake.address)});
    let side = Side {
        compute: json!({"provider_type": "k8s", "config": config}),
        host: Host::default(),
        fake: fake.clone(),
    };
    conforms(&side).await;
    assert!(fake.notes().iter().all(|note| note.contains("/apis/apps/v1/namespaces/n/deployments/w/scale")));
    assert!(fake.notes().iter().all(|note| note.contains("Bearer hunter22-secret-value")));
}

fn google(fake: &Fake) -> Host {
    let own = json!({"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r",
        "token_uri": format!("{}/token", fake.address)});
    let google = GoogleEndpoints {
        run: Some(fake.address.clone()),
        iam: Some(fake.address.clone()),
        credentials: Some(own),
    };
    Host { google, allows_private_addresses: true, ..Host::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn gcp_cloud_run_conforms() {
    let fake = Fake::start().await;
    let config = json!({"project": "p", "region": "r", "worker_pool": "w", "service_account": "last@p"});
    let compute = json!({"provider_type": "gcp-cloud-run", "config": config});
    conforms(&Side { compute, host: google(&fake), fake: fake.clone() }).await;
    let calls = fake.notes();
    assert!(calls.iter().any(|note| note.starts_with("PATCH /v2/projects/p/locations/r/workerPools/w?")));
    assert!(
        calls.iter().filter(|note| note.contains("/v2/")).all(|note| note.contains("Bearer acting-token"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn gcp_cloud_run_invoke_conforms() {
    let fake = Fake::start().await;
    let config = json!({"url": format!("{}/start", fake.address), "service_account": "last@p"});
    let compute = json!({"provider_type": "gcp-cloud-run-invoke", "config": config});
    conforms(&Side { compute, host: google(&fake), fake: fake.clone() }).await;
    assert!(fake.notes().iter().any(|note| note.starts_with("POST /start? Bearer identity-token")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_delegate_is_taken_when_one_is_refused() {
    let fake = Fake::start().await;
    fake.seen.lock().unwrap().refused.push("first@p".into());
    let account = |name: &str| IntermediaryServiceAccount { service_account_email: format!("{name}@p") };
    let steps = vec![vec![account("first"), account("second")], vec![account("middle")]];
    let host = Host { intermediary_service_accounts: steps, ..google(&fake) };
    let config = json!({"project": "p", "region": "r", "worker_pool": "w", "service_account": "last@p"});
    let side = Side {
        compute: json!({"provider_type": "gcp-cloud-run", "config": config}),
        host,
        fake: fake.clone(),
    };
    let registry = Registry::default();
    for _ in 0..8 {
        provider(&side, &registry).validate().await.unwrap();
    }
    let asked = fake.notes();
    let way = "[\"projects/-/serviceAccounts/second@p\",\"projects/-/serviceAccounts/middle@p\"]";
    assert!(asked.iter().any(|note| note.contains(way)), "{asked:?}");
    fake.seen.lock().unwrap().refused.push("last@p".into());
    let denied = provider(&side, &registry).validate().await.unwrap_err();
    assert_eq!(denied.class, FailureClass::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_conforms() {
    let fake = Fake::start().await;
    let config = json!({"url": format!("{}/hook", fake.address), "auth_header": "Authorization",
        "auth_token": "Bearer hunter22-secret-value"});
    let host = Host { allows_private_addresses: true, ..Host::default() };
    let compute = json!({"provider_type": "webhook", "config": config});
    conforms(&Side { compute, host, fake: fake.clone() }).await;
    assert!(fake.notes().contains(&"POST /hook? Bearer hunter22-secret-value".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_can_tell_a_repeated_call_and_is_called_on_connections_that_are_kept() {
    let fake = Fake::start().await;
    let compute = json!({"provider_type": "webhook", "config": {"url": format!("{}/hook", fake.address)}});
    let host = Host { allows_private_addresses: true, ..Host::default() };
    let (side, registry) = (Side { compute, host, fake: fake.clone() }, Registry::default());
    let keys = ["run/5/g/0", "run/5/g/0", "run/5/g/1"].repeat(8);
    for key in &keys {
        provider(&side, &registry).invoke_worker(&CallId::new(*key)).await.unwrap();
    }
    let calls = fake.calls();
    let told: Vec<_> = calls.iter().map(|(_, key)| key.as_str()).collect();
    assert_eq!(told, keys);
    assert!(are_kept(calls.iter().map(|(port, _)| *port)), "{calls:?}");
}

/// Most calls came on a connection that was there: the next call may be sooner than the last one gives its own back.
fn are_kept(ports: impl Iterator<Item = u16>) -> bool {
    let ports: Vec<_> = ports.collect();
    2 * ports.iter().collect::<BTreeSet<_>>().len() <= ports.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_called_on_connections_that_are_kept_until_it_refuses_the_credentials() {
    let fake = Fake::start().await;
    let config = json!({"namespace": "n", "deployment": "w", "kubeconfig": kubeconfig(&fake.address)});
    let compute = json!({"provider_type": "k8s", "config": config});
    let (side, registry) = (Side { compute, host: Host::default(), fake: fake.clone() }, Registry::default());
    let set = async |count| provider(&side, &registry).set_worker_set_size(count).await;
    for count in 1..=10 {
        set(count).await.unwrap();
    }
    side.set_mood(Mood::Failing(401));
    assert_eq!(set(11).await.unwrap_err().class, FailureClass::Denied);
    let before: Vec<_> = fake.calls().into_iter().map(|(port, _)| port).collect();
    side.set_mood(Mood::Well);
    set(11).await.unwrap();
    let after = fake.calls()[before.len()].0;
    assert!(are_kept(before.iter().copied()), "{before:?}");
    assert!(!before.contains(&after), "{after} of {before:?}");
}

/// Each started process leaves a file behind.
struct Processes {
    dir: PathBuf,
}

impl OtherSide for Processes {
    fn compute(&self) -> Value {
        let script = format!("echo x > {}/$$", self.dir.display());
        json!({"provider_type": "subprocess", "config": {"command": "/bin/sh", "args": ["-c", script]}})
    }
    fn host(&self) -> Host {
        let longest_subprocess = Duration::from_secs(60);
        Host { allowed_programs: vec!["/bin/sh".into()], longest_subprocess, ..Host::default() }
    }
    fn workers(&self) -> u32 {
        u32::try_from(std::fs::read_dir(&self.dir).unwrap().count()).unwrap()
    }
    fn set_mood(&self, _: Mood) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subprocess_conforms() {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("processes-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    conforms(&Processes { dir }).await;
}

struct Externally(Published);

impl OtherSide for Externally {
    fn compute(&self) -> Value {
        json!({"provider_type": "external"})
    }
    fn host(&self) -> Host {
        Host { published: self.0.clone(), ..Host::default() }
    }
    fn workers(&self) -> u32 {
        let target = Target {
            namespace: "n".into(),
            deployment_name: "d".into(),
            build_id: "b".into(),
            group: "g".into(),
        };
        self.0.size(&target).unwrap_or(0)
    }
    fn set_mood(&self, _: Mood) -> bool {
        false
    }
}

#[tokio::test]
async fn external_conforms() {
    conforms(&Externally(Published::default())).await;
}
