//! Commands about single controllers.

use super::spec_file::{read_json, read_spec};
use super::{Failed, VersionArgs, part_of_version, print, reach, say};
use crate::controller::Client;
use crate::controller::client::{ClientError, Summary, way_out};
use crate::controller::connect::{ConnectionArgs, identity};
use crate::controller::contract::DEFAULT_TASK_QUEUE;
use clap::Args;
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;
use wci_core::Spec;
use wci_core::controller::{GroupUpdate, Update, WorkerDeploymentVersion};

/// How long an answer may take before a person is told what is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    version: VersionArgs,
    /// Spec in JSON; - is stdin
    #[arg(long, short)]
    spec: String,
    /// Task queue of the processes that shall serve it
    #[arg(long, default_value = DEFAULT_TASK_QUEUE)]
    task_queue: String,
    /// Most controllers that the namespace may have
    #[arg(long, default_value_t = 100)]
    max_instances: usize,
}

#[derive(Args)]
pub(super) struct ChangeArgs {
    /// Whole new spec in JSON; - is stdin
    #[arg(long, short, required_unless_present_any = ["upsert", "remove"])]
    spec: Option<String>,
    /// Groups to insert or change, in JSON: {"NAME": {"spec": GROUP, "update_mask": [..]}}
    #[arg(long)]
    upsert: Option<String>,
    /// Group to remove
    #[arg(long)]
    remove: Vec<String>,
    /// Refuse the change if the spec has changed since this token was read
    #[arg(long)]
    conflict_token: Option<String>,
}

#[derive(Args)]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    version: VersionArgs,
    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Args)]
pub(super) struct ValidateArgs {
    /// Name of the worker deployment
    #[arg(long, short, requires = "build_id", value_parser = part_of_version)]
    deployment_name: Option<String>,
    /// Build of the deployment
    #[arg(long, short, requires = "deployment_name", value_parser = part_of_version)]
    build_id: Option<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Args)]
pub(super) struct DescribeArgs {
    #[command(flatten)]
    version: VersionArgs,
    /// Everything the controller is, the state of its algorithms included
    #[arg(long)]
    dump: bool,
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// JSON lines instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    version: VersionArgs,
    /// Refuse if the spec has changed since this token was read
    #[arg(long)]
    conflict_token: Option<String>,
}

pub(super) async fn create(connection: &ConnectionArgs, args: CreateArgs) -> Result<(), Failed> {
    let change = Update { identity: identity(), spec: Some(read_spec(&args.spec)?), ..Update::default() };
    let version = args.version.version();
    let client =
        Client::new(reach(connection).await?, args.task_queue).with_most_instances(args.max_instances);
    if client.exists(&version).await? {
        let (name, build) = (&version.deployment_name, &version.build_id);
        return Err(Failed::Action(format!("{name}:{build} has a controller already: use update")));
    }
    print(&waited_for(client.update(&version, &change)).await?)
}

/// Says that it waits when something takes longer than a person expects.
async fn waited_for<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    if let Ok(done) = tokio::time::timeout(PATIENCE, work.as_mut()).await {
        return done;
    }
    eprintln!("waiting for the controller's answer; it comes from a process that runs `wci-controller run`");
    work.await
}

pub(super) async fn update(connection: &ConnectionArgs, args: UpdateArgs) -> Result<(), Failed> {
    let change = args.change.read()?;
    let version = args.version.version();
    let client = connect(connection).await?;
    if !client.exists(&version).await? {
        let name = format!("{}:{}", version.deployment_name, version.build_id);
        return Err(ClientError::NotFound(name).into());
    }
    check_removals(&client, &version, &change).await?;
    print(&waited_for(client.update(&version, &change)).await?)
}

/// Whether the groups to be removed are there. The wire takes names that are not, as the original does; a person who
/// gives one has misspelt it.
async fn check_removals(
    client: &Client,
    version: &WorkerDeploymentVersion,
    change: &Update,
) -> Result<(), Failed> {
    if change.remove_scaling_groups.is_empty() {
        return Ok(());
    }
    let described = waited_for(client.describe(version)).await?;
    // A spec that this release cannot read is the controller's to judge.
    let Some(spec) = &described.spec else { return Ok(()) };
    let groups: Vec<_> = spec.groups().map(|(name, _)| name.as_ref()).collect();
    unknown_removal(change, &groups).map_or(Ok(()), |why| Err(Failed::Action(why)))
}

/// What is wrong with the first removal that is neither among the groups nor inserted by the same change.
fn unknown_removal(change: &Update, groups: &[&str]) -> Option<String> {
    let is_known = |name: &str| groups.contains(&name) || change.upsert_scaling_groups.contains_key(name);
    let unknown = change.remove_scaling_groups.iter().find(|name| !is_known(name))?;
    Some(format!("--remove: found {unknown:?}, expected a scaling group of the spec: {}", groups.join(", ")))
}

pub(super) async fn validate(connection: &ConnectionArgs, args: ValidateArgs) -> Result<(), Failed> {
    let change = args.change.read()?;
    let (Some(deployment_name), Some(build_id)) = (args.deployment_name, args.build_id) else {
        check_alone(&change).map_err(Failed::Usage)?;
        eprintln!(
            "the spec is sound; with --deployment-name and --build-id its controller asks the providers too"
        );
        return Ok(());
    };
    let version = VersionArgs { deployment_name, build_id }.version();
    let client = connect(connection).await?;
    check_removals(&client, &version, &change).await?;
    waited_for(client.validate(&version, &change)).await?;
    eprintln!("the spec is sound and its providers take it");
    Ok(())
}

