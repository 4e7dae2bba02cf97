//! What a test is: one source file in a family's folder and the comment lines at its top.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use crate::run::{Mode, Outcome};

/// Folders beside the families that hold no behaviour tests.
const NOT_FAMILIES: [&str; 4] = ["include", "programs", "real", "runner"];

/// Which runs a test is meant for.
#[derive(Clone, Copy, PartialEq)]
enum Only {
    Both,
    Native,
    Preloaded,
}

/// One test program, its directives, and what has been found out about it in this run.
pub struct Program {
    /// Family and file name, `futex/wait_wake`.
    pub name: String,
    /// The source file.
    pub source: PathBuf,
    /// `// env: NAME=VALUE`, set for every run.
    pub env: Vec<(String, String)>,
    /// `// libs: -ldl`, appended to the link line.
    pub libs: Vec<String>,
    /// `// link: lib/x.c`: shared objects built from the family's folder and linked.
    pub link: Vec<PathBuf>,
    /// `// dlopen: lib/x.c`: shared objects built, for the program to load by name.
    pub dlopen: Vec<PathBuf>,
    /// `// expect-exit: N` as a shell shows it: 128 + N for signal N.
    pub expect_exit: i32,
    /// `// timeout: SECONDS`: a run that takes longer hangs.
    pub timeout: Duration,
    only: Only,
    /// The executable, once built.
    pub executable: OnceLock<Result<PathBuf, String>>,
    /// The native run that preloaded runs are compared with.
    pub oracle: OnceLock<Result<Outcome, String>>,
}

impl Program {
    /// Is this mode one the test is meant for?
    pub fn runs(&self, mode: Mode) -> bool {
        match self.only {
            Only::Both => true,
            Only::Native => mode == Mode::Native,
            Only::Preloaded => mode != Mode::Native,
        }
    }

    /// Reads the directives: `// key: value` lines before the first line that is no comment.
    fn read(name: String, source: PathBuf) -> Result<Program, String> {
        let text = std::fs::read_to_string(&source).map_err(|error| error.to_string())?;
        let folder = source.parent().ok_or("a source has a folder")?.to_owned();
        let mut program = Program {
            name,
            source,
            env: Vec::new(),
            libs: Vec::new(),
            link: Vec::new(),
            dlopen: Vec::new(),
            expect_exit: 0,
            timeout: Duration::from_secs(30),
            only: Only::Both,
            executable: OnceLock::new(),
            oracle: OnceLock::new(),
        };
        for line in text.lines().map_while(|line| line.strip_prefix("//")) {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match key.trim() {
                "env" => {
                    let (name, value) = value.split_once('=').ok_or("env wants NAME=VALUE")?;
                    program.env.push((name.to_owned(), value.to_owned()));
                }
                "libs" => program
                    .libs
                    .extend(value.split_whitespace().map(str::to_owned)),
                "link" => program.link.push(folder.join(value)),
                "dlopen" => program.dlopen.push(folder.join(value)),
                "expect-exit" => {
                    program.expect_exit =
                        value.parse().map_err(|_| "expect-exit wants a number")?;
                }
                "timeout" => {
                    let seconds = value.parse().map_err(|_| "timeout wants seconds")?;
                    program.timeout = Duration::from_secs(seconds);
                }
                "only" => {
                    program.only = match value {
                        "native" => Only::Native,
                        "preloaded" => Only::Preloaded,
                        _ => return Err(format!("only wants native or preloaded, not {value}")),
                    }
                }
                // Prose may hold a colon.
                _ => {}
            }
        }
        Ok(program)
    }

    /// The latest change to anything the executable is made from.
    pub fn changed(&self, headers: &[PathBuf]) -> Option<SystemTime> {
        std::iter::once(&self.source)
            .chain(&self.link)
            .chain(&self.dlopen)
            .chain(headers)
            .map(|file| {
                std::fs::metadata(file)
                    .and_then(|data| data.modified())
                    .ok()
            })
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .max()
    }
}

/// All tests under the package's folder, in order of name.
pub fn discover(root: &Path) -> Vec<Program> {
    let mut programs = Vec::new();
    for family in entries(root).filter(|path| path.is_dir()) {
        let family_name = stem(&family);
        if NOT_FAMILIES.contains(&family_name.as_str()) {
            continue;
        }
        for source in entries(&family).filter(|path| is_source(path)) {
            let name = format!("{family_name}/{}", stem(&source));
            let shown = source.display().to_string();
            let program = Program::read(name, source)
                .unwrap_or_else(|error| panic!("{shown}: a bad directive: {error}"));
            programs.push(program);
        }
    }
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    programs
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .flatten()
        .map(|entry| entry.path())
}

fn is_source(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end == "c" || end == "cc")
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
