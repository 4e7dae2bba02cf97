//! The table: one row for every system call of x86-64 Linux.
//!
//! | class | what it means |
//! |---|---|
//! | `never` | never blocks for long: the crossing makes the call itself, without entering the runtime |
//! | `direct(f)` | never blocks, but means something else for a task than for a thread: `f` answers it |
//! | `coop(f)` | may block: the async fn `f` suspends only its task |
//! | `pool` | may block and cannot be polled, but ends by itself: a pool thread makes the call while the task waits |
//! | `brief` | the same, and mostly quick: in line as long as it is |
//! | `waits` | the same, and ends only when somebody else makes it: a thread of its own, never behind other calls |
//! | `special(f)` | `f` decides how the task goes on: it changes what runs, or waits for some of what it does only |
//!
//! Everything that lists or counts calls comes from here. A number without a row (a newer kernel's) is passed through, counted,
//! and named once in the log.

use super::futex::multiple;
use super::{
    apart, clock, close, connect, file, futex, identity, ioctl, ipc, locked, memory, open, poll,
    process, quick, regular, rings, robust, scheduling, signal, socket, splice, system, thread,
    time, timer, wait,
};
use super::{Call, Outcome};
use std::sync::atomic::{AtomicU8, Ordering};

/// What a call is about; the file under `syscalls/` that has its handler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Family {
    File,
    Poll,
    Socket,
    Time,
    Futex,
    Thread,
    Process,
    Identity,
    Signal,
    Memory,
    Ipc,
    System,
}

/// How a call is answered; see the module's table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Class {
    Never,
    Direct,
    Cooperative,
    Pool,
    Brief,
    Waits,
    Special,
}

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// The call's number.
    pub number: usize,
    /// The call's name.
    pub name: &'static str,
    /// What it is about.
    pub family: Family,
    /// How it is answered.
    pub class: Class,
    /// What a user should know of it; often empty.
    pub note: &'static str,
    pub(super) enter: fn(Call) -> Outcome,
}

/// One more than the highest number that has a row.
pub const LENGTH: usize = 470;

macro_rules! class {
    (never) => {
        Class::Never
    };
    (direct($f:path)) => {
        Class::Direct
    };
    (coop($f:path)) => {
        Class::Cooperative
    };
    (pool) => {
        Class::Pool
    };
    (brief) => {
        Class::Brief
    };
    (waits) => {
        Class::Waits
    };
    (special($f:path)) => {
        Class::Special
    };
}

macro_rules! enter {
    (never) => {
        super::pass
    };
    (direct($f:path)) => {
        |call| super::direct($f, call)
    };
    (coop($f:path)) => {
        |call| super::cooperate($f, call)
    };
    (pool) => {
        |call| super::cooperate(super::in_pool, call)
    };
    (brief) => {
        super::brief::make
    };
    (waits) => {
        |call| super::cooperate(super::waits_in_pool, call)
    };
    (special($f:path)) => {
        |call| $f(call)
    };
}

macro_rules! rows {
    ($($number:literal $name:ident $family:ident $class:ident $(($f:path))? $(, $note:literal)? ;)*) => {
        /// The rows, by number.
        pub static ROWS: &[Row] = &[$( Row {
            number: $number,
            name: stringify!($name),
            family: Family::$family,
            class: class!($class $(($f))?),
            note: concat!($($note)?),
            enter: enter!($class $(($f))?),
        } ),*];
    };
}