/// What can be said of a change without the controller whose spec it changes. Whole specs are checked when read.
fn check_alone(change: &Update) -> Result<(), String> {
    if !change.remove_scaling_groups.is_empty() {
        return Err(
            "--remove: whether such groups exist is known only with --deployment-name and --build-id".into(),
        );
    }
    if let Some((_, update)) = change.upsert_scaling_groups.iter().find(|(_, u)| !u.update_mask.is_empty()) {
        let mask = update.update_mask.join(", ");
        return Err(format!(
            "--upsert: what update_mask [{mask}] takes is known only with --deployment-name and --build-id"
        ));
    }
    if change.spec.is_none() {
        let spec =
            Spec::apply(None, &change.upsert_scaling_groups, &[]).map_err(|e| format!("--upsert: {e}"))?;
        spec.map_or(Ok(()), |spec| spec.check_complete()).map_err(|e| format!("--upsert: {e}"))?;
    }
    Ok(())
}

pub(super) async fn describe(connection: &ConnectionArgs, args: DescribeArgs) -> Result<(), Failed> {
    let client = connect(connection).await?;
    let version = args.version.version();
    if args.dump { print(&client.dump(&version).await?) } else { print(&client.describe(&version).await?) }
}

pub(super) async fn list(connection: &ConnectionArgs, args: ListArgs) -> Result<(), Failed> {
    let all = connect(connection).await?.list_all().await?;
    if args.json {
        all.iter().try_for_each(|summary| say(&serde_json::to_string(summary).map_err(|e| e.to_string())?))
    } else {
        let text = table(&all);
        say(text.trim_end())?;
        tell_stuck(&all);
        Ok(())
    }
}

pub(super) async fn delete(connection: &ConnectionArgs, args: DeleteArgs) -> Result<(), Failed> {
    let client = connect(connection).await?;
    let token = args.conflict_token.as_deref();
    Ok(waited_for(client.delete(&args.version.version(), &identity(), token)).await?)
}

async fn connect(connection: &ConnectionArgs) -> Result<Client, Failed> {
    Ok(Client::new(reach(connection).await?, DEFAULT_TASK_QUEUE))
}

impl ChangeArgs {
    fn read(&self) -> Result<Update, Failed> {
        let upsert_scaling_groups: BTreeMap<String, GroupUpdate> = match &self.upsert {
            None => BTreeMap::new(),
            Some(path) => serde_json::from_value(read_json(path)?).map_err(|e| {
                Failed::Usage(format!("{path}: expected groups with spec and update_mask: {e}"))
            })?,
        };
        Ok(Update {
            identity: identity(),
            conflict_token: self.conflict_token.clone(),
            spec: self.spec.as_deref().map(read_spec).transpose()?,
            upsert_scaling_groups,
            remove_scaling_groups: self.remove.clone(),
        })
    }
}

fn table(all: &[Summary]) -> String {
    let width = |heading: &str, of: fn(&Summary) -> &str| {
        all.iter().map(|one| of(one).len()).max().unwrap_or(0).max(heading.len())
    };
    let first = width("DEPLOYMENT", |one| &one.deployment_name);
    let second = width("BUILD", |one| &one.build_id);
    let heading = format!("{:<first$}  {:<second$}  PROBLEM\n", "DEPLOYMENT", "BUILD");
    let row = |one: &Summary| {
        let problem = one.problem.as_deref().unwrap_or("-");
        format!("{:<first$}  {:<second$}  {problem}\n", one.deployment_name, one.build_id)
    };
    std::iter::once(heading).chain(all.iter().map(row)).collect()
}

/// What the word in the table means, and what to do.
fn tell_stuck(all: &[Summary]) {
    for one in all.iter().filter(|one| one.problem.is_some()) {
        let Summary { deployment_name, build_id, .. } = one.clone();
        let version = WorkerDeploymentVersion { deployment_name, build_id };
        let (name, build) = (&version.deployment_name, &version.build_id);
        eprintln!("{name}:{build} is stuck, its workflow tasks fail again and again: {}", way_out(&version));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_is_not_there_is_not_removed() {
        let change = |inserted: &[&str], removed: &[&str]| Update {
            upsert_scaling_groups: inserted
                .iter()
                .map(|name| ((*name).to_owned(), GroupUpdate::default()))
                .collect(),
            remove_scaling_groups: removed.iter().map(|name| (*name).to_owned()).collect(),
            ..Update::default()
        };
        let groups = ["fast", "slow"];
        assert_eq!(unknown_removal(&change(&[], &["slow", "fast"]), &groups), None);
        assert_eq!(unknown_removal(&change(&["new"], &["new"]), &groups), None);
        let said = unknown_removal(&change(&["new"], &["fast", "slwo"]), &groups);
        let words = "--remove: found \"slwo\", expected a scaling group of the spec: fast, slow";
        assert_eq!(said.as_deref(), Some(words));
    }

    #[test]
    fn a_list_shows_which_controllers_are_stuck() {
        let one = |name: &str, problem: Option<&str>| Summary {
            deployment_name: name.into(),
            build_id: "1".into(),
            problem: problem.map(str::to_owned),
            ..Summary::default()
        };
        let shown = table(&[one("orders", None), one("mail", Some("WorkflowTaskFailed, why"))]);
        let expected =
            "DEPLOYMENT  BUILD  PROBLEM\norders      1      -\nmail        1      WorkflowTaskFailed, why\n";
        assert_eq!(shown, expected);
    }
}
