//! The main job: an ordinary thread-per-connection echo server under 1,000 connections, natively and under libcoop,
//! side by side.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use coop_benches::echo::{self, Figures, Pressure, MESSAGE};
use coop_benches::mode::{self, Mode};
use coop_benches::series::Series;
use coop_benches::text::{count, gain, nanoseconds, number, Table};
use coop_benches::{build, Result};

/// Runs an ordinary thread-per-connection echo server natively and under libcoop, and shows both side by side.
#[derive(Parser)]
struct Options {
    /// Concurrent connections
    #[arg(long, default_value_t = 1000)]
    connections: u32,
    /// How often each of the two is run, in turn
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds that each run is measured
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

/// The two columns.
const SIDES: [Mode; 2] = [Mode::Native, Mode::Coop];

/// A row of the table: a figure, how it reads, and whether more of it is better.
struct Row {
    name: &'static str,
    figure: fn(&Figures) -> f64,
    text: fn(f64) -> String,
    more_is_better: bool,
}

const ROWS: [Row; 6] = [
    Row {
        name: "requests per second",
        figure: |f| f.rate,
        text: number,
        more_is_better: true,
    },
    Row {
        name: "latency, median",
        figure: |f| f.p50,
        text: nanoseconds,
        more_is_better: false,
    },
    Row {
        name: "latency, 99th percentile",
        figure: |f| f.p99,
        text: nanoseconds,
        more_is_better: false,
    },
    Row {
        name: "OS threads",
        figure: |f| f.threads,
        text: count,
        more_is_better: false,
    },
    Row {
        name: "resident memory",
        figure: |f| f.resident,
        text: |v| format!("{} MiB", number(v / 1024.0 / 1024.0)),
        more_is_better: false,
    },
    Row {
        name: "CPU seconds per million requests",
        figure: |f| f.cpu,
        text: number,
        more_is_better: false,
    },
];

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("coop-run-echo: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let measured = Duration::try_from_secs_f64(options.seconds)
        .map_err(|e| format!("--seconds {}: {e}", options.seconds))?;
    let pressure = Pressure {
        idle: 0,
        connections: options.connections as usize,
        warm_up: Duration::from_millis(500),
        measured,
    };
    let library = mode::library()?;
    mode::raise_file_limit()?;
    let program = build::program("echo_server")?;

    println!("An echo server with a thread a connection, as it is and under libcoop:");
    println!(
        "{} connections, {MESSAGE}-byte messages, {} of {} s each, in turn.\n",
        count(f64::from(options.connections)),
        rounds(options.rounds),
        options.seconds
    );

    let mut sides: [Vec<Figures>; 2] = Default::default();
    for round in 1..=options.rounds {
        print!("  round {round}");
        for (side, mode) in sides.iter_mut().zip(SIDES) {
            flush();
            let figures = echo::run(mode, &program, &library, pressure).map_err(|e| {
                println!();
                format!("round {round}, {}: {e}", mode.label())
            })?;
            print!("   {} {:>8} requests/s", mode.label(), number(figures.rate));
            side.push(figures);
        }
        println!();
    }
    print!("\n{}", table(&sides));
    println!(
        "\n  Medians of {}. Gain: how many times better than native; below 1 is worse.",
        rounds(options.rounds)
    );
    Ok(())
}

fn table(sides: &[Vec<Figures>; 2]) -> Table {
    let mut table = Table::default();
    table.row(["", SIDES[0].label(), SIDES[1].label(), "gain"]);
    for row in &ROWS {
        let median = |side: &Vec<Figures>| side.iter().map(row.figure).collect::<Series>().median();
        let [native, coop] = [median(&sides[0]), median(&sides[1])];
        let better = if row.more_is_better {
            coop / native
        } else {
            native / coop
        };
        table.row([
            row.name.to_string(),
            (row.text)(native),
            (row.text)(coop),
            gain(better),
        ]);
    }
    table
}

fn rounds(n: u32) -> String {
    if n == 1 {
        "1 round".into()
    } else {
        format!("{n} rounds")
    }
}

/// Shows what has been printed of a line so far.
fn flush() {
    // Progress that cannot be shown is not worth stopping for.
    let _ = std::io::stdout().flush();
}
