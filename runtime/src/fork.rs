//! Forks: telling a child from its parent without a system call, and keeping threads out of short sections while one is made.
//!
//! A child has only the thread that forked. Invariant: no process forks while a [`Section`] runs, so that a child never finds a lock of
//! one taken, nor what it guards half changed. Sections are short, call nothing that is told of, and are never nested. A fork waits
//! for them a bounded time: one made in the middle of a section of its own thread, by a signal handler, goes on. What `pthread_atfork`
//! does not tell of goes unnoticed: `_Fork`, `vfork` and the system calls made directly. Such a child may not use an engine.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

/// How long a fork waits for the sections of other threads, which take microseconds.
const WAIT_MAX: Duration = Duration::from_millis(200);

/// Forks between the first process and this one.
static GENERATION: AtomicU64 = AtomicU64::new(0);
static SECTIONS: AtomicU32 = AtomicU32::new(0);
static FORKS_UNDER_WAY: AtomicU32 = AtomicU32::new(0);
static WATCHED: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    fn pthread_atfork(
        before: Option<extern "C" fn()>,
        in_parent: Option<extern "C" fn()>,
        in_child: Option<extern "C" fn()>,
    ) -> i32;
}

/// What tells this process from those it was forked from and from its children: a function that gives another number there.
pub(crate) fn process() -> fn() -> u64 {
    match watch() {
        true => || GENERATION.load(SeqCst),
        false => || u64::from(std::process::id()),
    }
}

/// Sees to it that forks are noticed from now on; whether they are. Two threads that come first at once both do it: no harm is in that.
fn watch() -> bool {
    if !WATCHED.load(SeqCst) {
        // SAFETY: the C library keeps the functions, which are `extern "C"`, never unwind and stay as long as this code is loaded
        // (it forgets the handlers of a library that is closed).
        let outcome = unsafe { pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
        if outcome == 0 {
            WATCHED.store(true, SeqCst);
        }
    }
    WATCHED.load(SeqCst)
}

extern "C" fn before() {
    FORKS_UNDER_WAY.fetch_add(1, SeqCst);
    if SECTIONS.load(SeqCst) == 0 {
        return;
    }
    let deadline = Instant::now() + WAIT_MAX;
    while SECTIONS.load(SeqCst) > 0 && Instant::now() < deadline {
        thread::yield_now();
    }
}

extern "C" fn in_parent() {
    let _one_less = FORKS_UNDER_WAY.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1));
}

extern "C" fn in_child() {
    // The other threads are gone, with the forks that they were making.
    FORKS_UNDER_WAY.store(0, SeqCst);
    SECTIONS.store(0, SeqCst);
    GENERATION.fetch_add(1, SeqCst);
}

/// While it lives, the process does not fork.
pub(crate) struct Section(());

impl Section {
    /// Waits for forks under way to be over.
    pub(crate) fn enter() -> Section {
        watch();
        loop {
            SECTIONS.fetch_add(1, SeqCst);
            if FORKS_UNDER_WAY.load(SeqCst) == 0 {
                return Section(());
            }
            leave();
            thread::yield_now();
        }
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        leave();
    }
}

fn leave() {
    let _one_less = SECTIONS.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1));
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::Mutex;

    unsafe extern "C" {
        fn fork() -> i32;
        fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
        fn _exit(status: i32) -> !;
    }

    /// Whether a forked child says so of itself.
    pub(crate) fn child_says(well: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child asks `well`, which takes no lock but to try, and ends.
        let pid = unsafe { fork() };
        if pid == 0 {
            let well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(well));
            // SAFETY: ends the child at once, without the test harness's exit handlers.
            unsafe { _exit(i32::from(!well.unwrap_or(false))) }
        }
        let mut status = -1;
        // SAFETY: the status is this function's own.
        let waited = unsafe { waitpid(pid, &mut status, 0) };
        waited == pid && status == 0
    }

    #[test]
    fn row_32_no_child_finds_what_a_section_guards_locked_and_each_knows_itself() {
        static LOCK: Mutex<u64> = Mutex::new(0);
        let over = AtomicBool::new(false);
        let process = process();
        let parent = process();
        thread::scope(|scope| {
            // Locked nearly all the time, by two threads in turn.
            for _ in 0..2 {
                scope.spawn(|| {
                    while !over.load(SeqCst) {
                        let _section = Section::enter();
                        let mut count = LOCK.lock().unwrap();
                        let begin = Instant::now();
                        while begin.elapsed() < Duration::from_micros(300) {
                            *count += 1;
                        }
                    }
                });
            }
            let well =
                (0..50).all(|_| child_says(|| LOCK.try_lock().is_ok() && process() != parent));
            over.store(true, SeqCst);
            assert!(
                well,
                "a child found the lock taken, or took itself for its parent"
            );
        });
        assert_eq!(process(), parent);
    }

    #[test]
    #[cfg(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    ))]
    fn a_hit_in_memory_makes_no_system_call() {
        use parloop_cache::{ClassCache, ClassLimits, Cost, Key};
        use std::sync::Arc;
        unsafe extern "C" {
            fn prctl(option: i32, ...) -> i32;
            fn syscall(number: i64, ...) -> i64;
        }
        const PR_SET_SECCOMP: i32 = 22;
        const STRICT: usize = 1;
        const SYS_EXIT: i64 = if cfg!(target_arch = "x86_64") { 60 } else { 93 };
        let asks = |process: fn() -> u64| {
            let cache = ClassCache::with_process(ClassLimits::default(), Arc::new(()), process);
            let (key, time) = (Key::new([7; 32]), Duration::from_micros(500));
            cache.insert(key, Arc::new(5u64), Cost { bytes: 8, time });
            let mut hits = u64::from(cache.get(&key).is_some());
            // SAFETY: from here on the kernel ends this process, a child, at any call but read, write and exit.
            let confined = unsafe { prctl(PR_SET_SECCOMP, STRICT, 0usize, 0usize, 0usize) } == 0;
            hits += (0..100).filter(|_| cache.get(&key).is_some()).count() as u64;
            // SAFETY: ends the child, whose only thread this is, as what `_exit` does is not allowed.
            unsafe { syscall(SYS_EXIT, i64::from(hits != 101)) };
            confined
        };
        assert!(child_says(|| asks(process())), "a hit made a system call");
        // Where processes may be confined, one that asks for its number is found out.
        let confined = child_says(|| {
            // SAFETY: as above.
            let confined = unsafe { prctl(PR_SET_SECCOMP, STRICT, 0usize, 0usize, 0usize) } == 0;
            // SAFETY: as above.
            unsafe { syscall(SYS_EXIT, i64::from(!confined)) };
            confined
        });
        let asking = child_says(|| asks(|| u64::from(std::process::id())));
        assert!(!confined || !asking, "the check itself finds nothing");
    }

    #[test]
    fn a_fork_in_the_middle_of_a_section_of_its_own_thread_goes_on() {
        let section = Section::enter();
        assert!(child_says(|| {
            drop(Section::enter());
            true
        }));
        drop(section);
        drop(Section::enter());
    }
}
