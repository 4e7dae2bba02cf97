//! Code that was judged and leads nowhere: a forked child that converts need not read all of it again, which takes milliseconds in a large program.
//!
//! Between the fork and its first thread nobody sees what the child unloads and loads. So code is known by more than its place: by its length and a sample.

use super::Report;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

/// How many words of the code are compared.
const SAMPLES: usize = 16;

struct Plain {
    text: Range<usize>,
    sample: [u64; SAMPLES],
    report: Report,
}

static PLAIN: Mutex<Vec<Plain>> = Mutex::new(Vec::new());

fn all() -> MutexGuard<'static, Vec<Plain>> {
    PLAIN.lock().unwrap_or_else(|e| e.into_inner())
}

/// Words from all over the code, as far apart as they can be.
fn sample(code: &[u8]) -> [u64; SAMPLES] {
    std::array::from_fn(|i| {
        let at = code.len() / SAMPLES * i;
        code[at..]
            .first_chunk()
            .map_or(0, |word| u64::from_le_bytes(*word))
    })
}

/// What was found in this code, if it was judged before.
pub fn known(text: &Range<usize>, code: &[u8]) -> Option<Report> {
    let all = all();
    let plain = all.iter().find(|plain| plain.text == *text)?;
    (plain.sample == sample(code)).then_some(plain.report)
}

/// This code has no stubs.
pub fn remember(text: Range<usize>, code: &[u8], report: Report) {
    let mut all = all();
    all.retain(|plain| plain.text != text);
    all.push(Plain {
        sample: sample(code),
        text,
        report,
    });
}

/// Forgets code that is gone.
pub fn forget(gone: impl Fn(&Range<usize>) -> bool) {
    all().retain(|plain| !gone(&plain.text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_known_where_it_was_as_it_was() {
        let mut code = vec![0x90; 1000];
        let text = 0x1000..0x13e8;
        let report = Report {
            left: 3,
            ..Report::default()
        };
        assert_eq!(known(&text, &code), None);
        remember(text.clone(), &code, report);
        assert_eq!(known(&text, &code), Some(report));
        assert_eq!(known(&(0x2000..0x23e8), &code), None);
        code[496..504].fill(0xcc);
        assert_eq!(known(&text, &code), None);
        code[496..504].fill(0x90);
        forget(|gone| gone.contains(&0x1100));
        assert_eq!(known(&text, &code), None);
    }
}
