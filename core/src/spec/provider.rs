//! The compute providers a spec can name: how they launch workers and which keys they take.

use crate::algorithm::AlgorithmKind;
use crate::config::{ConfigError, ConfigMap, KeyDoc, KeyKind, Reader, kind_of, unknown_key};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// How a provider gets workers running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaunchStrategy {
    /// Each call starts workers that end by themselves.
    Invoke,
    /// A call sets the size of a set that the platform keeps.
    WorkerSet,
}

impl fmt::Display for LaunchStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invoke => "invoke",
            Self::WorkerSet => "worker set",
        })
    }
}

/// The provider types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderType {
    /// AWS Lambda.
    AwsLambda,
    /// AWS ECS.
    AwsEcs,
    /// Google Cloud Run worker pools.
    GcpCloudRun,
    /// Kubernetes Deployments.
    K8s,
    /// Local processes, for development.
    Subprocess,
    /// An HTTP call that starts a worker.
    Webhook,
    /// Google Cloud Run services, called with an identity token.
    GcpCloudRunInvoke,
    /// AWS Bedrock AgentCore runtimes.
    AwsAgentcore,
    /// A Nexus service that starts workers.
    NexusInvoke,
    /// A Nexus service that keeps a set of workers.
    NexusWorkerSet,
    /// Nobody: the desired size is published for others, such as KEDA, to read.
    External,
}

const ROLE: KeyDoc = KeyDoc::text("role").help("ARN of the role to assume");
const ROLE_EXTERNAL_ID: KeyDoc =
    KeyDoc::text("role_external_id").help("External id the role's trust policy asks for");
const SERVICE_ACCOUNT: KeyDoc = KeyDoc::text("service_account").help("Service account to impersonate");
const URL: KeyDoc = KeyDoc::text("url").required().help("Address to call; https only");

const AWS_LAMBDA: &[KeyDoc] =
    &[KeyDoc::text("arn").required().help("ARN of the function"), ROLE, ROLE_EXTERNAL_ID];
const AWS_ECS: &[KeyDoc] = &[
    KeyDoc::text("cluster").required().help("ARN or name of the cluster"),
    KeyDoc::text("service").required().help("ARN or name of the service"),
    KeyDoc::text("region").help("AWS region; required unless the cluster is an ARN"),
    ROLE,
    ROLE_EXTERNAL_ID,
];
const GCP_CLOUD_RUN: &[KeyDoc] = &[
    KeyDoc::text("project").required().help("Google Cloud project"),
    KeyDoc::text("region").required().help("Google Cloud region"),
    KeyDoc::text("worker_pool").required().help("Name of the worker pool"),
    SERVICE_ACCOUNT,
];
const K8S: &[KeyDoc] = &[
    KeyDoc::text("namespace").required().help("Kubernetes namespace"),
    KeyDoc::text("deployment").required().help("Name of the Deployment"),
    KeyDoc::text("kubeconfig").help("Content of a kubeconfig; without it the cluster's own account is used"),
    KeyDoc::text("context").help("Context of the kubeconfig"),
];
const SUBPROCESS: &[KeyDoc] = &[
    KeyDoc::text("command").required().help("Program to run"),
    KeyDoc::text_or_list("args").help("Arguments: a list, or one text with commas"),
];
const WEBHOOK: &[KeyDoc] = &[
    URL,
    KeyDoc::text("auth_header").help("Name of the header that authorises the call"),
    KeyDoc::text("auth_token").help("Value of that header"),
];
const GCP_CLOUD_RUN_INVOKE: &[KeyDoc] = &[URL, SERVICE_ACCOUNT];
const AWS_AGENTCORE: &[KeyDoc] =
    &[KeyDoc::text("endpoint_arn").required().help("ARN of the runtime endpoint"), ROLE, ROLE_EXTERNAL_ID];

