//! `subprocess`: starts a program of this machine, for development only.
//!
//! The process leads a group of its own. It may live for a minute; then the group gets TERM, five seconds later
//! KILL, and the leader is reaped last, so that nobody else can have got its number in between. `timeout`, where
//! the machine has it, does the same when this process dies first. A grandchild that leaves the group by `setsid`
//! escapes both.

use crate::config::ProviderConfig;
use crate::error::ProviderError;
use crate::host::Host;
use crate::provider::{CallId, ComputeProvider};
use async_trait::async_trait;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use wci_core::spec::LaunchStrategy;

/// Between TERM and KILL.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) struct Subprocess {
    command: String,
    args: Vec<String>,
    allowed: Vec<PathBuf>,
    longest: Duration,
}

impl Subprocess {
    pub(crate) fn new(config: &ProviderConfig, host: &Host) -> Result<Self, ProviderError> {
        Ok(Self {
            command: config.required("command")?.to_owned(),
            args: config.list("args"),
            allowed: host.allowed_programs.clone(),
            longest: host.longest_subprocess,
        })
    }

    /// The program, if it exists and the host allows it.
    fn program(&self) -> Result<PathBuf, ProviderError> {
        let program = find(&self.command).ok_or_else(|| {
            ProviderError::not_found(format!("command {:?} is not on this host", self.command))
        })?;
        if self.allowed.contains(&program) {
            return Ok(program);
        }
        Err(ProviderError::denied(format!(
            "this host does not run {} (start it with --allow-subprocess {})",
            program.display(),
            program.display()
        )))
    }
}

#[async_trait]
impl ComputeProvider for Subprocess {
    fn launch_strategy(&self) -> LaunchStrategy {
        LaunchStrategy::Invoke
    }

    async fn validate(&self) -> Result<(), ProviderError> {
        self.program().map(drop)
    }

    async fn invoke_worker(&self, _id: &CallId) -> Result<(), ProviderError> {
        let program = self.program()?;
        let child = with_backstop(&program, self.longest)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|e| ProviderError::rejected(format!("cannot start {}: {e}", program.display())))?;
        tracing::debug!(pid = child.id(), program = %program.display(), "started a process");
        tokio::spawn(supervise(child, self.longest));
        Ok(())
    }
}

/// The absolute path of a command: as it is written, or found along `PATH`.
fn find(command: &str) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| path.is_absolute() && path.is_file();
    if command.contains('/') {
        return Some(PathBuf::from(command)).filter(is_program);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(command)).find(is_program)
}

/// The program under `timeout`, which outlives this process; the program itself where there is none.
fn with_backstop(program: &Path, longest: Duration) -> Command {
    let Some(timeout) = find("timeout") else { return Command::new(program) };
    let mut command = Command::new(timeout);
    let limit = longest + 2 * GRACE;
    command.arg(format!("--kill-after={}", GRACE.as_secs())).arg(format!("{}", limit.as_secs_f64()));
    command.arg(program);
    command
}

async fn supervise(mut child: Child, longest: Duration) {
    let group = Pid::from_child(&child);
    end_in_time(group, longest).await;
    // Whoever is left of the group. The leader is not reaped yet, so its number means nobody else.
    let _ = kill_process_group(group, Signal::KILL);
    let reaped = tokio::task::spawn_blocking(move || child.wait()).await;
    tracing::debug!(?reaped, "a process ended");
}

/// Returns when the leader has ended by itself, or was asked to and had its time.
async fn end_in_time(group: Pid, longest: Duration) {
    // Waits for the end without reaping.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let mut ended = tokio::task::spawn_blocking(move || waitid(WaitId::Pid(group), options));
    if tokio::time::timeout(longest, &mut ended).await.is_err() {
        let _ = kill_process_group(group, Signal::TERM);
        let _ = tokio::time::timeout(GRACE, &mut ended).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;
    use wci_core::controller::FailureClass;

    fn shell(script: &str, longest: Duration) -> Subprocess {
        let shell = find("sh").unwrap();
        let args = vec!["-c".to_owned(), script.to_owned()];
        Subprocess { command: "sh".into(), args, allowed: vec![shell], longest }
    }

    fn scratch(name: &str) -> PathBuf {
        let file = std::env::temp_dir().join(format!("wci-subprocess-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&file);
        file
    }

    async fn read_when_there(file: &Path) -> String {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            match std::fs::read_to_string(file) {
                Ok(text) if text.ends_with('\n') => return text,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        panic!("{} was never written", file.display());
    }

    #[tokio::test]
    async fn starts_the_program_and_does_not_wait_for_it() {
        let (file, go) = (scratch("runs"), scratch("go"));
        let (written, awaited) = (file.display(), go.display());
        let script = format!("while [ ! -e {awaited} ]; do sleep 0.05; done; echo done > {written}");
        shell(&script, Duration::from_secs(60)).invoke_worker(&CallId::default()).await.unwrap();
        assert!(!file.exists());
        std::fs::write(&go, "").unwrap();
        assert_eq!(read_when_there(&file).await, "done\n");
    }

    #[tokio::test]
    async fn ends_the_whole_group_when_the_time_is_over() {
        let file = scratch("group");
        let script = format!("sleep 300 & echo $! > {}; wait", file.display());
        shell(&script, Duration::from_secs(5)).invoke_worker(&CallId::default()).await.unwrap();
        let grandchild = read_when_there(&file).await;
        let proc = PathBuf::from("/proc").join(grandchild.trim());
        assert!(proc.exists());
        let begun = Instant::now();
        while proc.exists() && begun.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(!proc.exists(), "the grandchild is still there");
    }

    #[tokio::test]
    async fn runs_only_what_the_host_allows() {
        let mut provider = shell("true", Duration::from_secs(1));
        provider.allowed.clear();
        assert_eq!(provider.validate().await.unwrap_err().class, FailureClass::Denied);
        assert_eq!(provider.invoke_worker(&CallId::default()).await.unwrap_err().class, FailureClass::Denied);
        provider.command = "/nowhere/at/all".into();
        assert_eq!(provider.validate().await.unwrap_err().class, FailureClass::NotFound);
    }
}
