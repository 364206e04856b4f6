//! How to reach Temporal: environment, profile file and options, as its CLI and SDKs take them.

use super::failure::data_converter;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;
use temporalio_client::envconfig::{DataSource, LoadClientConfigProfileOptions};
use temporalio_client::{Client, ClientOptions, ClientTlsOptions, Connection, ConnectionOptions, TlsOptions};
use url::Url;

/// Where Temporal is and who we are. What is not given comes from `TEMPORAL_..` variables and the profile file.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Server, as host:port [default: TEMPORAL_ADDRESS, the profile's, or localhost:7233]
    #[arg(long, global = true)]
    pub address: Option<String>,
    /// Namespace [default: TEMPORAL_NAMESPACE, the profile's, or default]
    #[arg(long, short, global = true)]
    pub namespace: Option<String>,
    /// API key [default: TEMPORAL_API_KEY or the profile's]
    #[arg(long, global = true, hide_env_values = true)]
    pub api_key: Option<String>,
    /// Header of every call, as KEY=VALUE (repeatable) [also: TEMPORAL_GRPC_META_KEY, the profile's grpc_meta]
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub grpc_meta: Vec<String>,
    /// Profile of the configuration file [default: TEMPORAL_PROFILE, or default]
    #[arg(long, global = true)]
    pub profile: Option<String>,
    /// Configuration file [default: TEMPORAL_CONFIG_FILE, or the CLI's own]
    #[arg(long, global = true)]
    pub config_file: Option<PathBuf>,
    /// Use TLS
    #[arg(long, global = true)]
    pub tls: bool,
    /// Certificate of this client
    #[arg(long, global = true, requires = "tls_key_path")]
    pub tls_cert_path: Option<PathBuf>,
    /// Key of that certificate
    #[arg(long, global = true, requires = "tls_cert_path")]
    pub tls_key_path: Option<PathBuf>,
    /// Certificate authority of the server
    #[arg(long, global = true)]
    pub tls_ca_path: Option<PathBuf>,
    /// Name that the server's certificate must have
    #[arg(long, global = true)]
    pub tls_server_name: Option<String>,
}

impl ConnectionArgs {
    /// Connects, and says clearly why it cannot.
    ///
    /// # Errors
    /// Names what is wrong: the configuration, or the address that does not answer.
    pub async fn connect(&self) -> Result<Client, String> {
        crate::web::install_crypto();
        let (connection, client) = self.options()?;
        let target = connection.target.clone();
        let connecting = tokio::time::timeout(Duration::from_secs(30), Connection::connect(connection));
        let connection = match connecting.await {
            Ok(Ok(connection)) => connection,
            Ok(Err(e)) => {
                return Err(format!("cannot reach Temporal at {target}: {}", crate::error::root(&e)));
            }
            Err(_) => return Err(format!("cannot reach Temporal at {target}: no answer within 30 s")),
        };
        Client::new(connection, client).map_err(|e| crate::error::chain(&e))
    }

    /// Whether the options, the environment and the profile fit together.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn check(&self) -> Result<(), String> {
        self.options().map(drop)
    }

    fn options(&self) -> Result<(ConnectionOptions, ClientOptions), String> {
        let load = LoadClientConfigProfileOptions::builder()
            .maybe_config_source(
                self.config_file.clone().map(|file| DataSource::Path(file.display().to_string())),
            )
            .maybe_config_file_profile(self.profile.clone())
            .build();
        let (mut connection, mut client) = ClientOptions::load_from_config(load)
            .map_err(|e| format!("the connection's configuration: {}", crate::error::chain(&e)))?;
        if let Some(namespace) = &self.namespace {
            client.namespace.clone_from(namespace);
        }
        client.data_converter = data_converter();
        if let Some(key) = &self.api_key {
            connection.api_key = Some(key.clone());
        }
        for given in &self.grpc_meta {
            let (key, value) = header(given)?;
            connection.headers.get_or_insert_default().insert(key, value);
        }
        let wants_tls = self.tls
            || self.tls_ca_path.is_some()
            || self.tls_cert_path.is_some()
            || self.tls_server_name.is_some();
        if wants_tls {
            let given = connection.tls_options.take().unwrap_or_default();
            connection.tls_options = Some(self.tls(given)?);
        }
        let is_secret = connection.tls_options.is_some() || connection.api_key.is_some();
        if let Some(address) = &self.address {
            connection.target = url(address, is_secret)?;
        } else if is_secret && connection.target.scheme() == "http" {
            // Cannot fail: both are ordinary schemes with a host.
            let _ = connection.target.set_scheme("https");
        }
        connection.identity = identity();
        connection.connect_timeout.get_or_insert(Duration::from_secs(10));
        Ok((connection, client))
    }

    /// What the profile says, with what the command line says in its place.
    fn tls(&self, mut tls: TlsOptions) -> Result<TlsOptions, String> {
        let read = |path: &PathBuf| std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
        if let (Some(cert), Some(key)) = (&self.tls_cert_path, &self.tls_key_path) {
            let own = ClientTlsOptions::builder().client_cert(read(cert)?).client_private_key(read(key)?);
            tls.client_tls_options = Some(own.build());
        }
        if let Some(path) = &self.tls_ca_path {
            tls.server_root_ca_cert = Some(read(path)?);
        }
        if let Some(name) = &self.tls_server_name {
            tls.domain = Some(name.clone());
        }
        Ok(tls)
    }
}

