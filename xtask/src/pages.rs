//! `cargo xtask pages`: serves the browser pages to this machine alone, and builds nothing.

use crate::shell::root;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};

/// Where the pages are.
pub const PAGES: &str = "docs/simulators";
const PORT: u16 = 8000;

/// Serves until it is stopped; an argument is the port.
pub fn run(args: &[String]) -> Result<(), String> {
    let port = match args.first() {
        Some(text) => text.parse().map_err(|_| format!("port: found {text}, expected 0 to 65535"))?,
        None => PORT,
    };
    let server = Server::open(root().join(PAGES), port)?;
    println!("http://127.0.0.1:{}/", server.port());
    server.serve();
    Ok(())
}

/// Files of a folder over HTTP, on loopback.
pub struct Server {
    folder: PathBuf,
    listener: TcpListener,
}

impl Server {
    /// Listens on a port of this machine; 0 picks a free one.
    pub fn open(folder: PathBuf, port: u16) -> Result<Self, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map_err(|error| format!("port {port} of this machine: {error}"))?;
        Ok(Self { folder, listener })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.listener.local_addr().map_or(0, |address| address.port())
    }

    /// Answers every request until the program ends.
    pub fn serve(&self) {
        std::thread::scope(|scope| {
            for stream in self.listener.incoming().flatten() {
                // A browser that went away is no concern of ours.
                scope.spawn(|| answer(&self.folder, stream).unwrap_or_default());
            }
        });
    }
}

fn answer(folder: &Path, stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The rest of the head says nothing that matters here.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, kind, body) = match file_of(folder, target).map(|path| (std::fs::read(&path), path)) {
        _ if method != "GET" && method != "HEAD" => ("405 Method Not Allowed", "text/plain", Vec::new()),
        Some((Ok(body), path)) => ("200 OK", kind_of(&path), body),
        _ => ("404 Not Found", "text/plain", b"there is no such page\n".to_vec()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    let mut out = &stream;
    out.write_all(head.as_bytes())?;
    if method == "GET" { out.write_all(&body) } else { Ok(()) }
}

/// The file that a request names, never one outside the folder.
fn file_of(folder: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.trim_start_matches('/');
    let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let path = folder.join(path);
    let path = if path.is_dir() { path.join("index.html") } else { path };
    is_inside.then_some(path)
}

fn kind_of(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("gz") => "application/gzip",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("png") => "image/png",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stay_inside_the_folder() {
        let folder = root().join(PAGES);
        assert_eq!(file_of(&folder, "/?a#b"), Some(folder.join("index.html")));
        assert_eq!(file_of(&folder, "/no-sync/"), Some(folder.join("no-sync/index.html")));
        assert_eq!(file_of(&folder, "/shared/page.js?x=1"), Some(folder.join("shared/page.js")));
        for outside in ["/../README.md", "/shared/../../README.md", "//etc/passwd/../x"] {
            assert_eq!(file_of(&folder, outside), None, "{outside}");
        }
    }
}
