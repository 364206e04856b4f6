//! `k8s`: sets how many replicas a Deployment shall have, by its scale subresource.

use crate::config::ProviderConfig;
use crate::error::{ProviderError, chain};
use crate::provider::ComputeProvider;
use async_trait::async_trait;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wci_core::spec::LaunchStrategy;

/// So many clusters are remembered.
const MOST: usize = 100;

/// Where a cluster is and who asks: a kubeconfig, or the cluster this runs in, and a context.
type Way = (Option<String>, Option<String>);

/// Clients that outlive a call, so that its connection serves the next one too.
///
/// What a kubeconfig holds does not change, and in a cluster the client reads its token anew before it expires. One that
/// is not taken any more is made anew.
#[derive(Default)]
pub struct Clusters {
    kept: Mutex<BTreeMap<Way, Client>>,
}

impl fmt::Debug for Clusters {
    /// Kubeconfigs are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clusters").finish_non_exhaustive()
    }
}

impl Clusters {
    fn kept(&self) -> MutexGuard<'_, BTreeMap<Way, Client>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, way: Way, client: &Client) {
        let mut kept = self.kept();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(way, client.clone());
    }
}

pub(crate) struct Kubernetes {
    clusters: Arc<Clusters>,
    namespace: String,
    deployment: String,
    way: Way,
    kubeconfig: Option<Kubeconfig>,
}

impl Kubernetes {
    pub(crate) fn new(clusters: &Arc<Clusters>, config: &ProviderConfig) -> Result<Self, ProviderError> {
        let text = |key: &str| config.text(key).map(str::to_owned);
        Ok(Self {
            clusters: clusters.clone(),
            way: (text("kubeconfig"), text("context")),
            namespace: config.required("namespace")?.to_owned(),
            deployment: config.required("deployment")?.to_owned(),
            kubeconfig: config.text("kubeconfig").map(read_kubeconfig).transpose()?,
        })
    }

    async fn deployments(&self) -> Result<Api<Deployment>, ProviderError> {
        let kept = self.clusters.kept().get(&self.way).cloned();
        let client = match kept {
            Some(client) => client,
            None => {
                let client = self.client().await?;
                self.clusters.keep(self.way.clone(), &client);
                client
            }
        };
        Ok(Api::namespaced(client, &self.namespace))
    }

    async fn client(&self) -> Result<Client, ProviderError> {
        crate::web::install_crypto();
        let wrong = |e: &(dyn std::error::Error + 'static)| {
            ProviderError::rejected(format!("kubeconfig: {}", chain(e)))
        };
        let mut config = match &self.kubeconfig {
            Some(kubeconfig) => {
                let options = KubeConfigOptions { context: self.way.1.clone(), ..Default::default() };
                Config::from_custom_kubeconfig(kubeconfig.clone(), &options).await.map_err(|e| wrong(&e))?
            }
            None => Config::incluster().map_err(|e| wrong(&e))?,
        };
        // Our classes decide about retries; the client's own would hide throttling from them.
        config.default_retry = false;
        config.connect_timeout = Some(Duration::from_secs(5));
        config.read_timeout = Some(Duration::from_secs(20));
        config.write_timeout = Some(Duration::from_secs(20));
        Client::try_from(config).map_err(|e| wrong(&e))
    }

    /// A client whose credentials are not taken any more is not used again.
    fn failed(&self, doing: &str, error: &kube::Error) -> ProviderError {
        if matches!(error, kube::Error::Api(status) if status.code == 401) {
            self.clusters.kept().remove(&self.way);
        }
        failure(doing, error)
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} Deployment {}/{}", self.namespace, self.deployment)
    }
}

/// A kubeconfig that runs no program and reads no file of this host.
fn read_kubeconfig(text: &str) -> Result<Kubeconfig, ProviderError> {
    let kubeconfig = Kubeconfig::from_yaml(text)
        .map_err(|_| ProviderError::rejected("kubeconfig: expected the content of a kubeconfig, in YAML"))?;
    let users = kubeconfig.auth_infos.iter().filter_map(|named| named.auth_info.as_ref());
    let mut refused = None;
    for user in users {
        let found = [
            (user.exec.is_some(), "exec"),
            (user.auth_provider.is_some(), "auth-provider"),
            (user.token_file.is_some(), "tokenFile"),
            (user.client_certificate.is_some(), "client-certificate"),
            (user.client_key.is_some(), "client-key"),
        ];
        refused = refused.or(found.iter().find(|(is_there, _)| *is_there).map(|(_, key)| *key));
    }
    let clusters = kubeconfig.clusters.iter().filter_map(|named| named.cluster.as_ref());
    if clusters.into_iter().any(|cluster| cluster.certificate_authority.is_some()) {
        refused = refused.or(Some("certificate-authority"));
    }
    match refused {
        None => Ok(kubeconfig),
        Some(key) => Err(ProviderError::rejected(format!(
            "kubeconfig: found {key}, expected one that neither runs programs nor reads files (use the -data keys)"
        ))),
    }
}

pub(crate) fn failure(doing: &str, error: &kube::Error) -> ProviderError {
    match error {
        kube::Error::Api(status) => {
            let class = ProviderError::class_of_status(status.code);
            ProviderError::new(class, format!("{doing}: {} ({})", status.message, status.reason))
        }
        kube::Error::Auth(e) => ProviderError::denied(format!("{doing}: {}", chain(e))),
        other => ProviderError::unavailable(format!("{doing}: {}", chain(other))),
    }
}

#[async_trait]
impl ComputeProvider for Kubernetes {
    fn launch_strategy(&self) -> LaunchStrategy {
        LaunchStrategy::WorkerSet
    }

    async fn validate(&self) -> Result<(), ProviderError> {
        let doing = self.doing("reading the scale of");
        let deployments = self.deployments().await?;
        deployments.get_scale(&self.deployment).await.map(drop).map_err(|e| self.failed(&doing, &e))
    }

    async fn set_worker_set_size(&self, count: u32) -> Result<(), ProviderError> {
        let doing = self.doing(&format!("setting to {count} replicas"));
        let deployments = self.deployments().await?;
        // A merge patch of the one number cannot collide with other writers.
        let patch = Patch::Merge(json!({"spec": {"replicas": count}}));
        let params = PatchParams::default();
        let patched = deployments.patch_scale(&self.deployment, &params, &patch).await;
        patched.map(drop).map_err(|e| self.failed(&doing, &e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_user(user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             clusters:\n- name: k\n  cluster: {{server: https://127.0.0.1:1}}\n\
             contexts:\n- name: c\n  context: {{cluster: k, user: u}}\n\
             users:\n- name: u\n  user: {user}\n"
        )
    }

    #[test]
    fn a_kubeconfig_runs_no_program_and_reads_no_file() {
        assert!(read_kubeconfig(&with_user("{token: abc}")).is_ok());
        for (user, key) in [
            ("{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh}}", "exec"),
            ("{auth-provider: {name: gcp, config: {cmd-path: /bin/sh}}}", "auth-provider"),
            ("{tokenFile: /etc/passwd}", "tokenFile"),
            ("{client-certificate: /etc/passwd}", "client-certificate"),
            ("{client-key: /etc/passwd}", "client-key"),
        ] {
            let refused = read_kubeconfig(&with_user(user)).unwrap_err();
            assert!(refused.message.contains(&format!("found {key},")), "{refused}");
        }
        let with_file = with_user("{token: abc}").replace("{server:", "{certificate-authority: /x, server:");
        assert!(read_kubeconfig(&with_file).unwrap_err().message.contains("certificate-authority"));
        assert!(read_kubeconfig("[]").is_err());
    }
}
