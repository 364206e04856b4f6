//! Writes the JavaScript glue beside a built module, and the module in the order that compresses best, compressed:
//! `wci-wasm-bindgen MODULE FOLDER NAME`.

#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]

mod order;

use std::num::NonZeroU64;
use std::path::Path;
use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

/// How often the compressor looks for something smaller; the first times gain nearly all.
const TRIES: NonZeroU64 = NonZeroU64::new(3).expect("not zero");

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [module, folder, name] = &args[..] else {
        eprintln!("usage: wci-wasm-bindgen MODULE FOLDER NAME");
        return ExitCode::from(2);
    };
    match bind(module, folder, name).and_then(|()| pack(&Path::new(folder).join(format!("{name}_bg.wasm")))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{module}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bind(module: &str, folder: &str, name: &str) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    // The names are what the functions are ordered by.
    bindgen.input_path(module).out_name(name).typescript(false).remove_producers_section(true);
    let web = bindgen.web(true);
    web.and_then(|bindgen| bindgen.generate(folder)).map_err(|error| format!("{error:#}"))?;
    without_comments(&Path::new(folder).join(format!("{name}.js")))
}

/// The comments of the class stand in the source; every page would download them.
fn without_comments(file: &Path) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", file.display());
    let glue = std::fs::read_to_string(file).map_err(wrong)?;
    let mut is_comment = false;
    let mut code = String::new();
    for line in glue.lines() {
        is_comment |= line.trim_start().starts_with("/**");
        if !is_comment {
            code.push_str(line);
            code.push('\n');
        }
        is_comment &= !line.trim_end().ends_with("*/");
    }
    std::fs::write(file, code).map_err(wrong)
}

/// Servers of plain files do not compress; a page can unpack by itself.
fn pack(file: &Path) -> Result<(), String> {
    let wrong = |error: String| format!("{}: {error}", file.display());
    let module = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let ordered = order::reordered(&module).map_err(|error| wrong(error.to_string()))?;
    let packed = std::fs::File::create(format!("{}.gz", file.display()));
    let packed = packed.map_err(|error| wrong(error.to_string()))?;
    let options = zopfli::Options { iteration_count: TRIES, ..zopfli::Options::default() };
    let written = zopfli::compress(options, zopfli::Format::Gzip, &ordered[..], packed);
    written.and_then(|()| std::fs::remove_file(file)).map_err(|error| wrong(error.to_string()))
}
