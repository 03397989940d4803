use std::error::Error;
use std::fmt;

/// An error with its chain of causes, in one line for the log.
///
/// A source that the error's own text already ends with is not repeated.
#[derive(Debug, Clone, Copy)]
pub struct ErrorChain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0.to_string();
        f.write_str(&last)?;
        let mut next = self.0.source();
        while let Some(error) = next {
            let text = error.to_string();
            if !last.ends_with(&text) {
                write!(f, ": {text}")?;
                last = text;
            }
            next = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct NoAnswer(#[source] Told);

    #[derive(Debug, thiserror::Error)]
    #[error("refused: {0}")]
    struct Told(#[source] io::Error);

    #[test]
    fn each_cause_appears_once() {
        let error = NoAnswer(Told(io::Error::other("port 1 is closed")));
        assert_eq!(ErrorChain(&error).to_string(), "no answer: refused: port 1 is closed");
    }
}
