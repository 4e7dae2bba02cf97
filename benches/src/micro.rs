//! One run of a micro benchmark, as figures: its output is a line a figure, `name value unit`, and remarks after `#`.

use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::child::{ending, wait_at_most};
use crate::mode::Mode;
use crate::Result;

/// A figure as the program names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: String,
}

/// What a run printed.
#[derive(Debug, Default, PartialEq)]
pub struct Output {
    /// The figures, in order.
    pub figures: Vec<Figure>,
    /// What the program had to say beside them.
    pub remarks: Vec<String>,
}

/// Runs the program to its end.
pub fn run(
    mode: Mode,
    program: &Path,
    arguments: &[String],
    library: &Path,
    limit: Duration,
) -> Result<Output> {
    let mut child = mode
        .command(program, library)?
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{}: {e}", program.display()))?;
    let Some(status) = wait_at_most(&mut child, limit)? else {
        // Both fail only where the child has just ended after all.
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("hangs: no end after {limit:?}"));
    };
    // A few lines, which the pipe holds while nobody reads.
    let mut text = String::new();
    child
        .stdout
        .take()
        .expect("stdout is piped")
        .read_to_string(&mut text)
        .map_err(|e| format!("its output: {e}"))?;
    if !status.success() {
        return Err(ending(status));
    }
    parse(&text)
}

fn parse(text: &str) -> Result<Output> {
    let mut output = Output::default();
    for line in text.lines() {
        if let Some(remark) = line.strip_prefix('#') {
            output.remarks.push(remark.trim().into());
            continue;
        }
        let mut words = line.splitn(3, ' ');
        let figure = match (words.next(), words.next().map(str::parse), words.next()) {
            (Some(name), Some(Ok(value)), Some(unit)) => Figure {
                name: name.into(),
                value,
                unit: unit.into(),
            },
            _ => return Err(format!("not a figure: {line:?}")),
        };
        output.figures.push(figure);
    }
    if output.figures.is_empty() {
        return Err("it printed no figure".into());
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_remarks() {
        let output = parse("# refused\nround-trip 7612.5 ns\nalive 5 threads\n").unwrap();
        assert_eq!(output.remarks, ["refused"]);
        assert_eq!(output.figures.len(), 2);
        assert_eq!(
            output.figures[0],
            Figure {
                name: "round-trip".into(),
                value: 7612.5,
                unit: "ns".into()
            }
        );
    }

    #[test]
    fn anything_else_is_an_error() {
        assert!(parse("").is_err());
        assert!(parse("# only a remark\n").is_err());
        assert!(parse("round-trip ns\n").is_err());
        assert!(parse("hello\n").is_err());
    }

    fn shell(script: &str, limit: Duration) -> Result<Output> {
        let nowhere = Path::new("/nowhere");
        let arguments = ["-c".to_string(), script.to_string()];
        run(
            Mode::Native,
            Path::new("/bin/sh"),
            &arguments,
            nowhere,
            limit,
        )
    }

    #[test]
    fn a_program_that_fails_or_hangs_is_an_error() {
        let patient = Duration::from_secs(20);
        assert_eq!(shell("echo a 1 ns", patient).unwrap().figures[0].value, 1.0);
        let error = shell("echo a 1 ns; exit 4", patient).unwrap_err();
        assert_eq!(error, "ended with status 4");
        let error = shell("exec sleep 60", Duration::from_millis(50)).unwrap_err();
        assert!(error.starts_with("hangs"), "{error}");
    }
}
