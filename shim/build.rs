//! Links the unwinder's static form. `libgcc_s.so.1` would be one more library for ld.so to load into every program that the variable reaches, which
//! is half of what loading costs; and a program that has none would have one.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    // rustc asks for `gcc_s`, which this is found as first.
    let Some(archive) = archive(&compiler) else {
        println!(
            "cargo::warning={compiler} has no libgcc_eh.a: libcoop.so will need libgcc_s.so.1"
        );
        return;
    };
    let directory = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let link = directory.join("libgcc_s.a");
    let _ = std::fs::remove_file(&link);
    symlink(archive, link).expect("the output directory can be written");
    println!("cargo::rustc-link-search=native={}", directory.display());
}

/// Where the compiler has it.
fn archive(compiler: &str) -> Option<PathBuf> {
    let found = Command::new(compiler)
        .arg("-print-file-name=libgcc_eh.a")
        .output()
        .ok()?;
    let path = String::from_utf8(found.stdout).ok()?;
    Some(Path::new(path.trim()).to_path_buf()).filter(|path| path.is_absolute())
}
