use super::*;
use std::sync::mpsc::{self, Receiver, Sender};

/// A sink whose results the test sets, one write after the other.
struct Sink {
    answers: Receiver<io::Result<usize>>,
    written: Sender<Vec<u8>>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A test that has ended sends no more results.
        let taken = self.answers.recv().unwrap_or(Ok(usize::MAX))?.min(bytes.len());
        if taken > 0 {
            drop(self.written.send(bytes[..taken].to_vec()));
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Written {
    writer: LogWriter,
    answers: Sender<io::Result<usize>>,
    written: Receiver<Vec<u8>>,
    dropped: Receiver<u64>,
}

impl Written {
    fn with_room_for(bytes: usize) -> Self {
        let ((answers, answered), (write, written), (report, dropped)) =
            (mpsc::channel(), mpsc::channel(), mpsc::channel());
        let sink = Sink { answers: answered, written: write };
        let writer = LogWriter::start_with(sink, bytes, move |lines| report.send(lines).unwrap_or_default()).unwrap();
        Self { writer, answers, written, dropped }
    }

    fn answer(&self, answer: io::Result<usize>) {
        self.answers.send(answer).unwrap();
    }

    fn next(&self) -> String {
        String::from_utf8(self.written.recv_timeout(Duration::from_secs(60)).unwrap()).unwrap()
    }
}

#[test]
fn a_stalled_sink_drops_only_lines_beyond_the_buffer_and_counts_them() {
    let log = Written::with_room_for(10);
    for number in 0..100 {
        log.writer.line(&format!("ab{:02}", number));
    }
    log.writer.flush(Duration::from_millis(10));
    log.answer(Ok(100));
    log.answer(Ok(100));
    assert_eq!((log.next(), log.next()), ("ab00\n".to_owned(), "ab01\n".to_owned()));
    assert_eq!(log.dropped.recv_timeout(Duration::from_secs(60)), Ok(98));
    log.writer.line("more");
    log.answer(Ok(100));
    assert_eq!(log.next(), "more\n");
    assert!(log.dropped.try_recv().is_err(), "they are counted once");
}

#[test]
fn a_line_longer_than_the_buffer_is_dropped() {
    let log = Written::with_room_for(10);
    log.writer.line("a line of more than ten bytes");
    log.writer.line("short");
    log.answer(Ok(100));
    assert_eq!(log.next(), "short\n");
    assert_eq!(log.dropped.recv_timeout(Duration::from_secs(60)), Ok(1));
}

#[test]
fn a_failed_write_is_retried_and_no_line_is_truncated() {
    let log = Written::with_room_for(100);
    log.writer.line("first");
    log.writer.line("second");
    for answer in [
        Ok(2),
        Err(io::Error::from(ErrorKind::BrokenPipe)),
        Err(io::Error::from(ErrorKind::StorageFull)),
        Ok(0),
        Err(io::Error::from(ErrorKind::Interrupted)),
        Err(io::Error::from(ErrorKind::WouldBlock)),
        Ok(100),
        Ok(100),
    ] {
        log.answer(answer);
    }
    assert_eq!([log.next(), log.next(), log.next()], ["fi", "rst\n", "second\n"]);
    log.writer.flush(Duration::from_secs(60));
    assert!(log.dropped.try_recv().is_err(), "nothing was dropped");
}

#[test]
fn a_flush_waits_for_earlier_lines() {
    let log = Written::with_room_for(100);
    log.writer.line("first");
    log.answer(Ok(100));
    log.writer.flush(Duration::from_secs(60));
    assert_eq!(log.written.try_recv().unwrap(), b"first\n");
}

#[test]
fn a_flush_does_not_wait_for_a_sink_that_fails() {
    let log = Written::with_room_for(100);
    log.writer.line("first");
    log.answer(Err(io::Error::from(ErrorKind::BrokenPipe)));
    log.writer.flush(Duration::from_secs(3_600));
    log.answer(Ok(100));
    assert_eq!(log.next(), "first\n");
}
