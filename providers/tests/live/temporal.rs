//! A real Temporal server in memory, and our controller beside it.

use crate::program::{CONTROLLER, Program, eventually, free_port, scratch, tool};
use std::any::Any;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::RwLock;
use wci_core::controller::{Update, WorkerDeploymentVersion};
use wci_providers::Client;
use wci_providers::controller::connect::ConnectionArgs;
use wci_providers::controller::contract::DEFAULT_TASK_QUEUE;

/// Tests whose times are compared have the machine to themselves; all others share it.
static MACHINE: LazyLock<Arc<RwLock<()>>> = LazyLock::new(Arc::default);

pub struct Server {
    program: Option<Program>,
    port: u16,
    metrics_port: u16,
    database: Option<PathBuf>,
    env: Vec<(String, String)>,
    has_hook: bool,
    _turn: Box<dyn Any + Send>,
}

impl Server {
    pub async fn start() -> Self {
        Self::beside_others().await.started().await
    }

    /// A server with a database in a file, so that it can be started again.
    pub async fn start_on_file() -> Self {
        let server = Self::beside_others().await;
        Self { database: Some(scratch("temporal.db")), ..server }.started().await
    }

    /// A server as it was before it had the hook.
    pub async fn start_without_hook() -> Self {
        Self { has_hook: false, ..Self::beside_others().await }.started().await
    }

    /// A server in this environment, once no other test runs; until it is dropped none begins.
    pub async fn start_alone(env: Vec<(String, String)>) -> Self {
        let turn = MACHINE.clone().write_owned().await;
        Self { env, ..Self::new(Box::new(turn)) }.started().await
    }

    async fn beside_others() -> Self {
        Self::new(Box::new(MACHINE.clone().read_owned().await))
    }

    fn new(turn: Box<dyn Any + Send>) -> Self {
        Self {
            program: None,
            port: free_port(),
            metrics_port: free_port(),
            database: None,
            env: Vec::new(),
            has_hook: true,
            _turn: turn,
        }
    }

    async fn started(mut self) -> Self {
        self.run().await;
        self
    }

    async fn run(&mut self) {
        let mut command = Command::new(tool("temporal"));
        command.args(["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--log-level", "warn"]);
        command.args(["--port", &self.port.to_string(), "--metrics-port", &self.metrics_port.to_string()]);
        for value in [
            if self.has_hook { "workercontroller.enabled=true" } else { "workercontroller.enabled=false" },
            r#"workercontroller.compute_providers.enabled=["aws-lambda","aws-ecs"]"#,
            r#"workercontroller.scaling_algorithms.enabled=["no-sync","rate-based"]"#,
            "frontend.namespaceRPS=20000",
        ] {
            command.args(["--dynamic-config-value", value]);
        }
        if let Some(database) = &self.database {
            command.arg("--db-filename").arg(database);
        }
        command.envs(self.env.clone());
        self.program = Some(Program::start("temporal", &mut command));
        eventually("the server answers", Duration::from_secs(60), async || self.client().await.ok()).await;
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        drop(self.program.take());
    }

    /// Kills the server and starts it again on the same port and database.
    pub async fn restart(&mut self) {
        self.kill();
        self.run().await;
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where the server tells what it has counted.
    pub fn metrics(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.metrics_port)
    }

    pub async fn client(&self) -> Result<Client, String> {
        let args = ConnectionArgs { address: Some(self.address()), ..ConnectionArgs::default() };
        let temporal = args.connect().await?;
        let client = Client::new(temporal, DEFAULT_TASK_QUEUE).with_most_instances(10_000);
        client.list_all().await.map_err(|e| e.to_string())?;
        Ok(client)
    }

    /// Our controller, serving this server's default namespace.
    pub fn controller(&self, args: &[&str], env: &[(String, String)]) -> Program {
        let mut command = self.cli();
        command.arg("run").args(args).envs(env.iter().cloned());
        Program::start("controller", &mut command)
    }

    pub fn cli(&self) -> Command {
        let mut command = Command::new(CONTROLLER);
        command.env("TEMPORAL_ADDRESS", self.address());
        command
    }

    pub fn temporal(&self, args: &[&str]) -> Output {
        let mut command = Command::new(tool("temporal"));
        command.args(args).args(["--address", &self.address()]).output().unwrap()
    }
}

pub fn version(deployment: &str) -> WorkerDeploymentVersion {
    WorkerDeploymentVersion { deployment_name: deployment.into(), build_id: "1".into() }
}

/// A change that sets this whole spec.
pub fn whole(spec: serde_json::Value) -> Update {
    Update { identity: "test".into(), spec: Some(spec), ..Update::default() }
}
