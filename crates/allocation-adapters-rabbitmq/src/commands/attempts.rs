//! Counting how often commands were deferred.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The number of attempts, while other commands succeed, after which a command becomes a dead letter.
pub(super) const MAX_ATTEMPTS: u32 = 20;
/// The longest time that a command is deferred, whether or not other commands succeed.
pub(super) const MAX_DEFERRAL: Duration = Duration::from_secs(24 * 60 * 60);
/// The maximum number of commands that are remembered. One more evicts the command with the fewest attempts.
const MAX_COMMANDS: usize = 4_096;

/// Remembers the commands that were deferred since the process started.
///
/// An unavailable database defers all commands, and none of them is at fault. An attempt therefore counts
/// only if another command was executed since the previous one.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    hashes: RandomState,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The number of executed commands.
    done: u64,
    deferred: HashMap<u64, Deferred>,
}

#[derive(Debug)]
struct Deferred {
    attempts: u32,
    since: Instant,
    /// The number of executed commands at the last counted attempt.
    done: u64,
}

/// A command that is no longer retried.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exhausted {
    pub(super) attempts: u32,
    pub(super) within: Duration,
}

impl Attempts {
    /// Records that a message is settled; `executed` if the database has stored its effect.
    pub(super) fn done(&self, message: &[u8], executed: bool) {
        let key = self.hashes.hash_one(message);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.done += u64::from(executed);
        known.deferred.remove(&key);
    }

    /// Records that a message is deferred; returns its attempts if it is to become a dead letter.
    ///
    /// With `counts`, the command itself may be at fault.
    pub(super) fn defer(&self, message: &[u8], counts: bool, now: Instant) -> Option<Exhausted> {
        let key = self.hashes.hash_one(message);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let done = known.done;
        if !known.deferred.contains_key(&key) {
            known.make_room();
        }
        let command = known.deferred.entry(key).or_insert(Deferred { attempts: 0, since: now, done });
        if counts && (command.attempts == 0 || command.done < done) {
            command.attempts += 1;
            command.done = done;
        }
        let exhausted = Exhausted { attempts: command.attempts, within: now.saturating_duration_since(command.since) };
        let too_often = exhausted.attempts >= MAX_ATTEMPTS || exhausted.within >= MAX_DEFERRAL;
        too_often.then_some(exhausted)
    }
}

impl Known {
    fn make_room(&mut self) {
        if self.deferred.len() >= MAX_COMMANDS
            && let Some(key) = self.deferred.iter().min_by_key(|(_, command)| command.attempts).map(|(key, _)| *key)
        {
            self.deferred.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_deferred_while_others_succeed_becomes_a_dead_letter() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 1..MAX_ATTEMPTS {
            assert_eq!(attempts.defer(b"poison", true, now), None);
            attempts.done(b"other", true);
        }
        let exhausted = attempts.defer(b"poison", true, now + Duration::from_secs(9)).unwrap();
        assert_eq!(exhausted, Exhausted { attempts: MAX_ATTEMPTS, within: Duration::from_secs(9) });
    }

    #[test]
    fn while_no_command_succeeds_none_becomes_a_dead_letter_within_a_day() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..MAX_ATTEMPTS * 10 {
            assert_eq!(attempts.defer(b"any", true, now), None);
            // A rejection says nothing about the database.
            attempts.done(b"other", false);
        }
        assert_eq!(attempts.defer(b"any", true, now + MAX_DEFERRAL - Duration::from_secs(1)), None);
        assert_eq!(attempts.defer(b"any", true, now + MAX_DEFERRAL).unwrap().attempts, 1);
    }

    #[test]
    fn a_deferral_under_high_load_does_not_count() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..MAX_ATTEMPTS * 10 {
            assert_eq!(attempts.defer(b"any", false, now), None);
            attempts.done(b"other", true);
        }
    }

    #[test]
    fn a_completed_command_starts_with_no_attempts() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..MAX_ATTEMPTS * 2 {
            assert_eq!(attempts.defer(b"slow", true, now), None);
            attempts.done(b"slow", true);
        }
    }

    #[test]
    fn the_number_of_remembered_commands_is_bounded() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        attempts.defer(b"first", true, now);
        attempts.done(b"other", true);
        attempts.defer(b"first", true, now);
        for number in 0..MAX_COMMANDS * 2 {
            attempts.defer(&number.to_le_bytes(), true, now);
        }
        let known = attempts.known.lock().unwrap();
        assert_eq!(known.deferred.len(), MAX_COMMANDS);
        assert!(
            known.deferred.values().any(|command| command.attempts == 2),
            "the command that was deferred most often is kept"
        );
    }
}
