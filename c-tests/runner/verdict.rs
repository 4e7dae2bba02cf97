//! Judges a trial: the native run by its own exit status, a preloaded run by the native one.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::build;
use crate::program::Program;
use crate::run::{self, Mode, Outcome};

/// A test's way to say that it cannot show its behaviour here.
const SKIPPED: i32 = 77;

/// What all trials share.
pub struct Suite {
    /// libcoop.so
    pub library: PathBuf,
    /// Where executables go.
    pub build: PathBuf,
    /// Runs a trial.
    pub repeat: usize,
    /// Trials skipped so far.
    pub skips: AtomicUsize,
}

impl Suite {
    /// `Ok` when every repetition showed the behaviour (or the program skipped itself).
    pub fn judge(&self, program: &Program, mode: Mode) -> Result<(), String> {
        if mode != Mode::Native && !self.library.is_file() {
            let library = self.library.display();
            return Err(format!(
                "no library at {library}: build it, or set COOP_LIB"
            ));
        }
        for round in 1..=self.repeat {
            let seen = self.run(program, mode)?;
            let expected = self.expected(program)?;
            if seen.status == Some(SKIPPED) && expected.status == Some(SKIPPED) {
                println!(
                    "SKIPPED {}::{}: {}",
                    program.name,
                    mode.name(),
                    seen.stderr.trim()
                );
                self.skips.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            let complaints = compare(&seen, &expected, program);
            if !complaints.is_empty() {
                let (stdout, stderr) = (&seen.stdout, &seen.stderr);
                return Err(format!(
                    "run {round} of {}: {complaints}\n--- stdout\n{stdout}--- stderr\n{stderr}---",
                    self.repeat
                ));
            }
        }
        Ok(())
    }

    fn run(&self, program: &Program, mode: Mode) -> Result<Outcome, String> {
        let executable = build::executable(program, &self.build)?;
        run::run(program, &executable, mode, &self.library)
    }

    /// What a run has to look like: as the native one; where there is none, silent.
    fn expected(&self, program: &Program) -> Result<Outcome, String> {
        if !program.runs(Mode::Native) {
            return Ok(Outcome {
                status: Some(program.expect_exit),
                stdout: String::new(),
                stderr: String::new(),
            });
        }
        program
            .oracle
            .get_or_init(|| self.run(program, Mode::Native))
            .clone()
    }
}

/// Everything that is wrong with a run, in one line; empty when nothing is.
fn compare(seen: &Outcome, expected: &Outcome, program: &Program) -> String {
    let mut complaints = Vec::new();
    match seen.status {
        None => complaints.push(format!(
            "hangs: killed after {} s",
            program.timeout.as_secs()
        )),
        Some(status) if status != program.expect_exit => {
            let wanted = program.expect_exit;
            complaints.push(format!("exit status {status} instead of {wanted}"));
        }
        Some(_) if seen.status != expected.status => {
            complaints.push("the native run ended differently".to_owned());
        }
        Some(_) => {}
    }
    if seen.stdout != expected.stdout {
        complaints.push(format!("stdout differs from {:?}", expected.stdout));
    }
    if !seen.stderr.is_empty() && seen.status == Some(program.expect_exit) {
        complaints.push("stderr is not empty".to_owned());
    }
    complaints.join("; ")
}
