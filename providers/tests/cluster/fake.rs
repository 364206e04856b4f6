//! A Kubernetes API server in memory: objects with versions, conflicts, and watches that can be lost.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

#[derive(Clone)]
pub struct Fake {
    pub address: String,
    world: Arc<Mutex<World>>,
    told: watch::Sender<u64>,
}

#[derive(Default)]
struct World {
    version: u64,
    /// By collection and name.
    objects: BTreeMap<(String, String), Value>,
    events: Vec<Event>,
    /// Watches from before this version are too old.
    oldest: u64,
    /// Watches that began in an earlier epoch end.
    epoch: u64,
    /// Requests on such paths are answered with this status.
    failing: Option<(&'static str, u16)>,
    /// So many writes are let through before the rest fails.
    writes_left: Option<u32>,
    /// Before that write of an object of that name somebody else writes it.
    interference: Option<(String, u32)>,
    /// Deleted Pods stay for a while, marked.
    deletes_slowly: bool,
    notes: Vec<String>,
}

#[derive(Clone)]
struct Event {
    version: u64,
    collection: String,
    text: String,
}

const PODS: &str = "/api/v1/namespaces/n/pods";
const MAPS: &str = "/api/v1/namespaces/n/configmaps";
const NODES: &str = "/api/v1/nodes";

impl Fake {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { address, world: Arc::default(), told: watch::Sender::new(0) };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    pub fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: k\n  cluster: {{server: \"{}\"}}\n\
             contexts:\n- name: c\n  context: {{cluster: k, user: u, namespace: n}}\nusers:\n- name: u\n  user: {{token: t}}\n",
            self.address
        )
    }

    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world.lock().unwrap();
        let result = change(&mut world);
        self.told.send_modify(|count| *count += 1);
        result
    }

    /// A node that is ready, or that nobody hears of.
    pub fn node(&self, name: &str, is_ready: bool) {
        let status = if is_ready { "True" } else { "Unknown" };
        let node = json!({"metadata": {"name": name},
            "status": {"conditions": [{"type": "Ready", "status": status, "lastTransitionTime": null}]}});
        self.change(|world| world.put(NODES, name, node));
    }

    pub fn remove_node(&self, name: &str) {
        self.change(|world| {
            world.remove(NODES, name);
            let is_there = |pod: &Value| pod["spec"]["nodeName"] == name;
            let pods: Vec<String> = world.list(PODS).filter(|pod| is_there(pod)).map(name_of).collect();
            pods.iter().for_each(|pod| world.remove(PODS, pod));
        });
    }

    pub fn job(&self, name: &str, toml: &str) {
        let pod = "spec:\n  containers:\n  - {name: w, image: worker}\n";
        let map = json!({"metadata": {"name": name, "labels": {"wci-controller/distributed-task": "true"}},
            "data": {"task.toml": toml, "pod.yaml": pod}});
        self.change(|world| world.put(MAPS, name, map));
    }

    /// What a scheduler and the nodes' own agents do: Pods start on the ready node that they are bound to.
    pub fn run_pods(&self) {
        self.change(|world| {
            for mut pod in world.list(PODS).cloned().collect::<Vec<_>>() {
                let term = &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
                    ["nodeSelectorTerms"][0]["matchFields"][0]["values"][0];
                let node = term.as_str().unwrap_or_default().to_owned();
                let is_ready = world.get(NODES, &node)["status"]["conditions"][0]["status"] == "True";
                if is_ready && pod["status"]["phase"].is_null() {
                    (pod["spec"]["nodeName"], pod["status"]["phase"]) = (node.into(), "Running".into());
                    world.put(PODS, &name_of(&pod), pod);
                }
            }
        });
    }

    /// A ConfigMap or Pod that somebody else made.
    pub fn foreign(&self, collection: &str, name: &str) {
        let object = json!({"metadata": {"name": name}, "data": {"own": "text"}});
        self.change(|world| world.put(&format!("/api/v1/namespaces/n/{collection}"), name, object));
    }

    pub fn map(&self, name: &str) -> Value {
        self.change(|world| world.get(MAPS, name))
    }

