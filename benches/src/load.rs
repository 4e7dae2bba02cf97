//! The client: many connections, one thread, every echo checked.
//!
//! Each connection sends a message, waits for all of it to come back, compares it byte by byte, and sends the next:
//! a closed loop, so the number of requests in flight is the number of connections. Three phases follow one another:
//!
//! 1. **Arrival.** Connections are opened, and each sends one message. At most [`ARRIVING`] of them are unanswered at
//!    a time, so the server's backlog does not overflow. It ends when every connection has had its echo.
//! 2. **Warm-up and measurement**, for a fixed time. Only echoes that come back within the measurement count.
//! 3. **Departure.** Nothing new is sent, and each connection still gets the echo it waits for.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::event::{epoll, Timespec};

use crate::Result;

/// How many connections may wait for their first echo at a time.
const ARRIVING: usize = 256;

/// The load to put on a server.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it listens.
    pub address: SocketAddr,
    /// How many connections to keep busy.
    pub connections: usize,
    /// Bytes a message; at least 16, which number it.
    pub message: usize,
    /// How long the load runs before it is measured.
    pub warm_up: Duration,
    /// How long it is measured.
    pub measured: Duration,
    /// How long arrival may go on without any progress, and departure altogether.
    pub patience: Duration,
}

/// What came of it. `S` is what the caller looked at when the measurement began and ended.
#[derive(Debug)]
pub struct Outcome<S> {
    /// Echoes within the measurement.
    pub requests: u64,
    /// Connections that were answered and did not fail.
    pub served: usize,
    /// How long the measurement really took.
    pub elapsed: Duration,
    /// From the first byte sent to the last byte back, in nanoseconds.
    pub latency: Histogram<u64>,
    /// What went wrong, at any time.
    pub errors: Errors,
    /// The caller's look at the beginning of the measurement.
    pub before: S,
    /// The caller's look at its end.
    pub after: S,
}

/// Failures by kind; each costs its connection.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Errors {
    /// Connections that were not made.
    pub refused: u64,
    /// Echoes that differ from what was sent.
    pub wrong: u64,
    /// Connections that ended, or failed, while an echo was due.
    pub broken: u64,
    /// Connections still without an echo when patience ran out.
    pub unanswered: u64,
}

impl Errors {
    /// How many in all.
    pub fn total(&self) -> u64 {
        self.refused + self.wrong + self.broken + self.unanswered
    }
}

impl std::fmt::Display for Errors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds = [
            (self.refused, "refused"),
            (self.wrong, "wrong echoes"),
            (self.broken, "broken"),
            (self.unanswered, "unanswered"),
        ];
        let text: Vec<String> = kinds
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, kind)| format!("{count} {kind}"))
            .collect();
        if text.is_empty() {
            f.write_str("none")
        } else {
            f.write_str(&text.join(", "))
        }
    }
}

/// Runs the plan. `look` is called when the measurement begins and when it ends.
pub fn run<S>(plan: &Plan, mut look: impl FnMut() -> Result<S>) -> Result<Outcome<S>> {
    assert!(plan.message >= 16, "a message has room for its number");
    let mut client = Client::new(plan)?;
    client.arrive()?;

    client.start();
    client.work_until(Instant::now() + plan.warm_up)?;
    let before = look()?;
    client.measure();
    let start = Instant::now();
    client.work_until(start + plan.measured)?;
    let elapsed = start.elapsed();
    let latency = client.take_measurement();
    let after = look()?;

    client.depart()?;
    Ok(Outcome {
        requests: latency.len(),
        served: client.served,
        elapsed,
        latency,
        errors: client.errors,
        before,
        after,
    })
}

/// One connection and the message under way on it.
struct Connection {
    stream: TcpStream,
    /// Messages sent.
    sent: u64,
    /// Bytes of the current echo that are back.
    back: usize,
    since: Instant,
    /// Whether an echo is due.
    waiting: bool,
}

