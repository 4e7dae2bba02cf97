//! All benchmarks, each natively and under libcoop, interleaved: in every round each mode runs once.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use coop_benches::echo::{self, Pressure};
use coop_benches::mode::{self, Mode};
use coop_benches::results::{Bound, Expectation, Results};
use coop_benches::text::number;
use coop_benches::{build, micro, Result};
use serde_json::{json, Value};

/// Benchmarks: native, native on one CPU, and under libcoop with one hub and with its default, interleaved.
#[derive(Parser)]
struct Options {
    /// Only benchmarks whose name contains one of these words
    names: Vec<String>,
    /// List the benchmarks and end
    #[arg(long)]
    list: bool,
    /// How often each benchmark is run in each mode
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also hold 1,000,000 blocked threads at once under libcoop (about 10 GiB of memory)
    #[arg(long)]
    million: bool,
    /// Blocked threads under libcoop
    #[arg(long, default_value_t = 100_000)]
    threads: u64,
    /// Ask natively for as many blocked threads, until the kernel refuses: for that second no other program on the
    /// machine may be able to start one
    #[arg(long)]
    to_the_limit: bool,
}

/// What a benchmark runs.
enum Job {
    /// A program of `benches/c`.
    Micro(&'static str),
    /// The program of blocked threads, which is told how many.
    Blocked(Crowd),
    /// The echo servers with so many connections that are busy and so many that are idle.
    Echo(usize, usize),
}

/// How many threads to block.
#[derive(Clone, Copy)]
enum Crowd {
    /// As many as the options say, and natively no more than the kernel can give.
    Usual,
    /// A million, which only libcoop can.
    Million,
}

struct Benchmark {
    name: &'static str,
    about: &'static str,
    job: Job,
    expected: &'static [Expectation],
}

const fn expect(metric: &'static str, bound: Bound) -> Expectation {
    Expectation { metric, bound }
}

const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "cond-ping-pong",
        about: "two threads, one mutex, one condition variable",
        job: Job::Micro("cond_ping_pong"),
        expected: &[expect("round-trip", Bound::Gain(12.0, Mode::NativeOneCpu))],
    },
    Benchmark {
        name: "sem-ping-pong",
        about: "two threads, two semaphores",
        job: Job::Micro("sem_ping_pong"),
        expected: &[expect("round-trip", Bound::Gain(12.0, Mode::NativeOneCpu))],
    },
    Benchmark {
        name: "token-ring",
        about: "a token round 1,000 threads",
        job: Job::Micro("token_ring"),
        expected: &[],
    },
    Benchmark {
        name: "create-join",
        about: "a thread created and joined, over and over",
        job: Job::Micro("create_join"),
        expected: &[expect("create+join", Bound::Gain(10.0, Mode::NativeOneCpu))],
    },
    Benchmark {
        name: "mutex-contended",
        about: "eight threads want one mutex",
        job: Job::Micro("mutex_contended"),
        expected: &[
            expect("short", Bound::Gain(1.0, Mode::Native)),
            expect("held", Bound::Gain(1.0, Mode::Native)),
        ],
    },
    Benchmark {
        name: "sleepers",
        about: "5,000 threads that sleep 20 to 60 ms, again and again",
        job: Job::Micro("sleepers"),
        expected: &[],
    },
    Benchmark {
        name: "fork-exec",
        about: "a program started and waited for, by fork and by posix_spawn, with 1,000 threads alive",
        job: Job::Micro("fork_exec"),
        expected: &[
            expect("fork+exec+wait", Bound::Gain(0.9, Mode::Native)),
            expect("spawn+wait", Bound::Gain(0.9, Mode::Native)),
        ],
    },
    Benchmark {
        name: "plain-call",
        about: "a system call that never blocks: what the crossing costs where it gains nothing",
        job: Job::Micro("plain_call"),
        expected: &[],
    },
    Benchmark {
        name: "cached-read",
        about: "4 KiB of a file that the page cache has",
        job: Job::Micro("cached_read"),
        expected: &[
            expect("pread", Bound::Gain(0.83, Mode::Native)),
            expect("read", Bound::Gain(0.83, Mode::Native)),
        ],
    },
    Benchmark {
        name: "pipe-ping-pong",
        about: "two threads, two pipes, one byte to and fro",
        job: Job::Micro("pipe_ping_pong"),
        expected: &[expect("round-trip", Bound::Gain(1.0, Mode::NativeOneCpu))],
    },
    Benchmark {
        name: "blocked-threads",
        about: "many threads alive and blocked at once; memory is for each of them",
        job: Job::Blocked(Crowd::Usual),
        expected: &[
            expect("alive", Bound::AtLeast(100_000.0)),
            expect("resident", Bound::AtMost(10.0)),
        ],
    },
    Benchmark {
        name: "million-threads",
        about: "1,000,000 threads alive and blocked at once",
        job: Job::Blocked(Crowd::Million),
        expected: &[
            expect("alive", Bound::AtLeast(1_000_000.0)),
            expect("resident", Bound::AtMost(10.0)),
        ],
    },
    Benchmark {
        name: "echo-64",
        about: "an echo server with a thread a connection, 64 connections",
        job: Job::Echo(64, 0),
        expected: &[],
    },
    Benchmark {
        name: "echo-1000",
        about: "an echo server with a thread a connection, 1,000 connections",
        job: Job::Echo(1000, 0),
        expected: &[
            expect("cpu", Bound::ShareAtMost(0.65, Mode::Native)),
            expect("rate", Bound::ShareAtLeast(0.85, Mode::Epoll)),
        ],
    },
    Benchmark {
        name: "echo-10000",
        about: "an echo server with a thread a connection, 10,000 connections",
        job: Job::Echo(10_000, 0),
        expected: &[expect("served", Bound::AtLeast(10_000.0))],
    },
    Benchmark {
        name: "echo-idle",
        about: "an echo server with a thread a connection, 10,000 connections that are idle and 100 that are busy",
        job: Job::Echo(100, 10_000),
        expected: &[expect("rate", Bound::Gain(1.0, Mode::Native))],
    },
    Benchmark {
        name: "udp-echo",
        about: "datagrams to and fro on the loopback, one pair of threads and 50",
        job: Job::Micro("udp_echo"),
        expected: &[expect("50-pairs", Bound::Gain(1.0, Mode::NativeOneCpu))],
    },
    Benchmark {
        name: "unix-echo",
        about: "64 bytes to and fro on a Unix socket, one pair of threads and 50",
        job: Job::Micro("unix_echo"),
        expected: &[expect("50-pairs", Bound::Gain(1.0, Mode::NativeOneCpu))],
    },
];

