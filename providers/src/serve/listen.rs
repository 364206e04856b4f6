//! Listening: loopback as it is, elsewhere with TLS and a token.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Longest time a client may take for TLS's first words.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes at a time; more connections wait.
const MOST_HANDSHAKES: usize = 256;
const SHORTEST_TOKEN: usize = 16;

/// What a client must show; an address beyond this machine needs TLS too.
#[derive(Clone)]
pub struct Guard {
    tls: Option<Arc<ServerConfig>>,
    token: Arc<str>,
}

impl Guard {
    /// Reads certificate and key in PEM form.
    ///
    /// # Errors
    /// Names the file that is wrong.
    pub fn with_tls(certificate: &Path, key: &Path, token: &str) -> Result<Self, String> {
        crate::install_crypto();
        let certificates = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| format!("{}: expected certificates in PEM: {e}", certificate.display()))?;
        let private = PrivateKeyDer::from_pem_file(key)
            .map_err(|e| format!("{}: expected a private key in PEM: {e}", key.display()))?;
        let mut tls =
            ServerConfig::builder()
                .with_no_client_auth()
                .with_single_cert(certificates, private)
                .map_err(|e| format!("{} and {} do not fit: {e}", certificate.display(), key.display()))?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { tls: Some(Arc::new(tls)), ..Self::with_token(token)? })
    }

    /// A token alone, for an address of this machine.
    ///
    /// # Errors
    /// When the token is too short.
    pub fn with_token(token: &str) -> Result<Self, String> {
        if token.len() < SHORTEST_TOKEN {
            return Err(format!("the token is too short: expected at least {SHORTEST_TOKEN} characters"));
        }
        Ok(Self { tls: None, token: token.into() })
    }
}

/// Serves until `stop` ends. Without a guard only this machine can be listened to.
///
/// # Errors
/// When the address cannot be had, or needs a guard.
pub async fn serve_guarded(
    address: SocketAddr,
    router: Router,
    guard: Option<Guard>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let tls = guard.as_ref().and_then(|guard| guard.tls.clone());
    if tls.is_none() && !address.ip().is_loopback() {
        return Err(format!("{address} is beyond this machine, so it needs TLS and a token"));
    }
    let router = match guard {
        Some(guard) => router.layer(from_fn_with_state(guard.token, check_token)),
        None => router,
    };
    let Some(tls) = tls else { return serve_plain(address, router, stop).await };
    let listener = TlsListener::new(bind(address).await?, TlsAcceptor::from(tls), address);
    axum::serve(listener, router).with_graceful_shutdown(stop).await.map_err(|e| format!("{address}: {e}"))
}

/// Serves what may be read by anybody who reaches the address.
///
/// # Errors
/// When the address cannot be had.
pub async fn serve_plain(
    address: SocketAddr,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let listener = bind(address).await?;
    axum::serve(listener, router).with_graceful_shutdown(stop).await.map_err(|e| format!("{address}: {e}"))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|e| format!("cannot listen on {address}: {e}"))
}

async fn check_token(
    State(token): State<Arc<str>>,
    request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if is_same(given.as_bytes(), token.as_bytes()) {
        Ok(next.run(request).await)
    } else {
        Err(StatusCode::UNAUTHORIZED)
    }
}

/// Compares in a time that does not depend on where the difference is.
fn is_same(given: &[u8], expected: &[u8]) -> bool {
    let differing = given.iter().zip(expected).fold(0, |found, (a, b)| found | (a ^ b));
    given.len() == expected.len() && differing == 0
}

/// Connections whose handshake is done. Each is shaken on its own, so that silent clients hold up nobody.
struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    accepting: JoinHandle<()>,
    address: SocketAddr,
}

impl TlsListener {
    fn new(inner: TcpListener, acceptor: TlsAcceptor, asked: SocketAddr) -> Self {
        let address = inner.local_addr().unwrap_or(asked);
        let (done, ready) = mpsc::channel(1);
        Self { ready, accepting: tokio::spawn(accept_all(inner, acceptor, done)), address }
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept_all(
    mut inner: TcpListener,
    acceptor: TlsAcceptor,
    done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(MOST_HANDSHAKES));
    loop {
        // `Listener` of a TCP listener waits and tries again by itself when the system has no more sockets.
        let (stream, address) = Listener::accept(&mut inner).await;
        // The semaphore is never closed.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // Nobody takes it any more when the process stops.
                Ok(Ok(stream)) => drop(done.send((stream, address)).await),
                Ok(Err(e)) => tracing::debug!(%address, %e, "no TLS"),
                Err(_) => tracing::debug!(%address, "no TLS in time"),
            }
            drop(place);
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_beyond_this_machine_needs_a_guard() {
        let address = "0.0.0.0:0".parse().unwrap();
        let refused = serve_guarded(address, Router::new(), None, async {}).await.unwrap_err();
        assert!(refused.contains("needs TLS and a token"), "{refused}");
    }

    #[test]
    fn tokens_are_compared_whole() {
        assert!(is_same(b"abc", b"abc"));
        assert!(!is_same(b"ab", b"abc"));
        assert!(!is_same(b"abd", b"abc"));
        assert!(!is_same(b"", b"abc"));
    }
}
