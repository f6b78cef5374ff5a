//! What the arena promises: loads share chunks, each page has one owner at a time and goes back with it, however many threads load,
//! whatever fails, and in children of a fork. Most tests have an arena of their own, so that nobody else takes of it.

use super::super::arena::{Arena, CHUNK_BYTES, SHARED_BYTES_MAX};
use super::super::memory::{CodeMemory, Draft};
use super::mapping::{bytes_at, permissions};
use super::{LoadError, code_pages, mappings};
use crate::fork::tests::child_says;
use rustix::param::page_size;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

/// Memory of so many bytes, filled with `stamp`, which was zeros before.
fn code(arena: &Arena, bytes: usize, stamp: u8) -> Result<CodeMemory, LoadError> {
    let mut draft = Draft::of(arena, bytes)?;
    assert!(draft.bytes().iter().all(|byte| *byte == 0));
    draft.bytes().fill(stamp);
    draft.finish(bytes)
}

/// An arena whose next chunk has the full length.
fn grown() -> Arena {
    let arena = Arena::new();
    for _ in 0..3 {
        drop(code(&arena, SHARED_BYTES_MAX, 1).unwrap());
    }
    arena
}

fn address(memory: &CodeMemory) -> usize {
    memory.code_range().0
}

/// Whether all of it is still as it was filled.
fn is_stamped(memory: &CodeMemory, stamp: u8) -> bool {
    let (address, bytes) = memory.code_range();
    bytes_at(address, bytes).iter().all(|byte| *byte == stamp)
}

#[test]
fn loads_share_a_chunk_and_each_has_its_own_pages() {
    let (arena, page) = (Arena::new(), page_size());
    let first = code(&arena, 100, 1).unwrap();
    let second = code(&arena, page + 1, 2).unwrap();
    let third = Draft::of(&arena, 3).unwrap();
    let start = address(&first);
    assert_eq!(address(&second), start + page);
    assert_eq!(third.address(), start + 3 * page);
    for (n, rights) in ["r-xp", "r-xp", "r-xp", "rw-p", "rw-p"].iter().enumerate() {
        assert_eq!(permissions(start + n * page).unwrap(), *rights, "page {n}");
    }
    let bytes = [&first, &second].map(CodeMemory::mapped_bytes);
    assert_eq!(bytes, [page, 2 * page], "whole pages, and no others");
    assert!(is_stamped(&first, 1) && is_stamped(&second, 2));
}

#[test]
fn large_code_has_a_mapping_of_its_own() {
    let (arena, page) = (grown(), page_size());
    let before = code(&arena, 1, 1).unwrap();
    let large = code(&arena, SHARED_BYTES_MAX + 1, 2).unwrap();
    let after = code(&arena, SHARED_BYTES_MAX, 3).unwrap();
    assert_eq!(address(&after), address(&before) + page);
    let in_chunk = address(&before)..address(&before) + CHUNK_BYTES;
    assert!(!in_chunk.contains(&address(&large)));
    assert_eq!(large.mapped_bytes(), SHARED_BYTES_MAX + page);
}

#[test]
fn the_first_loops_of_a_process_populate_little_in_vain() {
    let page = page_size();
    // Where each chunk ended. One may by chance follow the one before: tried again if so.
    let ends = || {
        let (arena, mut ends) = (Arena::new(), Vec::new());
        let mut held = vec![code(&arena, page, 1).unwrap()];
        while held.len() * page < 2 * CHUNK_BYTES {
            let next = code(&arena, page, 1).unwrap();
            if address(&next) != address(held.last().unwrap()) + page {
                ends.push(held.len() * page);
            }
            held.push(next);
        }
        ends
    };
    let doubling = [1, 3, 7].map(|quarters| quarters * CHUNK_BYTES / 4);
    assert!((0..10).any(|_| ends() == doubling));
}

#[test]
fn what_is_left_and_too_little_is_given_back_for_the_next_chunk() {
    // Whoever maps something meanwhile may get the place: tried again if so.
    let gone = || {
        let (arena, page) = (grown(), page_size());
        let pages = CHUNK_BYTES / page;
        let most: Vec<CodeMemory> = (2..pages).map(|_| code(&arena, 1, 1).unwrap()).collect();
        let wide = code(&arena, 3 * page, 2).unwrap();
        let next = code(&arena, page, 3).unwrap();
        assert_eq!(address(&next), address(&wide) + 3 * page);
        assert!(most.iter().all(|memory| is_stamped(memory, 1)));
        let last = most.last().map(address).unwrap();
        [1, 2].map(|n| permissions(last + n * page)) == [None, None]
    };
    assert!((0..10).any(|_| gone()));
}

