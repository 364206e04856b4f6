//! Amazon's services as moto speaks them, behind a door that notes who came when.

use crate::program::{Program, eventually, free_port, tool};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// One call that came in.
#[derive(Clone, Debug)]
pub struct Call {
    pub at: SystemTime,
    pub path: String,
    /// The operation of services that name it in a header or a form field.
    pub operation: String,
    pub body: String,
    /// It was made to fail.
    pub has_failed: bool,
}

impl Call {
    pub fn is_invoke(&self) -> bool {
        self.path.ends_with("/invocations")
    }

    pub fn desired_count(&self) -> Option<i64> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        self.operation.ends_with("UpdateService").then(|| body["desiredCount"].as_i64()).flatten()
    }
}

#[derive(Clone)]
struct Door {
    moto: String,
    http: reqwest::Client,
    calls: Arc<Mutex<Vec<Call>>>,
    /// Roles with the external id that their trust policy demands: moto checks none.
    demands: Arc<Mutex<Vec<(String, String)>>>,
    failing: Arc<Mutex<Option<(String, u16, String)>>>,
}

pub struct Aws {
    _moto: Program,
    door: Door,
    pub address: String,
}

pub const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:worker";
pub const ROLE: &str = "arn:aws:iam::123456789012:role/invoker";
pub const EXTERNAL_ID: &str = "external-id-4711";

impl Aws {
    pub async fn start() -> Self {
        Self::start_on(0).await
    }

    /// On this port; 0 is any.
    pub async fn start_on(own_port: u16) -> Self {
        wci_providers::install_crypto();
        let port = free_port();
        let mut command = Command::new(tool("moto_server"));
        let moto = Program::start("moto", command.args(["-H", "127.0.0.1", "-p", &port.to_string()]));
        let door = Door {
            moto: format!("http://127.0.0.1:{port}"),
            http: reqwest::Client::new(),
            calls: Arc::default(),
            demands: Arc::default(),
            failing: Arc::default(),
        };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", own_port)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(door.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let aws = Self { _moto: moto, door, address };
        aws.prepare().await;
        aws
    }

    /// One function, one cluster with one service, one role.
    async fn prepare(&self) {
        let config = format!("{}/moto-api/config", self.door.moto);
        eventually("moto answers", Duration::from_secs(60), async || {
            let asked =
                self.door.http.post(&config).json(&json!({"lambda": {"use_docker": false}})).send().await;
            asked.ok().filter(|answer| answer.status().is_success()).map(drop)
        })
        .await;
        self.demand(ROLE, EXTERNAL_ID);
        let trust = json!({"Version": "2012-10-17", "Statement": []}).to_string();
        self.query(
            "iam",
            &[("Action", "CreateRole"), ("RoleName", "invoker"), ("AssumeRolePolicyDocument", &trust)],
        )
        .await;
        self.ecs("CreateCluster", json!({"clusterName": "workers"})).await;
        self.ecs(
            "RegisterTaskDefinition",
            json!({"family": "worker", "containerDefinitions": [{"name": "w", "image": "w", "memory": 8}]}),
        )
        .await;
        self.add_target("worker").await;
    }

