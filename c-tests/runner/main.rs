//! Runs the behaviour tests: every program natively, which is the oracle, and then preloaded through
//! both doors on one and on two hubs, each as a trial of its own (`futex/wait_wake::trap-2`).
//!
//! `COOP_LIB` names the library (default `release/libcoop.so` in the target directory) and
//! `COOP_TEST_REPEAT=N` runs every trial N times. Trials a program skipped at run time (exit 77) pass
//! for libtest; they are named on stdout and counted in `test-skips.txt` in the target directory.

mod build;
mod program;
mod run;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use program::Program;
use run::Mode;
use verdict::Suite;

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    args.test_threads.get_or_insert(2);

    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("the target directory holds its tmp directory");
    let suite = Arc::new(Suite {
        library: std::env::var_os("COOP_LIB")
            .map_or_else(|| target.join("release/libcoop.so"), PathBuf::from),
        build: target.join("behaviour"),
        repeat: repeat(),
        skips: 0.into(),
    });

    let mut trials = Vec::new();
    for program in program::discover(Path::new(env!("CARGO_MANIFEST_DIR"))) {
        let program = Arc::new(program);
        for mode in Mode::ALL.into_iter().filter(|mode| program.runs(*mode)) {
            trials.push(trial(&suite, &program, mode));
        }
    }

    let listing = args.list;
    let conclusion = libtest_mimic::run(&args, trials);
    if !listing {
        let skips = suite.skips.load(std::sync::atomic::Ordering::Relaxed);
        let file = target.join("test-skips.txt");
        if let Err(error) = std::fs::write(&file, format!("{skips}\n")) {
            eprintln!("cannot write {}: {error}", file.display());
            return ExitCode::FAILURE;
        }
    }
    conclusion.exit_code()
}

/// How often each trial runs: `COOP_TEST_REPEAT`, or once.
fn repeat() -> usize {
    match std::env::var("COOP_TEST_REPEAT") {
        Ok(value) => value
            .parse()
            .expect("COOP_TEST_REPEAT is a number of repetitions"),
        Err(_) => 1,
    }
}

fn trial(suite: &Arc<Suite>, program: &Arc<Program>, mode: Mode) -> Trial {
    let (suite, program) = (Arc::clone(suite), Arc::clone(program));
    let name = format!("{}::{}", program.name, mode.name());
    Trial::test(name, move || {
        suite
            .judge(&program, mode)
            .map_err(libtest_mimic::Failed::from)
    })
}
