//! Where in the program something is: an address as object and offset, and the program's own frame above libc's.
//!
//! For reports by the receiver. libc's `dladdr` takes the loader's lock, which a parked task may hold; so this reads the kernel's list of
//! mappings, through a descriptor opened at conversion. Frames are found without unwinding: the first word on the stack that points
//! behind a call instruction of an object that is not libc's. That may be a stale one, and is only ever shown.

use crate::sys::Errno;
use crate::task::lock;
use crate::{own, sys};
use std::fmt;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::Mutex;

/// `/proc/self/maps`.
static MAPS: AtomicI32 = AtomicI32::new(-1);
/// Its position is shared by those who read it.
static READING: Mutex<()> = Mutex::new(());

/// How much of a stack is looked through.
const WINDOW: usize = 8192;

/// Opens the list of mappings. At conversion; without it places are bare addresses.
pub(crate) fn prepare() {
    MAPS.store(own::open(c"/proc/self/maps"), Ordering::Release);
}

/// A line of the list.
struct Mapping<'a> {
    start: usize,
    end: usize,
    executable: bool,
    offset: usize,
    path: &'a str,
}

impl<'a> Mapping<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        // 7f0c-7f0e r-xp 00001000 08:01 123   /usr/lib/libc.so.6
        let mut fields = line.splitn(6, ' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let executable = fields.next()?.as_bytes().get(2) == Some(&b'x');
        let hex = |text| usize::from_str_radix(text, 16).ok();
        Some(Self {
            start: hex(start)?,
            end: hex(end)?,
            executable,
            offset: hex(fields.next()?)?,
            path: fields.nth(2).unwrap_or("").trim_start(),
        })
    }

    fn contains(&self, address: usize) -> bool {
        (self.start..self.end).contains(&address)
    }

    fn name(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// Code that calls on behalf of others: libc, the loader, and this library.
    fn is_between(&self) -> bool {
        ["libc.so", "libc-", "libpthread", "ld-linux", "libcoop", "["]
            .iter()
            .any(|name| self.name().starts_with(name))
    }
}