impl ProviderType {
    /// Every type.
    pub const ALL: &'static [Self] = &[
        Self::AwsLambda,
        Self::AwsEcs,
        Self::GcpCloudRun,
        Self::K8s,
        Self::Subprocess,
        Self::Webhook,
        Self::GcpCloudRunInvoke,
        Self::AwsAgentcore,
        Self::NexusInvoke,
        Self::NexusWorkerSet,
        Self::External,
    ];

    /// The wire's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AwsLambda => "aws-lambda",
            Self::AwsEcs => "aws-ecs",
            Self::GcpCloudRun => "gcp-cloud-run",
            Self::K8s => "k8s",
            Self::Subprocess => "subprocess",
            Self::Webhook => "webhook",
            Self::GcpCloudRunInvoke => "gcp-cloud-run-invoke",
            Self::AwsAgentcore => "aws-agentcore",
            Self::NexusInvoke => "nexus-invoke",
            Self::NexusWorkerSet => "nexus-worker-set",
            Self::External => "external",
        }
    }

    /// The type with that name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|provider| provider.name() == name)
    }

    /// How it launches workers.
    #[must_use]
    pub const fn launch_strategy(self) -> LaunchStrategy {
        match self {
            Self::AwsLambda
            | Self::Subprocess
            | Self::Webhook
            | Self::GcpCloudRunInvoke
            | Self::AwsAgentcore
            | Self::NexusInvoke => LaunchStrategy::Invoke,
            Self::AwsEcs | Self::GcpCloudRun | Self::K8s | Self::NexusWorkerSet | Self::External => {
                LaunchStrategy::WorkerSet
            }
        }
    }

    /// The algorithm of a group that names none.
    #[must_use]
    pub const fn default_algorithm(self) -> AlgorithmKind {
        match self.launch_strategy() {
            LaunchStrategy::Invoke => AlgorithmKind::NoSync,
            LaunchStrategy::WorkerSet => AlgorithmKind::RateBased,
        }
    }

    /// The keys of its configuration; none where the whole configuration is handed on as it is.
    #[must_use]
    pub const fn config_schema(self) -> Option<&'static [KeyDoc]> {
        match self {
            Self::AwsLambda => Some(AWS_LAMBDA),
            Self::AwsEcs => Some(AWS_ECS),
            Self::GcpCloudRun => Some(GCP_CLOUD_RUN),
            Self::K8s => Some(K8S),
            Self::Subprocess => Some(SUBPROCESS),
            Self::Webhook => Some(WEBHOOK),
            Self::GcpCloudRunInvoke => Some(GCP_CLOUD_RUN_INVOKE),
            Self::AwsAgentcore => Some(AWS_AGENTCORE),
            Self::NexusInvoke | Self::NexusWorkerSet => None,
            Self::External => Some(&[]),
        }
    }

    /// Whether it is reached through a Nexus endpoint, which the spec must name.
    #[must_use]
    pub const fn needs_nexus_endpoint(self) -> bool {
        matches!(self, Self::NexusInvoke | Self::NexusWorkerSet)
    }

    /// Checks names and kinds of the keys, and nothing a simulation could not know.
    pub(super) fn check_config(self, config: &ConfigMap) -> Result<(), ConfigError> {
        let Some(keys) = self.config_schema() else { return Ok(()) };
        if let Some(key) = config.keys().find(|key| keys.iter().all(|doc| doc.key != key.as_str())) {
            return Err(unknown_key(key, keys.iter().map(|doc| doc.key)));
        }
        let reader = Reader::new(config, keys)?;
        for doc in keys {
            match reader.value(doc.key) {
                Some(value) if !fits(doc.kind, value) => {
                    return Err(ConfigError::new(doc.key, kind_of(value), doc.to_string()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks that everything is there that a live host cannot do without.
    pub(super) fn check_complete(self, config: &ConfigMap) -> Result<(), ConfigError> {
        let is_given = |key: &str| match config.get(key) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.trim().is_empty(),
            Some(_) => true,
        };
        let keys = self.config_schema().unwrap_or_default();
        if let Some(doc) = keys.iter().find(|doc| doc.is_required && !is_given(doc.key)) {
            return Err(ConfigError::new(doc.key, "nothing", doc.to_string()));
        }
        let has_arn = config.get("cluster").and_then(Value::as_str).is_some_and(|c| c.starts_with("arn:"));
        if self == Self::AwsEcs && !has_arn && !is_given("region") {
            return Err(ConfigError::new("region", "nothing", "the AWS region, as the cluster is no ARN"));
        }
        Ok(())
    }
}

impl fmt::Display for ProviderType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn fits(kind: KeyKind, value: &Value) -> bool {
    match (kind, value) {
        (KeyKind::Text | KeyKind::TextOrList, Value::String(_)) => true,
        (KeyKind::Text | KeyKind::TextOrList, Value::Object(_)) => secret_ref(value).is_some(),
        (KeyKind::TextOrList, Value::Array(items)) => items.iter().all(Value::is_string),
        (KeyKind::Integer | KeyKind::Number, Value::Number(_)) => true,
        _ => false,
    }
}

/// Where a secret is to be found that the spec does not hold itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretRef<'a> {
    /// In an environment variable of the host.
    Env(&'a str),
    /// In a file of the host.
    File(&'a str),
}

/// Reads `{"secret_ref": "env:NAME"}` or `{"secret_ref": "file:NAME"}`.
#[must_use]
pub fn secret_ref(value: &Value) -> Option<SecretRef<'_>> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let (place, name) = map.get("secret_ref")?.as_str()?.split_once(':')?;
    match (place, name) {
        (_, "") => None,
        ("env", name) => Some(SecretRef::Env(name)),
        ("file", name) => Some(SecretRef::File(name)),
        _ => None,
    }
}