    /// A job goes by a deletion that waits for what belongs to it.
    pub fn leave(&self, job: &str) {
        self.change(|world| {
            let mut map = world.get(MAPS, job);
            map["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
            world.put(MAPS, job, map);
        });
    }

    pub fn set_phase(&self, name: &str, phase: &str) {
        self.change(|world| {
            let mut pod = world.get(PODS, name);
            pod["status"]["phase"] = phase.into();
            world.put(PODS, name, pod);
        });
    }

    pub fn delete(&self, collection: &str, name: &str) {
        self.change(|world| world.remove(&format!("/api/v1/namespaces/n/{collection}"), name));
    }

    /// The Pods by name, with the node they are bound to.
    pub fn pods(&self) -> Vec<String> {
        self.change(|world| world.list(PODS).map(name_of).collect())
    }

    pub fn pod(&self, name: &str) -> Value {
        self.change(|world| world.get(PODS, name))
    }

    pub fn workers(&self, job: &str) -> Vec<Value> {
        let map = self.change(|world| world.get(MAPS, &format!("{job}-workers")));
        let record: Value = serde_json::from_str(map["data"]["workers.json"].as_str().unwrap()).unwrap();
        record["workers"].as_array().unwrap().clone()
    }

    /// Every watch ends.
    pub fn drop_watches(&self) {
        self.change(|world| world.epoch += 1);
    }

    /// Watches end, and their versions are forgotten.
    pub fn forget_history(&self) {
        self.change(|world| {
            world.epoch += 1;
            world.version += 1;
            world.oldest = world.version;
        });
    }

    /// Tells watchers of nodes how far they have come.
    pub fn bookmark(&self) {
        self.change(|world| {
            world.version += 1;
            let object = json!({"kind": "Node", "apiVersion": "v1",
                "metadata": {"resourceVersion": world.version.to_string(), "creationTimestamp": null}});
            world.event(NODES, "BOOKMARK", &object);
        });
    }

    pub fn fail(&self, failing: Option<(&'static str, u16)>) {
        self.change(|world| world.failing = failing);
    }

    pub fn fail_writes_after(&self, count: Option<u32>) {
        self.change(|world| world.writes_left = count);
    }

    pub fn interfere(&self, map: &str, before_write: u32) {
        self.change(|world| world.interference = Some((map.to_owned(), before_write)));
    }

    pub fn delete_slowly(&self, slowly: bool) {
        self.change(|world| {
            world.deletes_slowly = slowly;
            let leaving = |pod: &&Value| !pod["metadata"]["deletionTimestamp"].is_null();
            let gone: Vec<String> = world.list(PODS).filter(leaving).map(name_of).collect();
            gone.iter().filter(|_| !slowly).for_each(|name| world.remove(PODS, name));
        });
    }

    /// The requests so far, and none from now on.
    pub fn take_notes(&self) -> Vec<String> {
        self.change(|world| std::mem::take(&mut world.notes))
    }

    pub fn count_notes(&self, start: &str) -> usize {
        self.change(|world| world.notes.iter().filter(|note| note.starts_with(start)).count())
    }
}

fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

impl World {
    fn get(&self, collection: &str, name: &str) -> Value {
        self.objects.get(&(collection.to_owned(), name.to_owned())).cloned().unwrap_or_default()
    }

    fn list(&self, collection: &str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |((of, _), _)| of == collection).map(|(_, object)| object)
    }

    fn put(&mut self, collection: &str, name: &str, mut object: Value) -> Value {
        self.version += 1;
        let key = (collection.to_owned(), name.to_owned());
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        if object["metadata"]["uid"].is_null() {
            let own = self.objects.get(&key).map(|before| before["metadata"]["uid"].clone());
            object["metadata"]["uid"] = own.unwrap_or_else(|| format!("uid-{}", self.version).into());
        }
        let kind = if self.objects.contains_key(&key) { "MODIFIED" } else { "ADDED" };
        self.objects.insert(key, object.clone());
        self.event(collection, kind, &object);
        object
    }

    fn remove(&mut self, collection: &str, name: &str) {
        if let Some(object) = self.objects.remove(&(collection.to_owned(), name.to_owned())) {
            self.version += 1;
            self.event(collection, "DELETED", &object);
        }
    }

    fn event(&mut self, collection: &str, kind: &str, object: &Value) {
        let text = format!("{}\n", json!({"type": kind, "object": object}));
        self.events.push(Event { version: self.version, collection: collection.to_owned(), text });
    }
}

async fn answer(State(fake): State<Fake>, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let is_watch = query.contains("watch=true");
    let mut world = fake.world.lock().unwrap();
    let shown = if is_watch { "WATCH".to_owned() } else { method.to_string() };
    world.notes.push(format!("{shown} {path}?{query}"));
    if let Some((_, code)) = world.failing.filter(|(part, _)| path.contains(part)) {
        return refuse(code, "Mood");
    }
    if method != Method::GET {
        match &mut world.writes_left {
            Some(0) => return refuse(503, "Dead"),
            Some(left) => *left -= 1,
            None => {}
        }
    }
    if is_watch {
        drop(world);
        return watch_nodes(&fake, &path, &query);
    }
    let (collection, name) = split(&path);
    match method {
        Method::GET if name.is_empty() => list(&world, &collection, &query),
        Method::POST => create(&mut world, &fake, &collection, body),
        _ if world.get(&collection, &name).is_null() => refuse(404, "NotFound"),
        Method::GET => Json(world.get(&collection, &name)).into_response(),
        Method::PUT => replace(&mut world, &fake, &collection, &name, body),
        Method::PATCH => patch(&mut world, &fake, &collection, &name, &body),
        _ => delete(&mut world, &fake, &collection, &name),
    }
}

fn split(path: &str) -> (String, String) {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let length = if parts[2] == "nodes" { 3 } else { 5 };
    let name = parts.get(length).copied().unwrap_or_default();
    (format!("/{}", parts[..length].join("/")), name.to_owned())
}

fn refuse(code: u16, reason: &str) -> Response {
    let words = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
        "message": format!("refused: {reason}"), "code": code});
    (StatusCode::from_u16(code).unwrap(), Json(words)).into_response()
}

