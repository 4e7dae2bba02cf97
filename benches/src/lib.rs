//! How fast programs run natively and under libcoop.
//!
//! | module | what it knows |
//! |---|---|
//! | [`mode`] | the ways to run one and the same program: natively, on one CPU, preloaded |
//! | [`build`] | where the C programs are and how they are compiled |
//! | [`child`] | a program that is waited for, with a time limit |
//! | [`server`] | an echo server as a process: started, looked into, stopped |
//! | [`load`] | the client: many connections, one thread, every echo checked |
//! | [`echo`] | one run of a server under load, as figures |
//! | [`micro`] | one run of a micro benchmark, as figures |
//! | [`series`] | the figures of several rounds: median and spread |
//! | [`results`] | all figures of all rounds, and what is expected of them |
//! | [`text`] | numbers and tables that are pleasant to read |

pub mod build;
pub mod child;
pub mod echo;
pub mod load;
pub mod micro;
pub mod mode;
pub mod results;
pub mod series;
pub mod server;
pub mod text;

/// What went wrong, in words for the person who ran the benchmark.
pub type Result<T> = std::result::Result<T, String>;