rows! {
      0 read                     File      special(regular::read);
      1 write                    File      special(regular::write);
      2 open                     File      coop(open::open), "FIFOs and devices open in the pool";
      3 close                    File      coop(close::close), "a socket that lingers (SO_LINGER) is closed in the pool";
      4 stat                     File      never;
      5 fstat                    File      never;
      6 lstat                    File      never;
      7 poll                     Poll      coop(poll::poll);
      8 lseek                    File      never;
      9 mmap                     Memory    direct(memory::mmap);
     10 mprotect                 Memory    direct(memory::mprotect);
     11 munmap                   Memory    direct(memory::munmap);
     12 brk                      Memory    never;
     13 rt_sigaction             Signal    direct(signal::rt_sigaction);
     14 rt_sigprocmask           Signal    direct(signal::rt_sigprocmask);
     15 rt_sigreturn             Signal    never;
     16 ioctl                    File      coop(ioctl::ioctl), "devices and terminal drains wait in the pool; terminals, sockets and what is known to be quick run in line";
     17 pread64                  File      special(regular::pread);
     18 pwrite64                 File      special(regular::pwrite);
     19 readv                    File      special(file::readv);
     20 writev                   File      special(file::writev);
     21 access                   File      never;
     22 pipe                     File      direct(open::pipe);
     23 select                   Poll      coop(poll::select);
     24 sched_yield              Thread    special(thread::sched_yield);
     25 mremap                   Memory    direct(memory::mremap);
     26 msync                    Memory    brief;
     27 mincore                  Memory    never;
     28 madvise                  Memory    direct(memory::madvise);
     29 shmget                   Ipc       never;
     30 shmat                    Ipc       direct(memory::shmat);
     31 shmctl                   Ipc       never;
     32 dup                      File      direct(close::dup);
     33 dup2                     File      direct(close::dup2);
     34 pause                    Signal    coop(signal::pause);
     35 nanosleep                Time      coop(time::nanosleep);
     36 getitimer                Time      never;
     37 alarm                    Time      direct(timer::set);
     38 setitimer                Time      direct(timer::set);
     39 getpid                   Process   never;
     40 sendfile                 File      coop(splice::sendfile);
     41 socket                   Socket    direct(connect::socket);
     42 connect                  Socket    coop(connect::connect);
     43 accept                   Socket    coop(connect::accept);
     44 sendto                   Socket    special(socket::sendto);
     45 recvfrom                 Socket    special(socket::recvfrom);
     46 sendmsg                  Socket    special(socket::sendmsg);
     47 recvmsg                  Socket    special(socket::recvmsg);
     48 shutdown                 Socket    direct(connect::shutdown);
     49 bind                     Socket    never;
     50 listen                   Socket    never;
     51 getsockname              Socket    never;
     52 getpeername              Socket    never;
     53 socketpair               Socket    direct(connect::socketpair);
     54 setsockopt               Socket    direct(connect::setsockopt);
     55 getsockopt               Socket    never;
     56 clone                    Thread    special(thread::clone);
     57 fork                     Process   special(process::fork);
     58 vfork                    Process   special(process::vfork);
     59 execve                   Process   special(process::execve);
     60 exit                     Thread    special(thread::exit);
     61 wait4                    Process   coop(wait::wait4);
     62 kill                     Signal    direct(signal::kill);
     63 uname                    Process   never;
     64 semget                   Ipc       never;
     65 semop                    Ipc       coop(ipc::semop);
     66 semctl                   Ipc       never;
     67 shmdt                    Ipc       direct(memory::shmdt);
     68 msgget                   Ipc       never;
     69 msgsnd                   Ipc       coop(ipc::msgsnd);
     70 msgrcv                   Ipc       coop(ipc::msgrcv);
     71 msgctl                   Ipc       never;
     72 fcntl                    File      coop(file::fcntl);
     73 flock                    File      coop(file::flock), "a waiter has a pool thread";
     74 fsync                    File      brief;
     75 fdatasync                File      brief;
     76 truncate                 File      brief;
     77 ftruncate                File      brief;
     78 getdents                 File      brief;
     79 getcwd                   File      never;
     80 chdir                    File      never;
     81 fchdir                   File      never;
     82 rename                   File      brief;
     83 mkdir                    File      never;
     84 rmdir                    File      brief;
     85 creat                    File      coop(open::creat);
     86 link                     File      never;
     87 unlink                   File      brief;
     88 symlink                  File      never;
     89 readlink                 File      never;
     90 chmod                    File      never;
     91 fchmod                   File      never;
     92 chown                    File      never;
     93 fchown                   File      never;
     94 lchown                   File      never;
     95 umask                    File      never;
     96 gettimeofday             Time      never;
     97 getrlimit                Process   never;
     98 getrusage                Process   direct(clock::getrusage), "of a task its CPU time, of which the kernel's part is as large as the process's; all else is the process's";
     99 sysinfo                  Process   never;
    100 times                    Time      never;
    101 ptrace                   Process   direct(apart::ptrace);
    102 getuid                   Identity  never;
    103 syslog                   System    waits;
    104 getgid                   Identity  never;
    105 setuid                   Identity  direct(identity::set_ids);
    106 setgid                   Identity  direct(identity::set_ids);
    107 geteuid                  Identity  never;
    108 getegid                  Identity  never;
    109 setpgid                  Process   direct(process::setpgid);
    110 getppid                  Process   never;
    111 getpgrp                  Process   never;
    112 setsid                   Process   never;
    113 setreuid                 Identity  direct(identity::set_ids);
    114 setregid                 Identity  direct(identity::set_ids);
    115 getgroups                Identity  never;
    116 setgroups                Identity  direct(identity::set_ids);
    117 setresuid                Identity  direct(identity::set_ids);
    118 getresuid                Identity  never;
    119 setresgid                Identity  direct(identity::set_ids);
    120 getresgid                Identity  never;
    121 getpgid                  Process   direct(process::about_process);
    122 setfsuid                 Identity  direct(apart::set_fs_id);
    123 setfsgid                 Identity  direct(apart::set_fs_id);
    124 getsid                   Process   direct(process::about_process);
    125 capget                   Identity  direct(identity::capget);
    126 capset                   Identity  direct(identity::capset);
    127 rt_sigpending            Signal    direct(signal::rt_sigpending);
    128 rt_sigtimedwait          Signal    coop(signal::rt_sigtimedwait);
    129 rt_sigqueueinfo          Signal    direct(signal::rt_sigqueueinfo);
    130 rt_sigsuspend            Signal    coop(signal::rt_sigsuspend);
    131 sigaltstack              Signal    direct(signal::sigaltstack);
    132 utime                    File      never;
    133 mknod                    File      never;
    134 uselib                   System    never;
    135 personality              Process   direct(apart::personality);
    136 ustat                    File      never;
    137 statfs                   File      never;
    138 fstatfs                  File      never;
    139 sysfs                    File      never;
    140 getpriority              Thread    direct(scheduling::getpriority);
    141 setpriority              Thread    direct(scheduling::setpriority);
    142 sched_setparam           Thread    direct(scheduling::sched_setparam);
    143 sched_getparam           Thread    direct(scheduling::sched_getparam);
    144 sched_setscheduler       Thread    direct(scheduling::sched_setscheduler);
    145 sched_getscheduler       Thread    direct(scheduling::sched_getscheduler);
    146 sched_get_priority_max   Thread    never;
    147 sched_get_priority_min   Thread    never;
    148 sched_rr_get_interval    Thread    direct(scheduling::sched_rr_get_interval);
    149 mlock                    Memory    never;
    150 munlock                  Memory    never;
    151 mlockall                 Memory    coop(locked::mlockall), "in the pool";
    152 munlockall               Memory    direct(locked::munlockall);
    153 vhangup                  System    never;
    154 modify_ldt               Thread    never;
    155 pivot_root               File      never;
    156 _sysctl                  System    never;
    157 prctl                    Thread    direct(thread::prctl);
    158 arch_prctl               Thread    direct(thread::arch_prctl);
    159 adjtimex                 Time      never;
    160 setrlimit                Process   never;
    161 chroot                   File      never;
    162 sync                     File      pool;
    163 acct                     Process   never;
    164 settimeofday             Time      never;
    165 mount                    File      pool;
    166 umount2                  File      pool;
    167 swapon                   File      pool;
    168 swapoff                  File      pool;
    169 reboot                   System    pool;
    170 sethostname              System    never;
    171 setdomainname            System    never;
    172 iopl                     System    direct(apart::simply);
    173 ioperm                   System    direct(apart::simply);
    174 create_module            System    never;
    175 init_module              System    pool;
    176 delete_module            System    pool;
    177 get_kernel_syms          System    never;
    178 query_module             System    never;
    179 quotactl                 File      never;
    180 nfsservctl               System    never;
    181 getpmsg                  System    never;
    182 putpmsg                  System    never;
    183 afs_syscall              System    never;
    184 tuxcall                  System    never;
    185 security                 System    never;
    186 gettid                   Thread    direct(thread::gettid);
    187 readahead                File      pool;
    188 setxattr                 File      never;
    189 lsetxattr                File      never;
    190 fsetxattr                File      never;
    191 getxattr                 File      never;
    192 lgetxattr                File      never;
    193 fgetxattr                File      never;
    194 listxattr                File      never;
    195 llistxattr               File      never;
    196 flistxattr               File      never;
    197 removexattr              File      never;
    198 lremovexattr             File      never;
    199 fremovexattr             File      never;
    200 tkill                    Signal    direct(signal::tkill);
    201 time                     Time      never;
    202 futex                    Futex     special(futex::futex);
    203 sched_setaffinity        Thread    direct(scheduling::sched_setaffinity);
    204 sched_getaffinity        Thread    direct(scheduling::sched_getaffinity);
    205 set_thread_area          Thread    never;
    206 io_setup                 File      never;
    207 io_destroy               File      never;
    208 io_getevents             File      coop(rings::io_getevents), "a waiter has a pool thread";
    209 io_submit                File      never;
    210 io_cancel                File      never;
    211 get_thread_area          Thread    never;
    212 lookup_dcookie           File      never;
    213 epoll_create             Poll      never;
    214 epoll_ctl_old            Poll      never;
    215 epoll_wait_old           Poll      never;
    216 remap_file_pages         Memory    never;
    217 getdents64               File      brief;
    218 set_tid_address          Thread    direct(thread::set_tid_address);
    219 restart_syscall          Signal    never;
    220 semtimedop               Ipc       coop(ipc::semtimedop);
    221 fadvise64                File      never;
    222 timer_create             Time      direct(timer::create);
    223 timer_settime            Time      direct(timer::settime);
    224 timer_gettime            Time      direct(timer::gettime);
    225 timer_getoverrun         Time      direct(timer::getoverrun);
    226 timer_delete             Time      direct(timer::delete);
    227 clock_settime            Time      direct(clock::settime);
    228 clock_gettime            Time      direct(clock::gettime);
    229 clock_getres             Time      direct(clock::getres);
    230 clock_nanosleep          Time      coop(time::clock_nanosleep);
    231 exit_group               Process   special(process::exit_group);
    232 epoll_wait               Poll      special(poll::epoll_wait);
    233 epoll_ctl                Poll      never;
    234 tgkill                   Signal    direct(signal::tgkill);
    235 utimes                   File      never;
    236 vserver                  System    never;
    237 mbind                    Memory    never;
    238 set_mempolicy            Memory    never;
    239 get_mempolicy            Memory    never;
    240 mq_open                  Ipc       never;
    241 mq_unlink                Ipc       never;
    242 mq_timedsend             Ipc       coop(ipc::mq_timedsend);
    243 mq_timedreceive          Ipc       coop(ipc::mq_timedreceive);
    244 mq_notify                Ipc       direct(ipc::mq_notify), "a signal that it asks for comes before the result of the task's own mq_timedsend";
    245 mq_getsetattr            Ipc       never;
    246 kexec_load               System    never;
    247 waitid                   Process   coop(wait::waitid);
    248 add_key                  System    coop(apart::keys);
    249 request_key              System    coop(apart::keys);
    250 keyctl                   System    coop(apart::keys);
    251 ioprio_set               Thread    direct(scheduling::ioprio_set);
    252 ioprio_get               Thread    direct(scheduling::ioprio_get);
    253 inotify_init             File      never;
    254 inotify_add_watch        File      never;
    255 inotify_rm_watch         File      never;
    256 migrate_pages            Memory    coop(process::on_memory);
    257 openat                   File      coop(open::openat);
    258 mkdirat                  File      never;
    259 mknodat                  File      never;
    260 fchownat                 File      never;
    261 futimesat                File      never;
    262 newfstatat               File      never;
    263 unlinkat                 File      brief;
    264 renameat                 File      brief;
    265 linkat                   File      never;
    266 symlinkat                File      never;
    267 readlinkat               File      never;
    268 fchmodat                 File      never;
    269 faccessat                File      never;
    270 pselect6                 Poll      coop(poll::pselect6);
    271 ppoll                    Poll      coop(poll::ppoll);
    272 unshare                  Process   direct(apart::unshare);
    273 set_robust_list          Futex     direct(robust::set_robust_list);
    274 get_robust_list          Futex     direct(robust::get_robust_list);
    275 splice                   File      coop(splice::splice);
    276 tee                      File      coop(splice::tee);
    277 sync_file_range          File      brief;
    278 vmsplice                 File      coop(splice::vmsplice);
    279 move_pages               Memory    coop(process::on_memory);
    280 utimensat                File      never;
    281 epoll_pwait              Poll      coop(poll::epoll_pwait);
    282 signalfd                 Signal    direct(signal::signalfd);
    283 timerfd_create           File      never;
    284 eventfd                  File      never;
    285 fallocate                File      brief;
    286 timerfd_settime          File      never;
    287 timerfd_gettime          File      never;
    288 accept4                  Socket    coop(connect::accept4);
    289 signalfd4                Signal    direct(signal::signalfd);
    290 eventfd2                 File      never;
    291 epoll_create1            Poll      never;
    292 dup3                     File      direct(close::dup3);
    293 pipe2                    File      direct(open::pipe);
    294 inotify_init1            File      never;
    295 preadv                   File      special(regular::pread);
    296 pwritev                  File      special(regular::pwrite);
    297 rt_tgsigqueueinfo        Signal    direct(signal::rt_tgsigqueueinfo);
    298 perf_event_open          System    never;
    299 recvmmsg                 Socket    coop(socket::recvmmsg);
    300 fanotify_init            File      never;
    301 fanotify_mark            File      never;
    302 prlimit64                Process   direct(process::about_process);
    303 name_to_handle_at        File      never;
    304 open_by_handle_at        File      brief;
    305 clock_adjtime            Time      never;
    306 syncfs                   File      pool;
    307 sendmmsg                 Socket    coop(socket::sendmmsg);
    308 setns                    Process   direct(apart::simply);
    309 getcpu                   Thread    never;
    310 process_vm_readv         Process   coop(process::on_memory);
    311 process_vm_writev        Process   coop(process::on_memory);
    312 kcmp                     Process   direct(process::kcmp);
    313 finit_module             System    pool;
    314 sched_setattr            Thread    direct(scheduling::sched_setattr);
    315 sched_getattr            Thread    direct(scheduling::sched_getattr);
    316 renameat2                File      brief;
    317 seccomp                  Process   direct(apart::seccomp);
    318 getrandom                System    coop(system::getrandom), "up to 256 bytes in line, more in the pool";
    319 memfd_create             File      never;
    320 kexec_file_load          System    never;
    321 bpf                      System    never;
    322 execveat                 Process   special(process::execveat);
    323 userfaultfd              Memory    never;
    324 membarrier               Thread    never;
    325 mlock2                   Memory    never;
    326 copy_file_range          File      pool;
    327 preadv2                  File      coop(file::preadv2);
    328 pwritev2                 File      coop(file::pwritev2);
    329 pkey_mprotect            Memory    never;
    330 pkey_alloc               Memory    never;
    331 pkey_free                Memory    never;
    332 statx                    File      never;
    333 io_pgetevents            File      coop(rings::io_pgetevents), "a waiter has a pool thread";
    334 rseq                     Thread    direct(thread::rseq);
    424 pidfd_send_signal        Process   never;
    425 io_uring_setup           File      direct(rings::setup), "SINGLE_ISSUER and DEFER_TASKRUN are taken and not kept";
    426 io_uring_enter           File      coop(rings::enter), "submits in line, waits for the ring's readiness";
    427 io_uring_register        File      coop(rings::register), "no registered rings";
    428 open_tree                File      never;
    429 move_mount               File      never;
    430 fsopen                   File      never;
    431 fsconfig                 File      never;
    432 fsmount                  File      never;
    433 fspick                   File      never;
    434 pidfd_open               Process   direct(process::pidfd_open);
    435 clone3                   Thread    special(thread::clone3);
    436 close_range              File      direct(close::close_range);
    437 openat2                  File      coop(open::openat2);
    438 pidfd_getfd              File      direct(close::pidfd_getfd);
    439 faccessat2               File      never;
    440 process_madvise          Process   never;
    441 epoll_pwait2             Poll      coop(poll::epoll_pwait2);
    442 mount_setattr            File      never;
    443 quotactl_fd              File      never;
    444 landlock_create_ruleset  System    never;
    445 landlock_add_rule        System    never;
    446 landlock_restrict_self   System    direct(apart::make_unless_alone);
    447 memfd_secret             File      never;
    448 process_mrelease         Process   pool;
    449 futex_waitv              Futex     coop(multiple::futex_waitv), "for words that other processes share a pool thread waits";
    450 set_mempolicy_home_node  Memory    never;
    451 cachestat                File      never;
    452 fchmodat2                File      never;
    453 map_shadow_stack         Memory    never;
    454 futex_wake               Futex     direct(multiple::futex_wake);
    455 futex_wait               Futex     coop(multiple::futex_wait);
    456 futex_requeue            Futex     direct(multiple::futex_requeue);
    457 statmount                File      never;
    458 listmount                File      never;
    459 lsm_get_self_attr        System    never;
    460 lsm_set_self_attr        System    never;
    461 lsm_list_modules         System    never;
    462 mseal                    Memory    never;
    463 setxattrat               File      never;
    464 getxattrat               File      never;
    465 listxattrat              File      never;
    466 removexattrat            File      never;
    467 open_tree_attr           File      never;
    468 file_getattr             File      never;
    469 file_setattr             File      never;
}