fn list(world: &World, collection: &str, query: &str) -> Response {
    let selector = query.split('&').find_map(|part| part.strip_prefix("labelSelector=")).unwrap_or_default();
    let selector = selector.replace("%2F", "/").replace("%3D", "=");
    let fits = |object: &&Value| match selector.split_once('=') {
        Some((key, value)) => object["metadata"]["labels"][key] == value,
        None => selector.is_empty() || !object["metadata"]["labels"][&selector].is_null(),
    };
    let items: Vec<&Value> = world.list(collection).filter(fits).collect();
    Json(json!({"kind": "List", "apiVersion": "v1", "items": items,
        "metadata": {"resourceVersion": world.version.to_string()}}))
    .into_response()
}

fn create(world: &mut World, fake: &Fake, collection: &str, body: Value) -> Response {
    let name = name_of(&body);
    if !world.get(collection, &name).is_null() {
        return refuse(409, "AlreadyExists");
    }
    let made = world.put(collection, &name, body);
    fake.told.send_modify(|count| *count += 1);
    (StatusCode::CREATED, Json(made)).into_response()
}

fn replace(world: &mut World, fake: &Fake, collection: &str, name: &str, body: Value) -> Response {
    let is_due = match &mut world.interference {
        Some((other, left)) if other == name => {
            // It happens once: this many writes later there is none any more.
            *left = left.wrapping_sub(1);
            *left == 0
        }
        _ => false,
    };
    let stored = world.get(collection, name);
    let stored = if is_due { world.put(collection, name, stored) } else { stored };
    if body["metadata"]["resourceVersion"] != stored["metadata"]["resourceVersion"] {
        return refuse(409, "Conflict");
    }
    let made = world.put(collection, name, body);
    fake.told.send_modify(|count| *count += 1);
    Json(made).into_response()
}

fn patch(world: &mut World, fake: &Fake, collection: &str, name: &str, body: &Value) -> Response {
    let mut object = world.get(collection, name);
    for (key, value) in body["metadata"]["annotations"].as_object().unwrap() {
        object["metadata"]["annotations"][key] = value.clone();
    }
    let made = world.put(collection, name, object);
    fake.told.send_modify(|count| *count += 1);
    Json(made).into_response()
}

fn delete(world: &mut World, fake: &Fake, collection: &str, name: &str) -> Response {
    let mut object = world.get(collection, name);
    if world.deletes_slowly {
        object["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        object = world.put(collection, name, object);
    } else {
        world.remove(collection, name);
    }
    fake.told.send_modify(|count| *count += 1);
    Json(object).into_response()
}

/// Events after a version, until the epoch ends.
fn watch_nodes(fake: &Fake, path: &str, query: &str) -> Response {
    let after = query.split('&').find_map(|part| part.strip_prefix("resourceVersion="));
    let after: u64 = after.and_then(|text| text.parse().ok()).unwrap_or(0);
    let (epoch, oldest) = {
        let world = fake.world.lock().unwrap();
        (world.epoch, world.oldest)
    };
    if after < oldest {
        return refuse(410, "Expired");
    }
    let start = (fake.clone(), fake.told.subscribe(), after, path.to_owned());
    let events = futures::stream::unfold(start, move |(fake, mut told, after, path)| async move {
        loop {
            told.borrow_and_update();
            {
                let world = fake.world.lock().unwrap();
                if world.epoch != epoch {
                    return None;
                }
                let news =
                    world.events.iter().filter(|event| event.version > after && event.collection == path);
                let text: String = news.map(|event| event.text.as_str()).collect();
                let last = world.version;
                drop(world);
                if !text.is_empty() {
                    let bytes = Bytes::from(text);
                    return Some((Ok::<_, Infallible>(bytes), (fake, told, last, path)));
                }
            }
            told.changed().await.ok()?;
        }
    });
    Response::new(Body::from_stream(events))
}
