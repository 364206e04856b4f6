//! The pure crates as WebAssembly: they build, and the modules ask nothing of their host.

use crate::shell::{self, cargo};
use crate::tally::Tally;

/// The platform without a host.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The crates that must run without a host, with the features that a browser may load.
const PURE: [(&str, &str); 2] = [("wci-core", ""), ("wci-sim", "traces")];

/// The pure crates compile for the browser, everything optional left out.
pub fn builds() -> Result<Tally, String> {
    let mut tally = Tally::default();
    for (package, features) in PURE {
        let name = format!("{package} builds for {TARGET}");
        tally.add(Tally::of(&name, module_of(package, features).map(drop)));
    }
    Ok(tally)
}

/// The modules made of the pure crates import nothing: no clock, no randomness, no IO can reach them.
pub fn imports_nothing() -> Result<Tally, String> {
    let mut tally = Tally::default();
    for (package, features) in PURE {
        tally.add(Tally::of(&format!("{package} imports nothing"), check_imports(package, features)));
    }
    Ok(tally)
}

fn check_imports(package: &str, features: &str) -> Result<(), String> {
    let imports = imports(&module_of(package, features)?)?;
    if imports.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = imports.iter().map(|(module, name)| format!("{module}.{name}")).collect();
    Err(format!("the module imports {}", names.join(", ")))
}

/// Builds a library as a module of its own that keeps every function, called or not, so that nothing it would ask
/// of a host can hide. Only unoptimised code is kept whole: optimised, what nobody calls is dropped before the link.
fn module_of(package: &str, features: &str) -> Result<Vec<u8>, String> {
    let mut build = cargo(&["rustc", "--quiet", "--package", package, "--lib", "--no-default-features"]);
    build.args(["--features", features, "--target", TARGET, "--crate-type", "cdylib", "--"]);
    build.args(["-C", "opt-level=0", "-C", "link-dead-code", "-C", "link-arg=--no-gc-sections"]);
    shell::run(&mut build)?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    let path = shell::target_dir().join(TARGET).join("debug").join(file);
    std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))
}

/// The (module, name) pairs of a module's import section.
fn imports(module: &[u8]) -> Result<Vec<(String, String)>, String> {
    const IMPORT_SECTION: u8 = 2;
    let mut bytes = Bytes(module.strip_prefix(b"\0asm\x01\0\0\0").ok_or("not a WebAssembly module")?);
    while !bytes.0.is_empty() {
        let id = bytes.byte()?;
        let length = bytes.number()?;
        let mut section = Bytes(bytes.take(length)?);
        if id == IMPORT_SECTION {
            let count = section.number()?;
            return (0..count).map(|_| section.import()).collect();
        }
    }
    Ok(Vec::new())
}

/// What is left to read. WebAssembly numbers are LEB128: seven bits a byte, the lowest first.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn import(&mut self) -> Result<(String, String), String> {
        let pair = (self.text()?, self.text()?);
        self.skip_description()?;
        Ok(pair)
    }

    /// What kind of thing an import is does not matter here, only how long its description is.
    fn skip_description(&mut self) -> Result<(), String> {
        const FUNCTION: u8 = 0;
        const TABLE: u8 = 1;
        const MEMORY: u8 = 2;
        const GLOBAL: u8 = 3;
        match self.byte()? {
            FUNCTION => self.number().map(drop),
            TABLE => self.byte().and_then(|_| self.skip_limits()),
            MEMORY => self.skip_limits(),
            GLOBAL => self.take(2).map(drop),
            kind => Err(format!("an import of unknown kind {kind}")),
        }
    }

    fn skip_limits(&mut self) -> Result<(), String> {
        let has_maximum = self.byte()? & 1 == 1;
        self.number()?;
        if has_maximum {
            self.number()?;
        }
        Ok(())
    }

    fn text(&mut self) -> Result<String, String> {
        let length = self.number()?;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn number(&mut self) -> Result<usize, String> {
        let mut value = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number that is too long".into())
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("the module ends too early")?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn a_module_without_import_section_imports_nothing() {
        assert_eq!(imports(HEADER), Ok(vec![]));
        assert_eq!(imports(&[HEADER, &[1, 1, 0]].concat()), Ok(vec![]));
    }

    #[test]
    fn functions_and_memories_are_named() {
        let first = [&[3][..], b"env", &[3], b"now", &[0, 0]].concat();
        let second = [&[3][..], b"env", &[3], b"mem", &[2, 1, 1, 16]].concat();
        let third = [&[1][..], b"m", &[1], b"f", &[0, 0x80, 0x01]].concat();
        let body = [&[3][..], &first, &second, &third].concat();
        let length = u8::try_from(body.len()).unwrap();
        let module = [HEADER, &[1, 1, 0, 2, length], &body].concat();
        let pair = |m: &str, n: &str| (m.to_owned(), n.to_owned());
        assert_eq!(imports(&module), Ok(vec![pair("env", "now"), pair("env", "mem"), pair("m", "f")]));
    }

    #[test]
    fn broken_modules_are_errors() {
        assert!(imports(b"text").is_err());
        assert!(imports(&[HEADER, &[2, 9, 1]].concat()).is_err());
        assert!(imports(&[HEADER, &[0x80; 12]].concat()).is_err());
    }
}
