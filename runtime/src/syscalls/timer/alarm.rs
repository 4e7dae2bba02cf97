//! When a timer on a task's CPU clock is due: the arithmetic of `kernel/time/posix-cpu-timers.c`, in nanoseconds.

/// A timer's setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alarm {
    /// What the clock shows when it is due.
    next: u64,
    /// 0: it is due once.
    interval: u64,
}

const DISARMED: u64 = u64::MAX;

impl Alarm {
    pub(super) const OFF: Self = Alarm {
        next: DISARMED,
        interval: 0,
    };

    pub(super) fn is_armed(&self) -> bool {
        self.next != DISARMED
    }

    /// Arms it for when the clock shows a time; 0: disarms it.
    pub(super) fn set(&mut self, when: u64, interval: u64) {
        self.next = if when == 0 { DISARMED } else { when };
        self.interval = interval;
    }

    /// How long until it is due, or 0 if it is not armed; and the interval. What is due and was not told yet is due in a nanosecond.
    pub(super) fn left(&self, now: u64) -> [u64; 2] {
        let left = match self.next {
            DISARMED => 0,
            next => next.saturating_sub(now).max(1),
        };
        [left, self.interval]
    }

    /// How often it has been due by now, since the last time that this was asked.
    pub(super) fn advance(&mut self, now: u64) -> u64 {
        if now < self.next {
            return 0;
        }
        let Some(more) = (now - self.next).checked_div(self.interval) else {
            self.next = DISARMED;
            return 1;
        };
        self.next = self.next.saturating_add((more + 1) * self.interval);
        more + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(when: u64, interval: u64) -> Alarm {
        let mut alarm = Alarm::OFF;
        alarm.set(when, interval);
        alarm
    }

    #[test]
    fn once() {
        let mut alarm = alarm(100, 0);
        assert_eq!(alarm.left(40), [60, 0]);
        assert_eq!(alarm.advance(99), 0);
        assert_eq!(alarm.left(100), [1, 0]);
        assert_eq!(alarm.advance(100), 1);
        assert!(!alarm.is_armed());
        assert_eq!(alarm.advance(u64::MAX - 1), 0);
        assert_eq!(alarm.left(200), [0, 0]);
    }

    #[test]
    fn again_and_again() {
        let mut alarm = alarm(100, 10);
        assert_eq!(alarm.advance(100), 1);
        assert_eq!(alarm.left(100), [10, 10]);
        assert_eq!(alarm.advance(109), 0);
        // 110, 120 and 130.
        assert_eq!(alarm.advance(139), 3);
        assert_eq!(alarm.left(139), [1, 10]);
        alarm.set(0, 10);
        assert_eq!(alarm.left(500), [0, 10]);
    }
}