/// Why a connection ends early.
enum Failure {
    Wrong,
    Broken,
}

struct Client<'a> {
    plan: &'a Plan,
    epoll: OwnedFd,
    /// By number; a failed one leaves its place empty.
    connections: Vec<Option<Connection>>,
    /// Connections that have had an echo and live.
    served: usize,
    /// Connections that failed.
    failed: usize,
    /// Connections whose echo is due.
    waiting: usize,
    latency: Option<Histogram<u64>>,
    errors: Errors,
    /// Whether an echo is answered by the next message, as it is neither at arrival nor at departure.
    sending: bool,
    expected: Vec<u8>,
    received: Vec<u8>,
}

impl<'a> Client<'a> {
    fn new(plan: &'a Plan) -> Result<Client<'a>> {
        Ok(Client {
            plan,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)
                .map_err(|e| format!("epoll_create: {e}"))?,
            connections: Vec::with_capacity(plan.connections),
            served: 0,
            failed: 0,
            waiting: 0,
            latency: None,
            errors: Errors::default(),
            sending: false,
            expected: vec![0; plan.message],
            received: vec![0; plan.message],
        })
    }

    /// Opens all connections and sees every one of them answered, once.
    fn arrive(&mut self) -> Result<()> {
        let mut last_progress = Instant::now();
        let mut settled = 0;
        loop {
            while self.connections.len() < self.plan.connections
                && self.connections.len() < self.settled() + ARRIVING
            {
                self.open()?;
            }
            if self.settled() == self.plan.connections {
                return Ok(());
            }
            if self.settled() > settled {
                settled = self.settled();
                last_progress = Instant::now();
            } else if last_progress.elapsed() > self.plan.patience {
                return Err(format!(
                    "{} of {} connections were answered, then none for {:?}",
                    self.served, self.plan.connections, self.plan.patience
                ));
            }
            self.turn(Duration::from_millis(100))?;
        }
    }

    /// Connections whose fate is known: they were answered, or failed.
    fn settled(&self) -> usize {
        self.served + self.failed
    }

    /// Opens one connection and sends its first message.
    fn open(&mut self) -> Result<()> {
        let number = self.connections.len();
        // A connect to the loopback device waits for nothing while there is room in the backlog.
        let stream = match TcpStream::connect(self.plan.address) {
            Ok(stream) => stream,
            Err(e) if matches!(e.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
                return Err(format!("connection {number}: {e} (see ulimit -n)"));
            }
            Err(_) => {
                self.errors.refused += 1;
                self.failed += 1;
                self.connections.push(None);
                return Ok(());
            }
        };
        stream
            .set_nonblocking(true)
            .map_err(|e| format!("non-blocking: {e}"))?;
        epoll::add(
            &self.epoll,
            &stream,
            epoll::EventData::new_u64(number as u64),
            epoll::EventFlags::IN,
        )
        .map_err(|e| format!("epoll_ctl: {e}"))?;
        self.connections.push(Some(Connection {
            stream,
            sent: 0,
            back: 0,
            since: Instant::now(),
            waiting: false,
        }));
        self.send(number, Instant::now());
        Ok(())
    }

    /// Sends on every connection; from now on an echo is answered by the next message.
    fn start(&mut self) {
        self.sending = true;
        for number in 0..self.connections.len() {
            if self.connections[number].is_some() {
                self.send(number, Instant::now());
            }
        }
    }