    /// A function and a service of this name.
    pub async fn add_target(&self, name: &str) {
        // The smallest zip file there is: an empty archive.
        let zip = base64_of(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        let function = json!({"FunctionName": name, "Runtime": "python3.12", "Role": ROLE,
            "Handler": "index.handler", "Code": {"ZipFile": zip}});
        let made =
            self.signed("lambda").post(format!("{}/2015-03-31/functions", self.door.moto)).json(&function);
        let made = made.send().await.unwrap();
        assert!(made.status().is_success(), "{}", made.text().await.unwrap());
        self.ecs(
            "CreateService",
            json!({"cluster": "workers", "serviceName": name, "taskDefinition": "worker", "desiredCount": 0}),
        )
        .await;
    }

    pub fn demand(&self, role: &str, external_id: &str) {
        self.door.demands.lock().unwrap().push((role.into(), external_id.into()));
    }

    /// From now on every call whose path or operation holds `what` fails so.
    pub fn fail(&self, what: &str, status: u16, code: &str) {
        *self.door.failing.lock().unwrap() = Some((what.into(), status, code.into()));
    }

    pub fn work(&self) {
        *self.door.failing.lock().unwrap() = None;
    }

    pub fn calls(&self) -> Vec<Call> {
        self.door.calls.lock().unwrap().clone()
    }

    pub fn count(&self, is_meant: impl Fn(&Call) -> bool) -> usize {
        self.calls().iter().filter(|call| is_meant(call)).count()
    }

    pub fn forget(&self) {
        self.door.calls.lock().unwrap().clear();
    }

    /// How many such calls were not made to fail.
    pub fn count_done(&self, is_meant: impl Fn(&Call) -> bool) -> usize {
        self.count(|call| !call.has_failed && is_meant(call))
    }

    /// The last value of calls that were not made to fail.
    pub fn last_done<T>(&self, value: impl Fn(&Call) -> Option<T>) -> Option<T> {
        self.calls().iter().filter(|call| !call.has_failed).filter_map(value).next_back()
    }

    /// The environment that leads a program's AWS calls here.
    pub fn env(&self) -> Vec<(String, String)> {
        env(&self.address)
    }

    async fn ecs(&self, operation: &str, body: Value) {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        let call = self.signed("ecs").post(&self.door.moto).header("x-amz-target", target).json(&body);
        let made = call.header("content-type", "application/x-amz-json-1.1").send().await.unwrap();
        assert!(made.status().is_success(), "{}", made.text().await.unwrap());
    }

    async fn query(&self, service: &str, form: &[(&str, &str)]) {
        let body: Vec<_> = form.iter().map(|(k, v)| format!("{k}={}", url_encode(v))).collect();
        let call = self.signed(service).post(&self.door.moto).body(body.join("&") + "&Version=2010-05-08");
        let made = call.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert!(made.status().is_success(), "{}", made.text().await.unwrap());
    }

    /// moto tells services apart by the scope of the signature, and checks no more of it.
    fn signed(&self, service: &str) -> reqwest::Client {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("authorization", scope.parse().unwrap());
        reqwest::Client::builder().default_headers(headers).build().unwrap()
    }
}

/// The environment that leads a program's AWS calls to this address.
pub fn env(address: &str) -> Vec<(String, String)> {
    [
        ("AWS_ENDPOINT_URL", address),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec()
}

async fn pass(State(door): State<Door>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let text = String::from_utf8_lossy(&body).into_owned();
    let target = parts.headers.get("x-amz-target").and_then(|v| v.to_str().ok());
    let action = text.split('&').find_map(|field| field.strip_prefix("Action="));
    let operation = target.or(action).unwrap_or_default().to_owned();
    let path = parts.uri.path().to_owned();
    let failing = door.failing.lock().unwrap().clone();
    let failing = failing.filter(|(what, ..)| path.contains(what) || operation.contains(what));
    let has_failed = failing.is_some();
    let (called, at) = (operation.clone(), SystemTime::now());
    door.calls.lock().unwrap().push(Call { at, path, operation: called, body: text.clone(), has_failed });
    match failing {
        None => {}
        Some((_, 0, _)) => std::future::pending().await,
        Some((_, status, code)) => return error(status, &code, &operation),
    }
    if operation == "AssumeRole" && !door.admits(&text) {
        return error(403, "AccessDenied", &operation);
    }
    let url = format!("{}{}", door.moto, parts.uri);
    let mut call = door.http.request(parts.method, url).body(body);
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host") {
        call = call.header(name, value);
    }
    match call.send().await {
        Ok(answer) => {
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body = answer.bytes().await.unwrap_or_default();
            let mut response = Response::builder().status(status);
            for (name, value) in headers.iter().filter(|(name, _)| !name.as_str().contains("transfer")) {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        }
        Err(e) => (StatusCode::BAD_GATEWAY, e.to_string()).into_response(),
    }
}

impl Door {
    fn admits(&self, form: &str) -> bool {
        let field =
            |name: &str| form.split('&').find_map(|field| field.strip_prefix(name)).unwrap_or_default();
        let role = field("RoleArn=").replace("%3A", ":").replace("%2F", "/");
        let demands = self.demands.lock().unwrap();
        demands.iter().all(|(demanding, id)| *demanding != role || field("ExternalId=") == id)
    }
}

fn error(status: u16, code: &str, operation: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    if operation == "AssumeRole" {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
        );
        return (status, [("content-type", "text/xml")], body).into_response();
    }
    let body = json!({"__type": code, "Type": "User", "message": "no", "Message": "no"}).to_string();
    (status, [("x-amzn-errortype", code.to_owned()), ("content-type", "application/json".to_owned())], body)
        .into_response()
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

fn url_encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