/// Gives each mapping to `f` until it is content.
fn each_mapping(mut f: impl FnMut(&Mapping<'_>) -> bool) {
    let fd = MAPS.load(Ordering::Acquire);
    let _reading = lock(&READING);
    // SAFETY: moves the position of our own descriptor.
    if unsafe { sys!(SYS_lseek, fd, 0, libc::SEEK_SET) }.is_err() {
        return;
    }
    let mut buffer = vec![0u8; 16 << 10];
    let mut used = 0;
    loop {
        let room = &mut buffer[used..];
        // SAFETY: reads into the rest of the buffer.
        let got = unsafe { sys!(SYS_read, fd, room.as_mut_ptr(), room.len()) }.unwrap_or(0);
        used += got;
        let whole = buffer[..used]
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        for line in buffer[..whole].split(|b| *b == b'\n') {
            let mapping = std::str::from_utf8(line).ok().and_then(Mapping::parse);
            if mapping.is_some_and(|m| f(&m)) {
                return;
            }
        }
        buffer.copy_within(whole..used, 0);
        used -= whole;
        if got == 0 {
            return;
        }
    }
}

/// An address, for people.
#[derive(Debug)]
pub(crate) struct Place {
    address: usize,
    object: Option<(String, usize)>,
}

impl Place {
    /// Looks an address up.
    pub(crate) fn of(address: usize) -> Self {
        let mut object = None;
        each_mapping(|m| {
            let found = m.contains(address);
            if found && !m.path.is_empty() {
                object = Some((m.name().to_string(), address - m.start + m.offset));
            }
            found
        });
        Self { address, object }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.object {
            Some((name, offset)) => write!(f, "{name}+{offset:#x}"),
            None => write!(f, "{:#x}", self.address),
        }
    }
}

/// Copies from the program's memory, as much of it as there is.
pub(crate) fn peek(address: usize, to: &mut [u8]) -> Result<usize, Errno> {
    let local = libc::iovec {
        iov_base: to.as_mut_ptr().cast(),
        iov_len: to.len(),
    };
    // Page by page: a remote part that is not all there is not copied at all.
    let first = to.len().min(4096 - address % 4096);
    let mut remote = [libc::iovec {
        iov_base: address as *mut libc::c_void,
        iov_len: first,
    }; WINDOW / 4096 + 1];
    let mut parts = 1;
    let mut at = first;
    while at < to.len() && parts < remote.len() {
        let len = (to.len() - at).min(4096);
        remote[parts] = libc::iovec {
            iov_base: (address + at) as *mut libc::c_void,
            iov_len: len,
        };
        at += len;
        parts += 1;
    }
    // SAFETY: the kernel copies from this process's memory what can be read, into the buffer.
    unsafe {
        sys!(
            SYS_process_vm_readv,
            sys::process_id(),
            &local,
            1,
            remote.as_ptr(),
            parts,
            0
        )
    }
}

/// The program's frame in a call that is at `pc`: that itself, or where a call into libc returns to on one of these stacks. Else `pc`.
pub(crate) fn caller(pc: usize, stacks: &[usize]) -> usize {
    let mut code = Vec::new();
    each_mapping(|m| {
        if m.executable {
            code.push((m.start, m.end, m.is_between()));
        }
        false
    });
    let own = |address: usize| {
        code.iter()
            .any(|(start, end, between)| !between && (*start..*end).contains(&address))
    };
    if own(pc) {
        return pc;
    }
    let mut stack = vec![0u8; WINDOW];
    stacks
        .iter()
        .find_map(|sp| {
            let len = peek(*sp, &mut stack).unwrap_or(0);
            stack[..len]
                .chunks_exact(8)
                .map(|w| usize::from_ne_bytes([w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]]))
                .find(|address| own(*address) && follows_call(*address))
        })
        .unwrap_or(pc)
}

/// Whether the instruction before an address may be a call.
fn follows_call(address: usize) -> bool {
    let mut code = [0u8; 7];
    if peek(address - 7, &mut code) != Ok(7) {
        return false;
    }
    // call rel32; call r/m64 of two, three, six and seven bytes (ff /2).
    let indirect = |at: usize| code[at] == 0xff && code[at + 1] >> 3 & 7 == 2;
    code[2] == 0xe8 || [5, 4, 1, 0].into_iter().any(indirect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        let line = "7f0c1000-7f0e2000 r-xp 00026000 08:01 1234                       /usr/lib/x86_64-linux-gnu/libc.so.6";
        let m = Mapping::parse(line).unwrap();
        assert!(m.executable && m.is_between() && m.contains(0x7f0c_1000));
        assert!(!m.contains(0x7f0e_2000));
        assert_eq!((m.offset, m.name()), (0x26000, "libc.so.6"));
        let bare = Mapping::parse("1000-2000 rw-p 00000000 00:00 0 ").unwrap();
        assert!(!bare.executable && bare.path.is_empty());
    }

    #[test]
    fn a_place_is_an_object_and_an_offset() {
        prepare();
        let here = a_place_is_an_object_and_an_offset as *const () as usize;
        let text = Place::of(here).to_string();
        assert!(text.contains("+0x"), "{text}");
        assert_eq!(Place::of(8).to_string(), "0x8");
        assert_eq!(caller(here, &[]), here);
    }

    #[test]
    fn what_is_not_there_is_not_copied() {
        let mut buffer = [0u8; 16];
        assert!(peek(8, &mut buffer).is_err());
        let word = 0x1234_5678_9abc_def0u64;
        let at = &raw const word as usize;
        assert_eq!(peek(at, &mut buffer[..8]), Ok(8));
        assert_eq!(u64::from_ne_bytes(buffer[..8].try_into().unwrap()), word);
    }
}