    /// Keeps all connections busy until `end`.
    fn work_until(&mut self, end: Instant) -> Result<()> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.waiting == 0 {
                return Ok(());
            }
            self.turn(left)?;
        }
    }

    fn measure(&mut self) {
        // Three digits, from a nanosecond to a minute.
        let histogram = Histogram::new_with_max(60_000_000_000, 3).expect("valid bounds");
        self.latency = Some(histogram);
    }

    fn take_measurement(&mut self) -> Histogram<u64> {
        self.latency.take().expect("measure() was called")
    }

    /// Lets every connection have the echo that is due to it.
    fn depart(&mut self) -> Result<()> {
        self.sending = false;
        self.work_until(Instant::now() + self.plan.patience)?;
        self.errors.unanswered += self.waiting as u64;
        Ok(())
    }

    /// Waits for echoes and deals with those that came.
    fn turn(&mut self, limit: Duration) -> Result<()> {
        let mut events = [const {
            epoll::Event {
                flags: epoll::EventFlags::empty(),
                data: epoll::EventData::new_u64(0),
            }
        }; 512];
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(limit.subsec_nanos()),
        };
        let ready = match epoll::wait(&self.epoll, &mut events[..], Some(&limit)) {
            Ok(ready) => ready,
            Err(rustix::io::Errno::INTR) => 0,
            Err(e) => return Err(format!("epoll_wait: {e}")),
        };
        for event in &events[..ready] {
            let number = usize::try_from(event.data.u64()).expect("a number given by open()");
            self.receive(number);
        }
        Ok(())
    }

    fn send(&mut self, number: usize, now: Instant) {
        let connection = self.connections[number].as_mut().expect("it is alive");
        connection.sent += 1;
        connection.back = 0;
        connection.since = now;
        connection.waiting = true;
        self.waiting += 1;
        fill(&mut self.expected, number, connection.sent);
        // Nothing else is under way on this connection, so a message always fits the socket's buffer.
        if !matches!(connection.stream.write(&self.expected), Ok(n) if n == self.plan.message) {
            self.fail(number, &Failure::Broken);
        }
    }

    fn receive(&mut self, number: usize) {
        let Some(connection) = self.connections[number].as_mut() else {
            return;
        };
        let outcome = match connection.stream.read(&mut self.received) {
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return,
            Err(_) | Ok(0) => Err(Failure::Broken),
            Ok(n) => {
                fill(&mut self.expected, number, connection.sent);
                let due = self.expected.get(connection.back..connection.back + n);
                if connection.waiting && due == Some(&self.received[..n]) {
                    connection.back += n;
                    Ok(())
                } else {
                    Err(Failure::Wrong)
                }
            }
        };
        if let Err(failure) = outcome {
            return self.fail(number, &failure);
        }
        if connection.back < self.plan.message {
            return;
        }
        let now = Instant::now();
        if let Some(latency) = &mut self.latency {
            let nanos = now.duration_since(connection.since).as_nanos();
            latency.saturating_record(u64::try_from(nanos).unwrap_or(u64::MAX));
        }
        connection.waiting = false;
        self.waiting -= 1;
        if connection.sent == 1 {
            self.served += 1;
        }
        if self.sending {
            self.send(number, now);
        }
    }

    /// Gives a connection up.
    fn fail(&mut self, number: usize, failure: &Failure) {
        let connection = self.connections[number].take().expect("it is alive");
        if connection.waiting {
            self.waiting -= 1;
        }
        // Served or failed, not both.
        self.failed += 1;
        let answered = connection.sent - u64::from(connection.waiting);
        if answered > 0 {
            self.served -= 1;
        }
        match failure {
            Failure::Wrong => self.errors.wrong += 1,
            Failure::Broken => self.errors.broken += 1,
        }
    }
}