/// How long a micro benchmark may take before it counts as hung; a million threads take a third of it.
const MICRO_LIMIT: Duration = Duration::from_secs(100);

/// What a million threads take, with a margin, in KiB.
const MILLION_MEMORY: u64 = 11 * 1024 * 1024;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("coop-bench: some runs failed");
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("coop-bench: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what the options ask for. Whether every run ended well; how fast it was is never a failure.
fn run(options: &Options) -> Result<bool> {
    let chosen: Vec<&Benchmark> = BENCHMARKS.iter().filter(|b| wanted(b, options)).collect();
    if options.list {
        for benchmark in &chosen {
            println!("{:<16} {}", benchmark.name, benchmark.about);
        }
        return Ok(true);
    }
    if chosen.is_empty() {
        return Err("no benchmark has such a name (see --list)".into());
    }
    let library = mode::library()?;
    mode::raise_file_limit()?;
    let machine = machine();
    println!("{machine}");
    if let Some(share) = busy().filter(|&share| share > 0.1) {
        println!(
            "Others take {:.0}% of the machine: expect spread.",
            share * 100.0
        );
    }
    println!("Medians of several rounds. A gain over another mode of 2× is twice as good; below 1 is worse.");

    let mut sound = true;
    let mut reports = Vec::new();
    for benchmark in chosen {
        let started = Instant::now();
        let results = measure(benchmark, options, &library)?;
        sound &= results.failures.is_empty();
        print(benchmark, &results, started.elapsed());
        reports.push(report(benchmark, &results));
    }
    if let Some(path) = &options.json {
        let all = json!({ "machine": machine, "rounds": options.rounds, "benchmarks": reports });
        std::fs::write(path, format!("{all:#}\n"))
            .map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(sound)
}

fn wanted(benchmark: &Benchmark, options: &Options) -> bool {
    let named = options.names.iter().any(|n| benchmark.name.contains(&**n));
    match benchmark.job {
        Job::Blocked(Crowd::Million) => options.million && (named || options.names.is_empty()),
        _ => named || options.names.is_empty(),
    }
}

/// All rounds of one benchmark.
fn measure(benchmark: &Benchmark, options: &Options, library: &Path) -> Result<Results> {
    let mut results = Results::default();
    let (modes, rounds): (&[Mode], u32) = match benchmark.job {
        Job::Micro(_) | Job::Blocked(Crowd::Usual) => (&Mode::USUAL, options.rounds),
        Job::Blocked(Crowd::Million) => (&[Mode::Coop], 1),
        Job::Echo(..) => (&Mode::ECHO, options.rounds),
    };
    println!("\n{}: {}", benchmark.name, benchmark.about);
    let (program, by_hand) = compile(&benchmark.job)?;
    for round in 1..=rounds {
        for &mode in modes {
            // One failure tells enough about a mode.
            if results.failures.iter().any(|(failed, _)| *failed == mode) {
                continue;
            }
            progress(&format!("round {round} of {rounds}, {}", mode.label()));
            let program = if mode == Mode::Epoll {
                &by_hand
            } else {
                &program
            };
            let ended = match benchmark.job {
                Job::Micro(_) => micro_once(mode, program, &[], library, &mut results),
                Job::Blocked(crowd) => {
                    blocked_once(mode, program, crowd, options, library, &mut results)
                }
                Job::Echo(connections, idle) => {
                    echo_once(mode, program, connections, idle, library, &mut results)
                }
            };
            if let Err(e) = ended {
                results.failures.push((mode, format!("round {round}: {e}")));
            }
        }
    }
    progress("");
    Ok(results)
}

/// The program of a job, and what to run in its place to see how it is done by hand.
fn compile(job: &Job) -> Result<(PathBuf, PathBuf)> {
    let same = |program: PathBuf| (program.clone(), program);
    match job {
        Job::Micro(name) => build::micro(name).map(same),
        Job::Blocked(_) => build::micro("blocked_threads").map(same),
        Job::Echo(..) => Ok((
            build::program("echo_server")?,
            build::program("echo_epoll")?,
        )),
    }
}

fn micro_once(
    mode: Mode,
    program: &Path,
    arguments: &[String],
    library: &Path,
    results: &mut Results,
) -> Result<()> {
    let output = micro::run(mode, program, arguments, library, MICRO_LIMIT)?;
    for figure in output.figures {
        results.add(mode, &figure.name, &figure.unit, figure.value);
    }
    for remark in output.remarks {
        results.remark(mode, &remark);
    }
    Ok(())
}

fn blocked_once(
    mode: Mode,
    program: &Path,
    crowd: Crowd,
    options: &Options,
    library: &Path,
    results: &mut Results,
) -> Result<()> {
    let wanted = match crowd {
        Crowd::Usual => options.threads,
        Crowd::Million => 1_000_000,
    };
    if matches!(crowd, Crowd::Million) && available_memory()? < MILLION_MEMORY {
        return Err("the machine has less than 11 GiB of memory to spare".into());
    }
    let asked = if mode.is_coop() || options.to_the_limit {
        wanted
    } else {
        wanted.min(polite_threads()?)
    };
    if asked < wanted {
        results.remark(
            mode,
            &format!(
                "asked for {asked} only, near the kernel's limit (--to-the-limit asks for {wanted})"
            ),
        );
    }
    micro_once(mode, program, &[asked.to_string()], library, results)
}

fn echo_once(
    mode: Mode,
    program: &Path,
    connections: usize,
    idle: usize,
    library: &Path,
    results: &mut Results,
) -> Result<()> {
    let pressure = Pressure {
        connections,
        idle,
        warm_up: Duration::from_millis(400),
        measured: Duration::from_millis(1500),
    };
    let figures = echo::run(mode, program, library, pressure)?;
    let mut add = |name, unit, value| results.add(mode, name, unit, value);
    add("rate", "requests/s", figures.rate);
    add("cpu", "s per million requests", figures.cpu);
    add("p50", "us", figures.p50 / 1e3);
    add("p99", "us", figures.p99 / 1e3);
    add("max", "us", figures.max / 1e3);
    add("os-threads", "OS threads", figures.threads);
    add("resident", "MiB", figures.resident / 1024.0 / 1024.0);
    add("served", "connections", figures.served);
    Ok(())
}

/// How many threads a process can take here and leave enough numbers for everybody else to go on.
fn polite_threads() -> Result<u64> {
    const LEFT_TO_OTHERS: u64 = 2000;
    Ok(proc_number("/proc/sys/kernel/pid_max", "")?.saturating_sub(LEFT_TO_OTHERS))
}

/// Memory that could be had without swapping, in KiB.
fn available_memory() -> Result<u64> {
    proc_number("/proc/meminfo", "MemAvailable:")
}

/// The number behind `key` in a file of /proc.
fn proc_number(path: &str, key: &str) -> Result<u64> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    text.lines()
        .find_map(|line| line.strip_prefix(key))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| format!("no number {key} in {path}"))
}

