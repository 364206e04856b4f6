//! Reading and writing objects of the namespace; what is written is only ever replaced as it was read.

use super::job::labels;
use super::pods::PodChange;
use crate::kubernetes::failure;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use wci_core::cluster::reconcile::ChangeError;

/// Why a Pod was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotDone {
    /// The server said no; to others it may say yes.
    Refused(String),
    /// Nobody answered, and hardly anybody would the next time.
    Unheard(String),
}

/// The namespace's objects.
#[derive(Clone)]
pub(super) struct Store {
    maps: Api<ConfigMap>,
    pods: Api<Pod>,
    /// Nothing is written.
    is_dry: bool,
}

/// A ConfigMap's one text, and the version in which it was read; none: it does not exist.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub metadata: ObjectMeta,
    pub key: &'static str,
}

impl Stored {
    pub fn new(metadata: ObjectMeta, key: &'static str) -> Self {
        Self { metadata, key }
    }

    /// The text of a ConfigMap that was read.
    pub fn text<'a>(&self, map: &'a ConfigMap) -> Option<&'a str> {
        map.data.as_ref()?.get(self.key).map(String::as_str)
    }
}

impl Store {
    pub fn new(client: &Client, namespace: &str, is_dry: bool) -> Self {
        let (maps, pods) =
            (Api::namespaced(client.clone(), namespace), Api::namespaced(client.clone(), namespace));
        Self { maps, pods, is_dry }
    }

    pub async fn maps(&self, selector: &str) -> Result<Vec<ConfigMap>, String> {
        let list = self.maps.list(&ListParams::default().labels(selector)).await;
        list.map(|list| list.items).map_err(|error| failure("listing ConfigMaps", &error).to_string())
    }

    pub async fn map(&self, name: &str) -> Result<Option<ConfigMap>, String> {
        let doing = format!("reading ConfigMap {name}");
        self.maps.get_opt(name).await.map_err(|error| failure(&doing, &error).to_string())
    }

    pub async fn pods(&self) -> Result<Vec<Pod>, String> {
        let list = self.pods.list(&ListParams::default().labels(labels::OF_JOB)).await;
        list.map(|list| list.items).map_err(|error| failure("listing Pods", &error).to_string())
    }

    /// Writes the text if nobody else has written since it was read.
    pub async fn save(&self, stored: &mut Stored, text: String) -> Result<(), ChangeError> {
        if self.is_dry {
            return Ok(());
        }
        let metadata = stored.metadata.clone();
        let name = metadata.name.clone().unwrap_or_default();
        let is_new = metadata.resource_version.is_none();
        let data = Some([(stored.key.to_owned(), text)].into());
        let map = ConfigMap { metadata, data, ..ConfigMap::default() };
        let params = PostParams::default();
        let saved = match is_new {
            true => self.maps.create(&params, &map).await,
            false => self.maps.replace(&name, &params, &map).await,
        };
        stored.metadata =
            saved.map_err(|error| refused(&format!("writing ConfigMap {name}"), &error))?.metadata;
        Ok(())
    }

    /// Does a change to a Pod. One that is done already is no failure.
    pub async fn change(&self, change: &PodChange) -> Result<(), NotDone> {
        if self.is_dry {
            return Ok(());
        }
        let (doing, is_done, result) = match change {
            PodChange::Delete(name) => {
                let deleted = self.pods.delete(name, &DeleteParams::default()).await;
                (format!("deleting Pod {name}"), 404, deleted.map(drop))
            }
            PodChange::Annotate(name, told) => {
                let patch = Patch::Merge(json!({"metadata": {"annotations": told}}));
                let patched = self.pods.patch(name, &PatchParams::default(), &patch).await;
                (format!("telling Pod {name} of its change"), 404, patched.map(drop))
            }
            PodChange::Create(pod) => {
                let name = pod.metadata.name.as_deref().unwrap_or_default();
                let created = self.pods.create(&PostParams::default(), pod).await;
                // One of that name that is already there is not ours, or another controller has just made it.
                (format!("creating Pod {name}"), 0, created.map(drop))
            }
        };
        match result {
            Err(kube::Error::Api(status)) if status.code == is_done => Ok(()),
            Err(error @ kube::Error::Api(_)) => Err(NotDone::Refused(failure(&doing, &error).to_string())),
            Err(error) => Err(NotDone::Unheard(failure(&doing, &error).to_string())),
            Ok(()) => Ok(()),
        }
    }
}

fn refused(doing: &str, error: &kube::Error) -> ChangeError {
    match error {
        // Most likely for ever, unlike a conflict: it belongs to something else.
        kube::Error::Api(status) if status.code == 409 && status.reason == "AlreadyExists" => {
            ChangeError::Failed(format!(
                "{doing}: found one that is there already, expected none: another controller has just made it, or it \
                 belongs to something else"
            ))
        }
        kube::Error::Api(status) if status.code == 409 => ChangeError::Conflict,
        other => ChangeError::Failed(failure(doing, other).to_string()),
    }
}
