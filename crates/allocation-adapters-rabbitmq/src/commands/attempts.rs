//! Counting how often commands were deferred.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The number of attempts, while other commands succeed, after which a command becomes a dead letter.
pub(super) const MAX_ATTEMPTS: u32 = 20;
/// The longest time that a command is deferred, whether or not other commands succeed.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
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
    put_off: HashMap<u64, PutOff>,
}

#[derive(Debug)]
struct PutOff {
    attempts: u32,
    since: Instant,
    /// The number of executed commands at the last counted attempt.
    done: u64,
}

/// A command that is no longer retried.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GivenUp {
    pub(super) attempts: u32,
    pub(super) within: Duration,
}

impl Attempts {
    /// Records that a message is settled; `carried_out` if the database has stored its effect.
    pub(super) fn done(&self, message: &[u8], carried_out: bool) {
        let key = self.hashes.hash_one(message);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.done += u64::from(carried_out);
        known.put_off.remove(&key);
    }

    /// Records that a message is deferred; returns its attempts if it is to become a dead letter.
    ///
    /// With `counts`, the command itself may be at fault.
    pub(super) fn put_off(&self, message: &[u8], counts: bool, now: Instant) -> Option<GivenUp> {
        let key = self.hashes.hash_one(message);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let done = known.done;
        if !known.put_off.contains_key(&key) {
            known.make_room();
        }
        let command = known.put_off.entry(key).or_insert(PutOff { attempts: 0, since: now, done });
        if counts && (command.attempts == 0 || command.done < done) {
            command.attempts += 1;
            command.done = done;
        }
        let given_up = GivenUp { attempts: command.attempts, within: now.saturating_duration_since(command.since) };
        let too_often = given_up.attempts >= MAX_ATTEMPTS || given_up.within >= LONGEST;
        too_often.then_some(given_up)
    }
}

impl Known {
    fn make_room(&mut self) {
        if self.put_off.len() >= MAX_COMMANDS
            && let Some(key) = self.put_off.iter().min_by_key(|(_, command)| command.attempts).map(|(key, _)| *key)
        {
            self.put_off.remove(&key);
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
            assert_eq!(attempts.put_off(b"poison", true, now), None);
            attempts.done(b"other", true);
        }
        let given_up = attempts.put_off(b"poison", true, now + Duration::from_secs(9)).unwrap();
        assert_eq!(given_up, GivenUp { attempts: MAX_ATTEMPTS, within: Duration::from_secs(9) });
    }

    #[test]
    fn while_no_command_succeeds_none_becomes_a_dead_letter_within_a_day() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..MAX_ATTEMPTS * 10 {
            assert_eq!(attempts.put_off(b"any", true, now), None);
            // A rejection says nothing about the database.
            attempts.done(b"other", false);
        }
        assert_eq!(attempts.put_off(b"any", true, now + LONGEST - Duration::from_secs(1)), None);
        assert_eq!(attempts.put_off(b"any", true, now + LONGEST).unwrap().attempts, 1);
    }

    #[test]
    fn a_deferral_under_high_load_does_not_count() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..MAX_ATTEMPTS * 10 {
            assert_eq!(attempts.put_off(b"any", false, now), None);
            attempts.done(b"other", true);
        }
    }

    #[test]
    fn a_completed_command_starts_with_no_attempts() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..MAX_ATTEMPTS * 2 {
            assert_eq!(attempts.put_off(b"slow", true, now), None);
            attempts.done(b"slow", true);
        }
    }

    #[test]
    fn the_number_of_remembered_commands_is_bounded() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        attempts.put_off(b"first", true, now);
        attempts.done(b"other", true);
        attempts.put_off(b"first", true, now);
        for number in 0..MAX_COMMANDS * 2 {
            attempts.put_off(&number.to_le_bytes(), true, now);
        }
        let known = attempts.known.lock().unwrap();
        assert_eq!(known.put_off.len(), MAX_COMMANDS);
        assert!(known.put_off.values().any(|command| command.attempts == 2), "the one that was put off most is");
    }
}