fn print(benchmark: &Benchmark, results: &Results, took: Duration) {
    print!("{}", results.table());
    for expectation in benchmark.expected {
        let verdicts: Vec<String> = expectation
            .verdicts(results)
            .iter()
            .map(|v| {
                let met = if v.met { "met" } else { "NOT MET" };
                format!("{} {} {met}", v.mode.label(), number(v.value))
            })
            .collect();
        let verdicts = match verdicts.len() {
            0 => "not measured".into(),
            _ => verdicts.join("; "),
        };
        println!("  expected: {}: {verdicts}", expectation.text());
    }
    for (mode, remark) in &results.remarks {
        println!("  {}: {remark}", mode.label());
    }
    for (mode, failure) in &results.failures {
        println!("  FAILED: {}: {failure}", mode.label());
    }
    println!("  ({:.0} s)", took.as_secs_f64());
}

fn report(benchmark: &Benchmark, results: &Results) -> Value {
    let expected = benchmark.expected.iter().flat_map(|expectation| {
        let verdicts = expectation.verdicts(results).into_iter();
        verdicts.map(|v| {
            json!({
                "expected": expectation.text(),
                "mode": v.mode.key(),
                "value": v.value,
                "met": v.met,
            })
        })
    });
    let mut report = results.json();
    report["name"] = json!(benchmark.name);
    report["expectations"] = expected.collect();
    report
}

