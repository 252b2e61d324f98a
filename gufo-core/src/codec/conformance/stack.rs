//! How much stack a codec uses, by the addresses of local variables.

use std::cell::Cell;

thread_local! {
    static DEEPEST: Cell<usize> = const { Cell::new(usize::MAX) };
}

fn here() -> usize {
    let local = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&local)).addr()
}

/// Notes how deep the stack is now. Messages that nest call it while they are read.
pub(super) fn probe() {
    DEEPEST.set(DEEPEST.get().min(here()));
}

/// Does the work, and answers how many bytes of stack lay between here and its deepest [`probe`].
pub(super) fn used<T>(work: impl FnOnce() -> T) -> (T, usize) {
    DEEPEST.set(usize::MAX);
    let start = here();
    let done = work();
    (done, start.saturating_sub(DEEPEST.get()))
}