/// For the crossing: 0 for each number whose call it makes itself, 1 for what enters the runtime, 2 for what it has answered on the
/// way if possible.
pub static COOP_ENTERS: [AtomicU8; LENGTH] = {
    let mut enters = [const { AtomicU8::new(1) }; LENGTH];
    let mut i = 0;
    while i < ROWS.len() {
        if matches!(ROWS[i].class, Class::Never) {
            enters[ROWS[i].number] = AtomicU8::new(0);
        }
        i += 1;
    }
    let mut i = 0;
    while i < quick::NUMBERS.len() {
        enters[quick::NUMBERS[i] as usize] = AtomicU8::new(2);
        i += 1;
    }
    enters
};

/// From now on all calls enter the runtime.
pub(super) fn leave_none_to_the_crossing() {
    for enters in &COOP_ENTERS {
        enters.store(1, Ordering::Relaxed);
    }
}

/// By number: the row, plus one.
static INDEX: [u16; LENGTH] = {
    let mut index = [0; LENGTH];
    let mut i = 0;
    while i < ROWS.len() {
        #[allow(clippy::cast_possible_truncation)]
        {
            index[ROWS[i].number] = i as u16 + 1;
        }
        i += 1;
    }
    index
};

/// The row of a number.
pub fn row(number: usize) -> Option<&'static Row> {
    let at = *INDEX.get(number)?;
    ROWS.get(usize::from(at).wrapping_sub(1))
}

/// The name of a number, for the log and the dumps.
pub fn name(number: i32) -> &'static str {
    match number {
        -1 => "running",
        n => usize::try_from(n)
            .ok()
            .and_then(row)
            .map_or("unknown", |r| r.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_unique() {
        assert!(ROWS.windows(2).all(|w| w[0].number < w[1].number));
        assert!(ROWS.iter().all(|r| r.number < LENGTH));
    }

    #[test]
    fn every_number_of_the_abi_has_a_row() {
        // 0 to 334 and 424 to the highest known, but for numbers that x86-64 never used.
        let missing: Vec<usize> = (0..335)
            .chain(424..LENGTH)
            .filter(|n| row(*n).is_none())
            .collect();
        assert!(missing.is_empty(), "no row for {missing:?}");
    }

    #[test]
    fn numbers_agree_with_libc() {
        for (number, name) in [
            (libc::SYS_read, "read"),
            (libc::SYS_futex, "futex"),
            (libc::SYS_clone3, "clone3"),
            (libc::SYS_epoll_pwait2, "epoll_pwait2"),
            (libc::SYS_mseal, "mseal"),
        ] {
            assert_eq!(row(number as usize).unwrap().name, name);
        }
    }
}