/// The message with this number on this connection: no two messages of a run are alike.
fn fill(message: &mut [u8], connection: usize, sent: u64) {
    let number = (connection as u64).to_le_bytes();
    message[..8].copy_from_slice(&number);
    message[8..16].copy_from_slice(&sent.to_le_bytes());
    let body = (connection as u64).wrapping_mul(31).wrapping_add(sent);
    for word in message[16..].chunks_mut(8) {
        word.copy_from_slice(&body.to_le_bytes()[..word.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// A server that gives each connection `serve`.
    fn server(serve: fn(TcpStream)) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                thread::spawn(move || serve(stream));
            }
        });
        address
    }

    fn plan(address: SocketAddr) -> Plan {
        Plan {
            address,
            connections: 20,
            message: 64,
            warm_up: Duration::from_millis(20),
            measured: Duration::from_millis(100),
            patience: Duration::from_secs(20),
        }
    }

    /// Echoes `count` messages.
    fn echo(stream: &mut TcpStream, count: u64) -> std::io::Result<()> {
        let mut message = [0; 64];
        stream.set_nodelay(true)?;
        for _ in 0..count {
            stream.read_exact(&mut message)?;
            // Two pieces: an echo need not come back whole.
            stream.write_all(&message[..40])?;
            stream.write_all(&message[40..])?;
        }
        Ok(())
    }

    #[test]
    fn an_honest_server_has_no_errors() {
        let address = server(|mut stream| drop(echo(&mut stream, u64::MAX)));
        let mut looks = 0;
        let outcome = run(&plan(address), || {
            looks += 1;
            Ok(looks)
        })
        .unwrap();
        assert_eq!(outcome.errors, Errors::default());
        assert_eq!(outcome.errors.to_string(), "none");
        assert_eq!(outcome.served, 20);
        assert!(outcome.requests >= 20, "{} requests", outcome.requests);
        assert_eq!(outcome.requests, outcome.latency.len());
        assert!(outcome.elapsed >= Duration::from_millis(100));
        assert_eq!((outcome.before, outcome.after), (1, 2));
    }

    #[test]
    fn a_wrong_echo_is_seen() {
        let address = server(|mut stream| {
            let mut message = [0; 64];
            while stream.read_exact(&mut message).is_ok() {
                // The last byte of the third message.
                if message[8] == 3 {
                    message[63] ^= 1;
                }
                if stream.write_all(&message).is_err() {
                    return;
                }
            }
        });
        let outcome = run(&plan(address), || Ok(())).unwrap();
        assert_eq!(outcome.errors.wrong, 20, "{}", outcome.errors);
        assert_eq!(outcome.errors.total(), 20);
    }

    #[test]
    fn an_echo_too_many_is_wrong() {
        let address = server(|mut stream| {
            let mut message = [0; 64];
            while stream.read_exact(&mut message).is_ok() {
                let twice = [message, message].concat();
                if stream.write_all(&twice).is_err() {
                    return;
                }
            }
        });
        let outcome = run(&plan(address), || Ok(())).unwrap();
        assert_eq!(outcome.errors.wrong, 20, "{}", outcome.errors);
    }

    #[test]
    fn a_connection_that_ends_is_seen() {
        let address = server(|mut stream| drop(echo(&mut stream, 5)));
        let outcome = run(&plan(address), || Ok(())).unwrap();
        assert_eq!(outcome.errors.broken, 20, "{}", outcome.errors);
        assert_eq!(outcome.served, 0);
    }

    #[test]
    fn silence_is_seen_at_arrival() {
        let address = server(|stream| {
            let _open = stream;
            thread::park();
        });
        let plan = Plan {
            patience: Duration::from_millis(200),
            ..plan(address)
        };
        let error = run(&plan, || Ok(())).unwrap_err();
        assert!(
            error.starts_with("0 of 20 connections were answered"),
            "{error}"
        );
    }

    #[test]
    fn silence_is_seen_at_departure() {
        let address = server(|mut stream| {
            drop(echo(&mut stream, 5));
            thread::park();
        });
        let plan = Plan {
            patience: Duration::from_millis(200),
            ..plan(address)
        };
        let outcome = run(&plan, || Ok(())).unwrap();
        assert_eq!(outcome.errors.unanswered, 20, "{}", outcome.errors);
    }

    #[test]
    fn a_server_that_is_not_there_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let outcome = run(&plan(address), || Ok(())).unwrap();
        assert_eq!(outcome.errors.refused, 20);
        assert_eq!(outcome.errors.to_string(), "20 refused");
    }
}
