//! Compiles a test when its source, a header or a helper library is newer than the executable.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::Program;

const WARNINGS: [&str; 2] = ["-Wall", "-Wextra"];

/// The executable of a test under `folder`, built once a run and only when it is out of date.
pub fn executable(program: &Program, folder: &Path) -> Result<PathBuf, String> {
    program
        .executable
        .get_or_init(|| bring_up_to_date(program, &folder.join(&program.name)))
        .clone()
}

fn bring_up_to_date(program: &Program, folder: &Path) -> Result<PathBuf, String> {
    let executable = folder.join("test");
    let built = std::fs::metadata(&executable)
        .and_then(|data| data.modified())
        .ok();
    let changed = program.changed(&headers(program));
    if built.is_some() && changed.is_some() && built > changed {
        return Ok(executable);
    }
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;

    let mut linked = Vec::new();
    for source in program.link.iter().chain(&program.dlopen) {
        let object = folder.join(source.with_extension("so").file_name().unwrap_or_default());
        let mut command = compiler(source);
        command
            .args(["-shared", "-fPIC", "-o"])
            .arg(&object)
            .arg(source);
        succeed(command)?;
        if program.link.contains(source) {
            linked.push(object);
        }
    }

    // Made beside its final name, so that an interrupted build never looks finished.
    let fresh = folder.join("test.new");
    let mut command = compiler(&program.source);
    command
        .arg("-o")
        .arg(&fresh)
        .arg(&program.source)
        .args(linked)
        .arg("-Wl,-rpath,$ORIGIN")
        .args(&program.libs);
    succeed(command)?;
    std::fs::rename(&fresh, &executable).map_err(|error| error.to_string())?;
    Ok(executable)
}

/// The compiler for a source's language, with the options all tests share.
fn compiler(source: &Path) -> Command {
    let cxx = source.extension().is_some_and(|end| end == "cc");
    let (name, default, standard) = match cxx {
        true => ("CXX", "c++", "-std=gnu++17"),
        false => ("CC", "cc", "-std=gnu11"),
    };
    let mut command = Command::new(std::env::var_os(name).unwrap_or_else(|| default.into()));
    command
        .args([standard, "-O2", "-g", "-pthread"])
        .args(WARNINGS)
        .arg("-I")
        .arg(include());
    command
}

fn succeed(mut command: Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot run {:?}: {error}", command.get_program()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{command:?} failed:\n{said}"));
    }
    if !said.is_empty() {
        eprint!("{said}");
    }
    Ok(())
}

fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

/// Headers a test may include: the shared one and those of its family.
fn headers(program: &Program) -> Vec<PathBuf> {
    [Some(include().as_path()), program.source.parent()]
        .into_iter()
        .flatten()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "h"))
        .collect()
}
