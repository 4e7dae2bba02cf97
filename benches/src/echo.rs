//! One run of an echo server under load, as figures.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use crate::load::{self, Outcome, Plan};
use crate::mode::Mode;
use crate::server::{Sample, Server};
use crate::Result;

/// How long and how hard to press.
#[derive(Clone, Copy, Debug)]
pub struct Pressure {
    /// Concurrent connections.
    pub connections: usize,
    /// Connections that are open beside them, and say nothing.
    pub idle: usize,
    /// How long the load runs before it is measured.
    pub warm_up: Duration,
    /// How long it is measured.
    pub measured: Duration,
}

/// Bytes a message.
pub const MESSAGE: usize = 64;

/// What one run showed.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Connections that were served to the end.
    pub served: f64,
    /// Requests a second.
    pub rate: f64,
    /// Median latency in nanoseconds.
    pub p50: f64,
    /// The latency, in nanoseconds, that one request in a hundred exceeds.
    pub p99: f64,
    /// The longest latency in nanoseconds.
    pub max: f64,
    /// OS threads of the server at the end of the measurement.
    pub threads: f64,
    /// The server's resident memory in bytes, at the end of the measurement.
    pub resident: f64,
    /// Seconds of the server's CPU time for a million requests.
    pub cpu: f64,
}

/// Starts the server, presses it, and stops it. Any error in any echo is an error.
pub fn run(mode: Mode, program: &Path, library: &Path, pressure: Pressure) -> Result<Figures> {
    let server = Server::start(mode, program, library)?;
    let plan = Plan {
        address: server.address(),
        connections: pressure.connections,
        message: MESSAGE,
        warm_up: pressure.warm_up,
        measured: pressure.measured,
        patience: Duration::from_secs(10),
    };
    let idle: Vec<TcpStream> = (0..pressure.idle)
        .map(|_| TcpStream::connect(server.address()))
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| format!("an idle connection: {e}"))?;
    let outcome = load::run(&plan, || server.sample());
    drop(idle);
    // A server that died explains every error on its connections.
    server.stop()?;
    let outcome = outcome?;
    if outcome.errors.total() > 0 {
        return Err(format!("errors on connections: {}", outcome.errors));
    }
    figures(&outcome)
}

#[allow(clippy::cast_precision_loss)] // counts are far below 2^52
fn figures(outcome: &Outcome<Sample>) -> Result<Figures> {
    if outcome.requests == 0 {
        return Err("no echo came back during the measurement".into());
    }
    let requests = outcome.requests as f64;
    let cpu = outcome.after.cpu.saturating_sub(outcome.before.cpu);
    Ok(Figures {
        served: outcome.served as f64,
        rate: requests / outcome.elapsed.as_secs_f64(),
        p50: outcome.latency.value_at_quantile(0.50) as f64,
        p99: outcome.latency.value_at_quantile(0.99) as f64,
        max: outcome.latency.max() as f64,
        threads: outcome.after.threads as f64,
        resident: outcome.after.resident as f64,
        cpu: cpu.as_secs_f64() * 1e6 / requests,
    })
}