/// A header as Temporal's CLI takes it. The words of an error hold no value: it may be a secret.
fn header(given: &str) -> Result<(String, String), String> {
    let is_key = |key: &str| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match given.split_once('=') {
        Some((key, value)) if is_key(key.trim()) => Ok((key.trim().to_ascii_lowercase(), value.to_owned())),
        Some((key, _)) => {
            Err(format!("--grpc-meta: found the key {key:?}, expected letters, digits and -_."))
        }
        None => Err("--grpc-meta: found no =, expected KEY=VALUE".into()),
    }
}

fn url(address: &str, is_secret: bool) -> Result<Url, String> {
    let scheme = if is_secret { "https" } else { "http" };
    let text = if address.contains("://") { address.to_owned() } else { format!("{scheme}://{address}") };
    let url = Url::parse(&text)
        .ok()
        .filter(Url::has_host)
        .ok_or_else(|| format!("--address: found {address:?}, expected host:port"))?;
    if is_secret && url.scheme() == "http" {
        return Err(format!(
            "--address: found {address:?}, expected https, as an API key or TLS is to be used"
        ));
    }
    Ok(url)
}

/// Who we are, for histories and lists.
#[must_use]
pub fn identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("wci-controller:{}@{}", std::process::id(), host.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_lack_its_scheme() {
        assert_eq!(url("localhost:7233", false).unwrap().as_str(), "http://localhost:7233/");
        assert_eq!(url("example.org:7233", true).unwrap().as_str(), "https://example.org:7233/");
        assert!(
            url("http://h:1", true).unwrap_err().contains("expected https"),
            "a key never goes in the clear"
        );
        assert!(url("", false).is_err());
    }

    #[test]
    fn headers_are_given_as_temporals_cli_takes_them() {
        let args = |given: &[&str]| ConnectionArgs {
            grpc_meta: given.iter().map(|one| (*one).to_owned()).collect(),
            ..ConnectionArgs::default()
        };
        let (connection, _) = args(&["X-Team=orders", "x-sum=a=b", "X-TEAM=mail"]).options().unwrap();
        let headers = connection.headers.unwrap();
        assert_eq!(headers.get("x-team").map(String::as_str), Some("mail"), "the last one counts");
        assert_eq!(headers.get("x-sum").map(String::as_str), Some("a=b"));
        let refused = |given: &str| args(&[given]).options().err().unwrap();
        assert_eq!(refused("x-team"), "--grpc-meta: found no =, expected KEY=VALUE");
        assert!(
            refused("x team=secret").contains("\"x team\"") && !refused("x team=secret").contains("secret")
        );
    }

    #[test]
    fn the_command_line_adds_to_the_tls_of_a_profile() {
        let own = ClientTlsOptions::builder().client_cert(vec![1]).client_private_key(vec![2]).build();
        let profile = TlsOptions::builder().client_tls_options(own).build();
        let args = ConnectionArgs { tls_server_name: Some("name".into()), ..ConnectionArgs::default() };
        let tls = args.tls(profile).unwrap();
        assert_eq!(tls.domain.as_deref(), Some("name"));
        assert!(tls.client_tls_options.is_some(), "the profile's certificate stays");
        let (connection, _) = ConnectionArgs { address: Some("h:1".into()), ..args }.options().unwrap();
        assert_eq!(connection.target.scheme(), "https", "a server name asks for TLS");
    }
}
