//! The echo servers, and what the load generator and the main job say when one of them fails.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use coop_benches::child::wait_at_most;
use coop_benches::echo::{self, Pressure};
use coop_benches::load::{self, Plan};
use coop_benches::mode::Mode;
use coop_benches::server::Server;
use coop_benches::{build, micro};
use rustix::process::{kill_process, Pid, Signal};

const PRESSURE: Pressure = Pressure {
    idle: 0,
    connections: 200,
    warm_up: Duration::from_millis(50),
    measured: Duration::from_millis(200),
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Native runs need no library.
fn none() -> &'static Path {
    Path::new("/nowhere/libcoop.so")
}

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
fn a_thread_a_connection_and_one_thread_for_all() {
    for (name, threads) in [("echo_server", 202.0), ("echo_epoll", 1.0)] {
        let program = build::program(name).unwrap();
        let figures = echo::run(Mode::Native, &program, none(), PRESSURE).unwrap();
        assert_eq!(figures.threads, threads, "{name}");
        assert_eq!(figures.served, 200.0, "{name}");
        assert!(figures.cpu > 0.0 && figures.resident > 0.0, "{figures:?}");
        assert!(figures.p50 <= figures.p99 && figures.p99 <= figures.max * 1.01);
    }
}

#[test]
fn sigterm_ends_a_server_cleanly() {
    for name in ["echo_server", "echo_epoll"] {
        let mut child = Command::new(build::program(name).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        assert_ne!(port.trim().parse::<u16>().unwrap(), 0, "{name}");
        signal(child.id(), Signal::TERM);
        let status = wait_at_most(&mut child, PATIENCE).unwrap();
        assert_eq!(status.and_then(|s| s.code()), Some(0), "{name}");
    }
}

#[test]
fn a_server_that_dies_under_load_is_named() {
    let program = build::program("echo_server").unwrap();
    let server = Server::start(Mode::Native, &program, none()).unwrap();
    let plan = Plan {
        address: server.address(),
        connections: 50,
        message: echo::MESSAGE,
        warm_up: Duration::from_millis(20),
        measured: Duration::from_millis(100),
        patience: PATIENCE,
    };
    let outcome = load::run(&plan, || {
        signal(server.pid(), Signal::KILL);
        Ok(())
    });
    // Whether the second signal still found it is of no interest: its connections broke.
    assert!(outcome.unwrap().errors.broken > 0);
    let error = server.stop().unwrap_err();
    assert_eq!(error, "the server was killed by signal 9");
}

#[test]
fn a_server_that_never_starts_is_named() {
    let error = Server::start(Mode::Native, Path::new("/bin/false"), none()).err();
    assert_eq!(
        error.as_deref(),
        Some("the server ended with status 1 before it said its port")
    );
}

#[test]
fn the_main_job_fails_without_its_library() {
    let out = Command::new(env!("CARGO_BIN_EXE_coop-run-echo"))
        .env("COOP_LIB", none())
        .output()
        .unwrap();
    assert!(!out.status.success());
    let error = String::from_utf8(out.stderr).unwrap();
    assert!(
        error.contains("no library at /nowhere/libcoop.so"),
        "{error}"
    );
}

#[test]
fn every_micro_benchmark_compiles() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("c");
    let mut seen = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "c") {
            build::micro(path.file_stem().unwrap().to_str().unwrap()).unwrap();
            seen += 1;
        }
    }
    assert!(seen >= 8, "{seen} micro benchmarks");
}

#[test]
fn a_crowd_of_blocked_threads_is_counted() {
    let program = build::micro("blocked_threads").unwrap();
    let crowd = ["300".to_string()];
    let output = micro::run(Mode::Native, &program, &crowd, none(), PATIENCE).unwrap();
    let alive = &output.figures[0];
    assert_eq!((&*alive.name, alive.value), ("alive", 300.0));
    assert!(output.remarks.is_empty());
}