#[test]
fn threads_that_take_at_once_never_get_the_same_page() {
    let chunk_pages = CHUNK_BYTES / page_size();
    for _ in 0..500 {
        let (arena, ready) = (grown(), AtomicUsize::new(0));
        let first = Draft::of(&arena, 1).unwrap();
        // Woken threads would come one after the other.
        let take = || {
            ready.fetch_add(1, SeqCst);
            while ready.load(SeqCst) < 2 {
                std::hint::spin_loop();
            }
            let drafts = (2..chunk_pages).step_by(2);
            drafts
                .map(|_| Draft::of(&arena, 1).unwrap())
                .collect::<Vec<_>>()
        };
        let drafts: Vec<Draft> = std::thread::scope(|scope| {
            let other = scope.spawn(take);
            let own = take();
            own.into_iter().chain(other.join().unwrap()).collect()
        });
        let start = first.address();
        let mut taken: Vec<usize> = drafts.iter().map(Draft::address).collect();
        taken.sort_unstable();
        let expected = (1..=taken.len()).map(|n| start + n * page_size());
        assert!(taken.iter().copied().eq(expected));
    }
}

#[test]
fn pages_between_others_go_with_their_code_and_the_rest_of_a_chunk_with_its_arena() {
    // Whoever maps something meanwhile may get the place: tried again if so.
    let gone = || {
        let (arena, page) = (Arena::new(), page_size());
        let [first, middle, last] = [1, 2, 3].map(|stamp| code(&arena, page, stamp).unwrap());
        let (start, rest) = (address(&first), address(&last) + page);
        drop(middle);
        let middle_gone = permissions(start + page).is_none();
        assert!(is_stamped(&first, 1) && is_stamped(&last, 3));
        drop(arena);
        let rest_gone = permissions(rest).is_none();
        assert!(is_stamped(&first, 1) && is_stamped(&last, 3));
        middle_gone && rest_gone
    };
    assert!((0..10).any(|_| gone()));
}

/// What of this process lies in memory, in pages.
fn resident_pages() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn ten_thousand_loads_that_are_dropped_leave_nothing_behind() {
    let arena = Arena::new();
    // Other tests run beside this one, some of which hold thousands of pages for a moment.
    let grown = || {
        let before = (resident_pages(), code_pages());
        for n in 0..10_000 {
            drop(code(&arena, (n % 9) * page_size() + 1, 7).unwrap());
        }
        let grown = |now: usize, before| now.saturating_sub(before) < 10_000;
        grown(resident_pages(), before.0) && grown(code_pages(), before.1)
    };
    assert!((0..5).any(|_| grown()), "most of 50,000 pages are held");
}

/// Loads and drops in many sizes and orders, and looks whether all stays as it was put; whether so.
fn load_and_drop(arena: &Arena, rounds: usize, seed: usize) -> bool {
    let mut held: Vec<(CodeMemory, u8)> = Vec::new();
    (0..rounds).all(|round| {
        let random = (round + 1000 * seed).wrapping_mul(0x9e37_79b9) >> 7;
        let (bytes, stamp) = (random % (10 * page_size()) + 1, (random % 251) as u8 + 1);
        let Ok(memory) = code(arena, bytes, stamp) else {
            return false;
        };
        held.push((memory, stamp));
        let well = held
            .iter()
            .all(|(memory, stamp)| is_stamped(memory, *stamp));
        if held.len() > 8 {
            drop(held.swap_remove(random % 8));
        }
        well
    })
}

#[test]
fn row_s18_threads_share_chunks_and_no_page_is_writable_and_executable_or_has_two_owners() {
    let (arena, running) = (Arena::new(), AtomicUsize::new(4));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|seed| {
                let (arena, running) = (&arena, &running);
                scope.spawn(move || {
                    let well = load_and_drop(arena, 1500, seed);
                    running.fetch_sub(1, SeqCst);
                    well
                })
            })
            .collect();
        while running.load(SeqCst) > 0 {
            assert_eq!(mappings("rwx") + mappings("-wx"), 0);
        }
        for thread in threads {
            assert!(thread.join().unwrap());
        }
    });
}

