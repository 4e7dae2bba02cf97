//! The C programs: plain sources, compiled when a benchmark needs them, as a user would compile them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Result;

/// An ordinary program, such as a server.
pub fn program(name: &str) -> Result<PathBuf> {
    compile(&sources().join("../c-tests/programs"), name)
}

/// A micro benchmark.
pub fn micro(name: &str) -> Result<PathBuf> {
    compile(&sources().join("c"), name)
}

fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compiles `name`.c into the directory `programs` beside this executable.
fn compile(directory: &Path, name: &str) -> Result<PathBuf> {
    let to = std::env::current_exe()
        .map_err(|e| format!("where am I? {e}"))?
        .with_file_name("programs");
    std::fs::create_dir_all(&to).map_err(|e| format!("{}: {e}", to.display()))?;
    let source = directory.join(name).with_extension("c");
    // Compiled aside and renamed: two runs at once, or two tests, never see half a program, nor a busy one.
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let fresh = to.join(format!("{name}.{}.{number}", std::process::id()));
    let cc = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let out = Command::new(&cc)
        .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-pthread", "-o"])
        .arg(&fresh)
        .arg(&source)
        .output()
        .map_err(|e| format!("{cc}: {e}"))?;
    if !out.status.success() {
        return Err(format!(
            "{cc} cannot compile {}:\n{}",
            source.display(),
            String::from_utf8_lossy(&out.stderr)
        ));
    }
    let program = to.join(name);
    std::fs::rename(&fresh, &program).map_err(|e| format!("{}: {e}", program.display()))?;
    Ok(program)
}
