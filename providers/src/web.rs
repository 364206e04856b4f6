//! HTTP for the providers that speak it: no redirects, time limits, and no private addresses unless the host allows
//! them, whatever a name resolves to at the moment of the call.

use crate::error::{ProviderError, chain};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, RequestBuilder, Response, redirect};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::{Host, Url};

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Only public ones, and only with TLS: a spec named them.
    Public,
    /// All: the host's owner named them.
    Anywhere,
}

/// TLS needs one provider of cryptography for the whole process.
pub fn install_crypto() {
    // An error means that one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Tells a repeated call from a further one, by the name that is customary for it.
pub(crate) const ID_HEADER: &str = "idempotency-key";

/// Clients that outlive a call, so that its connection serves the next one too. They hold no credentials: each request
/// brings its own.
#[derive(Debug, Default)]
pub(crate) struct Web {
    public: OnceLock<Client>,
    anywhere: OnceLock<Client>,
}

impl Web {
    /// The client that reaches so far.
    pub(crate) fn client(&self, reach: Reach) -> Result<Client, ProviderError> {
        let kept = match reach {
            Reach::Public => &self.public,
            Reach::Anywhere => &self.anywhere,
        };
        match kept.get() {
            Some(client) => Ok(client.clone()),
            None => client(reach).map(|client| kept.get_or_init(|| client).clone()),
        }
    }
}

fn client(reach: Reach) -> Result<Client, ProviderError> {
    install_crypto();
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        // Shorter than what servers and load balancers keep, so that no call meets a connection that is being closed.
        .pool_idle_timeout(Duration::from_secs(20))
        .timeout(Duration::from_secs(50));
    if reach == Reach::Public {
        builder = builder.https_only(true).dns_resolver(Arc::new(PublicOnly)).no_proxy();
    }
    builder.build().map_err(|e| ProviderError::unavailable(format!("no HTTP client: {}", chain(&e))))
}

/// Reads the address that a spec names, and refuses it where it reaches too far.
pub(crate) fn check_url(key: &str, text: &str, reach: Reach) -> Result<Url, ProviderError> {
    let wrong = |expected: &str| Err(ProviderError::rejected(format!("{key}: expected {expected}")));
    let Ok(url) = Url::parse(text) else { return wrong("an address such as https://example.org/start") };
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("an address without a user or a password");
    }
    if reach == Reach::Anywhere && matches!(url.scheme(), "http" | "https") {
        return Ok(url);
    }
    if url.scheme() != "https" {
        return wrong("an https address (this host was not started with --allow-private-addresses)");
    }
    let is_public = match url.host() {
        Some(Host::Ipv4(ip)) => is_public(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => is_public(IpAddr::V6(ip)),
        Some(Host::Domain(_)) => true,
        None => false,
    };
    if is_public { Ok(url) } else { wrong("a public address, not a loopback, link-local or private one") }
}

/// Sends a request; an answer that is no success is a failure of its status's class.
///
/// The words hold no body: what the other side says may repeat what it was told.
pub(crate) async fn send(doing: &str, request: RequestBuilder) -> Result<Response, ProviderError> {
    let response = request.send().await.map_err(|e| {
        let e = e.without_url();
        ProviderError::unavailable(format!("{doing}: {}", chain(&e)))
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let class = ProviderError::class_of_status(status.as_u16());
    let error = ProviderError::new(class, format!("{doing}: the answer was {status}"));
    Err(error.of_stale_credentials(status == reqwest::StatusCode::UNAUTHORIZED))
}

/// Names resolve to public addresses or not at all.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err("the name resolves to no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => v4_within(ip).map_or_else(|| is_public_v6(ip), is_public_v4),
    }
}

/// The IPv4 address that a packet to this one ends at: mapped and compatible ones, NAT64 (RFC 6052) and 6to4 (RFC 3056).
fn v4_within(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => ip.to_ipv4(),
    }
}

const fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let is_shared = a == 100 && b & 0b1100_0000 == 64;
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 240
        || is_shared
        || is_benchmark
        || ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation())
}

const fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, third, ..] = ip.segments();
    let is_unique_local = first & 0xfe00 == 0xfc00;
    let is_link_local = first & 0xffc0 == 0xfe80;
    // A network's own NAT64 (RFC 8215) puts the IPv4 address where it likes; Teredo (RFC 4380) hides it.
    let is_own_nat64 = first == 0x64 && second == 0xff9b && third == 1;
    let is_teredo = first == 0x2001 && second == 0;
    !(ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || is_unique_local
        || is_link_local
        || is_own_nat64
        || is_teredo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_reach_public_addresses_with_tls_only() {
        let check = |text: &str| check_url("url", text, Reach::Public).is_ok();
        for taken in [
            "https://example.org/start",
            "https://[2606:4700:4700::1111]/",
            "https://[64:ff9b::8.8.8.8]/",
            "https://[2002:808:808::1]/",
        ] {
            assert!(check(taken), "{taken}");
        }
        for refused in [
            "http://example.org/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[64:ff9b::10.0.0.1]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[64:ff9b:1::8.8.8.8]/",
            "https://[2002:7f00:1::1]/",
            "https://[2002:c0a8:101::]/",
            "https://[2001:0:808:808::1]/",
            "https://0.0.0.0/",
            "https://user:word@example.org/",
            "file:///etc/passwd",
            "example.org",
        ] {
            assert!(!check(refused), "{refused}");
        }
        assert!(check_url("url", "http://127.0.0.1:8080/", Reach::Anywhere).is_ok());
        assert!(check_url("url", "file:///etc/passwd", Reach::Anywhere).is_err());
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_refused() {
        let request = client(Reach::Public).unwrap().post("https://localhost:1/");
        let error = send("calling", request).await.unwrap_err();
        assert!(error.message.contains("no public address"), "{error}");
    }
}