/// What the figures were taken on.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown CPU", |(_, model)| model);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{} × {model}, Linux {}", mode::cpus(), kernel.trim())
}

/// The share of the machine's CPU time that others take, seen for a moment.
fn busy() -> Option<f64> {
    let look = || -> Option<(f64, f64)> {
        let text = std::fs::read_to_string("/proc/stat").ok()?;
        // user, nice, system, idle, iowait, …
        let ticks = text.lines().next()?.split_whitespace().skip(1);
        let ticks: Vec<f64> = ticks.filter_map(|t| t.parse().ok()).collect();
        Some((ticks.get(3)? + ticks.get(4)?, ticks.iter().sum()))
    };
    let (idle, all) = look()?;
    std::thread::sleep(Duration::from_millis(300));
    let (idle_later, all_later) = look()?;
    Some(1.0 - (idle_later - idle) / (all_later - all).max(1.0))
}

/// Shows on a terminal what is running, on a line that the next such line replaces.
fn progress(text: &str) {
    use std::io::IsTerminal;
    let mut out = std::io::stdout();
    if out.is_terminal() {
        // Progress that cannot be shown is not worth stopping for.
        let _ = write!(
            out,
            "\r\x1b[K{}{text}",
            if text.is_empty() { "" } else { "  " }
        );
        let _ = out.flush();
    }
}
