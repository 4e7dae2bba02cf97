//! Rust's standard threads, each with a result that does not depend on the order of threads.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier, Condvar, Mutex, Once, OnceLock, RwLock};
use std::thread;
use std::time::{Duration, Instant};

fn spawn_and_join() -> usize {
    let handles: Vec<_> = (0..100)
        .map(|n| {
            thread::Builder::new()
                .name(format!("worker-{n}"))
                .stack_size(64 * 1024)
                .spawn(move || thread::current().name().unwrap().len() + n)
                .unwrap()
        })
        .collect();
    handles.into_iter().map(|handle| handle.join().unwrap()).sum()
}

fn scoped(numbers: &[u64]) -> u64 {
    let total = Mutex::new(0);
    thread::scope(|scope| {
        for chunk in numbers.chunks(100) {
            let total = &total;
            scope.spawn(move || {
                let part: u64 = chunk.iter().sum();
                thread::sleep(Duration::from_millis(1));
                *total.lock().unwrap() += part;
            });
        }
    });
    total.into_inner().unwrap()
}

/// Through three stages, the channels between them holding two items at most.
fn pipeline() -> u64 {
    let (first, stage) = mpsc::sync_channel::<u64>(2);
    let (second, end) = mpsc::sync_channel::<u64>(2);
    thread::spawn(move || (1..=1000).for_each(|n| first.send(n).unwrap()));
    thread::spawn(move || stage.iter().for_each(|n| second.send(n * n).unwrap()));
    end.iter().sum()
}

fn many_senders() -> usize {
    let (sender, receiver) = mpsc::channel();
    for n in 0..50_usize {
        let sender = sender.clone();
        thread::spawn(move || (0..20).for_each(|_| sender.send(n).unwrap()));
    }
    drop(sender);
    receiver.iter().sum()
}

fn timeouts() -> String {
    let began = Instant::now();
    let (_sender, receiver) = mpsc::channel::<()>();
    let receive = receiver.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Timeout);
    let pair = (Mutex::new(false), Condvar::new());
    let (guard, result) =
        pair.1.wait_timeout_while(pair.0.lock().unwrap(), Duration::from_millis(20), |ready| !*ready).unwrap();
    drop(guard);
    thread::park_timeout(Duration::from_millis(20));
    let long_enough = began.elapsed() >= Duration::from_millis(40);
    format!("{receive} {} {long_enough}", result.timed_out())
}

fn park_and_unpark() -> usize {
    let woken = Arc::new(AtomicUsize::new(0));
    let go = Arc::new(AtomicUsize::new(0));
    let handles: Vec<_> = (0..10)
        .map(|_| {
            let (woken, go) = (woken.clone(), go.clone());
            thread::spawn(move || {
                while go.load(Ordering::Acquire) == 0 {
                    thread::park();
                }
                woken.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    go.store(1, Ordering::Release);
    handles.iter().for_each(|handle| handle.thread().unpark());
    handles.into_iter().for_each(|handle| handle.join().unwrap());
    woken.load(Ordering::Relaxed)
}

fn panics() -> String {
    let panicking = thread::spawn(|| {
        thread::sleep(Duration::from_millis(2));
        std::panic::panic_any("a panic in a thread");
    });
    let payload = panicking.join().unwrap_err();
    let poisoned = Arc::new(Mutex::new(1));
    let other = poisoned.clone();
    thread::spawn(move || {
        let _guard = other.lock();
        std::panic::panic_any(());
    })
    .join()
    .unwrap_err();
    format!("{}, poisoned {}", payload.downcast_ref::<&str>().unwrap(), poisoned.is_poisoned())
}

fn shared() -> String {
    static ONCE: Once = Once::new();
    static VALUE: OnceLock<usize> = OnceLock::new();
    thread_local!(static MINE: Cell<usize> = const { Cell::new(0) });
    let (barrier, table, leaders) = (Barrier::new(16), RwLock::new(HashMap::new()), AtomicUsize::new(0));
    thread::scope(|scope| {
        for n in 0..16 {
            let (barrier, table, leaders) = (&barrier, &table, &leaders);
            scope.spawn(move || {
                ONCE.call_once(|| thread::sleep(Duration::from_millis(5)));
                VALUE.get_or_init(|| 42);
                for round in 0..10 {
                    MINE.with(|mine| mine.set(mine.get() + n));
                    table.write().unwrap().insert((n, round), MINE.with(Cell::get));
                    if barrier.wait().is_leader() {
                        leaders.fetch_add(1, Ordering::Relaxed);
                    }
                    assert_eq!(table.read().unwrap().len() / 16, round + 1);
                    barrier.wait();
                }
            });
        }
    });
    let sum: usize = table.read().unwrap().values().sum();
    format!("{sum}, {} leaders, {}", leaders.load(Ordering::Relaxed), VALUE.get().unwrap())
}

/// A thread for each of 40 connections at either end, all in this process.
fn tcp() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = thread::spawn(move || {
        let connections: Vec<_> = (0..40)
            .map(|_| {
                let (stream, _) = listener.accept().unwrap();
                thread::spawn(move || {
                    let mut answers = stream.try_clone().unwrap();
                    let lines = BufReader::new(stream).lines().map(Result::unwrap);
                    lines.map(|line| answers.write_all(format!("{}\n", line.to_uppercase()).as_bytes()).unwrap()).count()
                })
            })
            .collect();
        connections.into_iter().map(|handle| handle.join().unwrap()).sum::<usize>()
    });
    let clients: Vec<_> = (0..40)
        .map(|n| {
            thread::spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                let mut answers = BufReader::new(stream.try_clone().unwrap());
                (0..25).all(|i| {
                    writeln!(stream, "client {n} line {i}").unwrap();
                    let mut answer = String::new();
                    answers.read_line(&mut answer).unwrap();
                    answer == format!("CLIENT {n} LINE {i}\n")
                })
            })
        })
        .collect();
    let right = clients.into_iter().map(|handle| handle.join().unwrap()).filter(|all| *all).count();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(silent.local_addr().unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let error = stream.read(&mut [0]).unwrap_err().kind();
    format!("{right} clients, {} lines, {error:?}", served.join().unwrap())
}

/// Children whose input and output are pipes, one a thread.
fn children() -> usize {
    let handles: Vec<_> = (0..8)
        .map(|n: usize| {
            thread::spawn(move || {
                let mut child =
                    Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
                let mut input = child.stdin.take().unwrap();
                let writer = thread::spawn(move || input.write_all(&vec![b'x'; 100_000 + n]).unwrap());
                let mut answer = Vec::new();
                child.stdout.take().unwrap().read_to_end(&mut answer).unwrap();
                writer.join().unwrap();
                assert!(child.wait().unwrap().success());
                answer.len()
            })
        })
        .collect();
    handles.into_iter().map(|handle| handle.join().unwrap()).sum()
}

fn main() {
    // Panics are expected here, and their messages would name threads in no fixed order.
    std::panic::set_hook(Box::new(|_| ()));
    let numbers: Vec<u64> = (1..=5000).collect();
    println!("spawn and join: {}", spawn_and_join());
    println!("scoped: {}", scoped(&numbers));
    println!("pipeline: {}", pipeline());
    println!("many senders: {}", many_senders());
    println!("time-outs: {}", timeouts());
    println!("park and unpark: {}", park_and_unpark());
    println!("panics: {}", panics());
    println!("shared: {}", shared());
    println!("tcp: {}", tcp());
    println!("children: {}", children());
}