#[test]
fn row_32_children_forked_while_threads_load_take_pages_of_their_own() {
    let (arena, running) = (Arena::new(), AtomicUsize::new(2));
    let kept = code(&arena, 5000, 9).unwrap();
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let (arena, running) = (&arena, &running);
            scope.spawn(move || {
                while running.load(SeqCst) > 0 {
                    assert!(load_and_drop(arena, 20, seed));
                }
            });
        }
        let well = (0..30).all(|_| child_says(|| load_and_drop(&arena, 50, 3)));
        running.store(0, SeqCst);
        assert!(well, "a child hung, or found another's bytes");
    });
    assert!(is_stamped(&kept, 9));
}

#[test]
fn row_32_what_a_child_writes_its_parent_does_not_see() {
    let arena = Arena::new();
    let kept = code(&arena, 10, 1).unwrap();
    // The pages that the parent takes next are those that its child has taken.
    assert!(child_says(|| {
        let next = code(&arena, 10, 2);
        next.is_ok_and(|next| address(&next) == address(&kept) + page_size())
    }));
    let next = code(&arena, 10, 3).unwrap();
    assert_eq!(address(&next), address(&kept) + page_size());
}

#[test]
#[cfg(target_os = "linux")]
fn where_no_chunk_can_be_had_a_little_can_and_then_an_error() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // In a child, which no other thread maps anything in.
    assert!(child_says(|| {
        let (arena, page) = (grown(), page_size());
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
        let most = pages * page as u64 + CHUNK_BYTES as u64 - 1;
        let maximum = getrlimit(Resource::As).maximum;
        let limit = |current: Option<u64>| Rlimit {
            current: current.or(maximum),
            maximum,
        };
        setrlimit(Resource::As, limit(Some(most))).unwrap();
        let held: Vec<_> = (0..CHUNK_BYTES / page)
            .map(|_| code(&arena, page, 5))
            .collect();
        let had = held.iter().take_while(|code| code.is_ok()).count();
        let refused = held.into_iter().skip(had).flat_map(Result::err).next();
        let is_told = refused.is_some_and(|error| error.code() == "load_map");
        // All was dropped.
        let again = code(&arena, page, 6).is_ok();
        setrlimit(Resource::As, limit(None)).unwrap();
        had > 0 && is_told && again && code(&arena, page, 7).is_ok()
    }));
}

#[test]
#[cfg(target_os = "linux")]
fn pages_that_may_not_be_executed_are_given_back() {
    unsafe extern "C" {
        fn prctl(option: i32, ...) -> i32;
    }
    const PR_SET_MDWE: i32 = 65;
    const REFUSE_EXEC_GAIN: usize = 1;
    assert!(child_says(|| {
        let arena = Arena::new();
        let before = code(&arena, 1, 1).unwrap();
        // SAFETY: from here on no page of this process, a child, becomes executable.
        let refused = unsafe { prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0usize, 0usize, 0usize) } == 0;
        // Linux has it since 6.3.
        if !refused {
            return true;
        }
        let error = code(&arena, 1, 2).err();
        let gone = permissions(address(&before) + page_size()).is_none();
        let next = Draft::of(&arena, 1).unwrap();
        let is_next = next.address() == address(&before) + 2 * page_size();
        error.is_some_and(|error| error.code() == "load_map") && gone && is_next
    }));
}

#[test]
#[cfg(target_os = "linux")]
fn where_a_process_may_have_no_more_mappings_what_was_in_dropped_pages_goes_all_the_same() {
    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    // Where there may be a million, that many would take seconds.
    if limit > 100_000 {
        return;
    }
    assert!(child_says(|| {
        let (arena, page) = (Arena::new(), page_size());
        let [first, middle, last] = [1, 2, 3].map(|stamp| code(&arena, page, stamp).unwrap());
        let bytes = 2 * limit * page;
        let (none, private) = (std::ptr::null_mut(), MapFlags::PRIVATE);
        // SAFETY: at a place that the system chooses.
        let region = unsafe { mmap_anonymous(none, bytes, ProtFlags::empty(), private) }.unwrap();
        let page_of_own = |n: usize| {
            let at = region.wrapping_byte_add((2 * n + 1) * page);
            // SAFETY: one page of the region, which nobody uses.
            unsafe { mprotect(at, page, MprotectFlags::READ) }.is_ok()
        };
        let is_full = !(0..limit).all(page_of_own);
        let at = address(&middle);
        drop(middle);
        let is_empty = bytes_at(at, page).iter().all(|byte| *byte == 0);
        let well = is_stamped(&first, 1) && is_stamped(&last, 3);
        // SAFETY: the region is this function's own.
        unsafe { munmap(region, bytes) }.unwrap();
        is_full && is_empty && well && code(&arena, page, 4).is_ok()
    }));
}
