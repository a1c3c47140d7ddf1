//! The time that a child may take: processor time, so that a machine under load ends no honest child.
//!
//! Wall time ends two things only: a child that waits for what never comes, and one that uses a little processor time now and then to look busy.

use std::{
    fs,
    time::{Duration, Instant},
};

/// Wall time for each second of processor time, at the most. A machine that gives a child less has stopped.
const WALL_FACTOR: u32 = 20;
/// The shortest time without progress that counts as a stall, as a part of what is allowed.
const STALL_PART: u32 = 4;
/// Length of the kernel's unit of processor time, which Linux states to every program.
const TICK: Duration = Duration::from_millis(10);

/// Processor time that a process may use from now on, and the wall time after which it is looked at again.
pub(crate) struct Allowance {
    process: u32,
    allowed: Duration,
    /// Processor time that the process had used at the start.
    before: Option<Duration>,
    /// The same when it was looked at last.
    seen: Option<Duration>,
    /// The next look.
    look: Instant,
    /// The end, whatever it used.
    end: Instant,
}

impl Allowance {
    /// Starts now.
    pub(crate) fn begin(process: u32, allowed: Duration) -> Self {
        let (used, now) = (processor_time(process), Instant::now());
        Self { process, allowed, before: used, seen: used, look: now + allowed, end: now + allowed * WALL_FACTOR }
    }

    /// The processor time that was allowed.
    pub(crate) const fn allowed(&self) -> Duration {
        self.allowed
    }

    /// Time to wait until the next look; `None` when the process has used up what it was allowed, or makes no progress.
    pub(crate) fn wait(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let left = self.look.saturating_duration_since(now);
        if !left.is_zero() {
            return Some(left);
        }
        self.looked_at(now, processor_time(self.process)?)
    }

    /// Time to wait until the next look at a process that has used so much by now.
    fn looked_at(&mut self, now: Instant, used: Duration) -> Option<Duration> {
        let spent = used.saturating_sub(self.before?);
        if now >= self.end || spent >= self.allowed || self.seen? >= used {
            return None;
        }
        let more = (self.allowed - spent).max(self.allowed / STALL_PART).max(TICK);
        (self.seen, self.look) = (Some(used), now + more);
        Some(more)
    }
}

/// Processor time of all threads of a process. `None` when it is gone.
fn processor_time(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(TICK * ticks(&stat)?)
}

/// Units of processor time, in the guest's own code and in the kernel, from a line of `/proc/PID/stat`. The name of the program may have spaces.
fn ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let kernel: u32 = fields.next()?.parse().ok()?;
    user.checked_add(kernel)
}

#[cfg(test)]
mod tests {
    use std::{hint::black_box, thread};

    use super::*;

    #[test]
    fn processor_time_is_the_sum_of_the_fourteenth_and_fifteenth_field_whatever_the_name() {
        let line = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 31 4 0 0 20 0 1 0 1 1 1";
        assert_eq!(ticks(line), Some(35));
        assert_eq!(ticks("7 (a"), None);
    }

    /// A second, of which the process has used nothing so far.
    fn second(now: Instant) -> Allowance {
        let before = Some(Duration::from_secs(7));
        Allowance { process: 0, allowed: SECOND, before, seen: before, look: now, end: now + SECOND * WALL_FACTOR }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn next_look_is_when_the_time_that_is_left_can_be_used_up_and_no_sooner_than_a_stall_shows() {
        let now = Instant::now();
        let check = |spent_ms: u64, more_ms: Option<u64>| {
            let mut allowance = second(now);
            let more = allowance.looked_at(now, Duration::from_millis(7_000 + spent_ms));
            assert_eq!(more, more_ms.map(Duration::from_millis), "{spent_ms} ms");
            assert_eq!(allowance.look, now + more.unwrap_or_default(), "{spent_ms} ms");
        };
        // No progress since the last look.
        check(0, None);
        check(1, Some(999));
        check(749, Some(251));
        check(751, Some(250));
        check(999, Some(250));
        check(1_000, None);
        check(1_001, None);
        // The kernel's unit is the shortest wait.
        let mut short = Allowance { allowed: TICK * 2, ..second(now) };
        assert_eq!(short.looked_at(now, Duration::from_millis(7_019)), Some(TICK));
    }

    #[test]
    fn process_that_uses_a_little_now_and_then_is_ended_by_the_wall_and_one_that_uses_nothing_at_its_next_look() {
        let now = Instant::now();
        let used = |ms: u64| Duration::from_millis(7_000 + ms);
        let (last, moment) = (now + SECOND * 20, Duration::from_nanos(1));
        assert!(second(now).looked_at(last - moment, used(1)).is_some());
        assert!(second(now).looked_at(last, used(1)).is_none());
        let mut stalls = second(now);
        assert!(stalls.looked_at(now, used(1)).is_some());
        assert!(stalls.looked_at(now, used(1)).is_none());
        assert!(stalls.looked_at(now, used(2)).is_some());
        for unknown in [Allowance { before: None, ..second(now) }, Allowance { seen: None, ..second(now) }] {
            assert!({ unknown }.looked_at(now, used(1)).is_none());
        }
    }

    #[test]
    fn first_look_is_when_all_can_be_used_up_and_the_end_twenty_times_later() {
        let before = Instant::now();
        let mut allowance = Allowance::begin(std::process::id(), SECOND);
        let after = Instant::now();
        assert_eq!(allowance.allowed(), SECOND);
        assert!((before + SECOND..=after + SECOND).contains(&allowance.look));
        assert_eq!(allowance.end - allowance.look, SECOND * 19);
        let left = allowance.wait().unwrap();
        assert!(left <= SECOND && left > SECOND / 2, "{left:?}");
    }

    #[test]
    fn process_that_computes_is_allowed_until_it_has_used_its_time() {
        let allowed = Duration::from_millis(200);
        let mut allowance = Allowance::begin(std::process::id(), allowed);
        let start = processor_time(std::process::id()).unwrap_or_default();
        while allowance.wait().is_some() {
            for number in 0..100_000u64 {
                black_box(number);
            }
        }
        let used = processor_time(std::process::id()).unwrap_or_default().saturating_sub(start);
        assert!(used + TICK >= allowed, "{used:?}");
    }

    #[test]
    fn process_that_waits_is_allowed_its_time_on_the_wall() {
        let allowed = Duration::from_millis(50);
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        thread::sleep(Duration::from_millis(100));
        let start = Instant::now();
        let mut allowance = Allowance::begin(child.id(), allowed);
        while let Some(time) = allowance.wait() {
            thread::sleep(time);
        }
        let took = start.elapsed();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(took >= allowed && took < allowed * WALL_FACTOR, "{took:?}");
    }
}
