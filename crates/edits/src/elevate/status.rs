//! What an exit status says, where the helper's answer is not to be had. Pure.

use crate::HelperAnswer;

/// The helper did what it was asked.
const DONE: u8 = 0;
/// It did not, and says why where it is heard.
const FAILED: u8 = 1;
/// It did some of it.
const PARTLY: u8 = 3;
/// Our own script on Windows was not told how the helper ended.
pub const NOT_KNOWN: u8 = 125;
/// The dialogue was dismissed: pkexec(1), and what our own script makes of it on Windows.
pub const DISMISSED: u8 = 126;
/// pkexec(1): authorization could not be had.
const NOT_AUTHORIZED: u8 = 127;

/// The status with which the helper ends after `answer`.
#[must_use]
pub fn of_answer(answer: &HelperAnswer) -> u8 {
    match answer {
        HelperAnswer::Done { steps, .. } if steps.iter().any(|step| step.error.is_some()) => PARTLY,
        HelperAnswer::Undone { failed, .. } if !failed.is_empty() => PARTLY,
        HelperAnswer::Done { .. } | HelperAnswer::Undone { .. } | HelperAnswer::Recovered { .. } => DONE,
        HelperAnswer::Failed { .. } => FAILED,
    }
}

/// What is known of an attempt that brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// It is done.
    Done,
    /// The files are written; something that makes them take effect failed.
    Partly,
    /// Leave was not given: nothing was begun.
    Refused,
    /// It was begun, and how it ended is not known.
    Unknown,
}

/// Of a way on which the status is all there is. `None` is an end by a signal.
pub fn where_none_comes(status: Option<i32>) -> Unanswered {
    match status.map(u8::try_from) {
        Some(Ok(DONE)) => Unanswered::Done,
        Some(Ok(PARTLY)) => Unanswered::Partly,
        Some(Ok(DISMISSED)) => Unanswered::Refused,
        Some(Ok(_) | Err(_)) | None => Unanswered::Unknown,
    }
}

/// Of a way on which an answer should have come. sudo(8) and osascript end with 1 where leave is not given.
pub fn where_one_was_due(status: Option<i32>) -> Unanswered {
    match status.map(u8::try_from) {
        Some(Ok(FAILED | DISMISSED | NOT_AUTHORIZED)) => Unanswered::Refused,
        Some(Ok(_) | Err(_)) | None => Unanswered::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StepOutcome;
    use dockline_model::{Code, UiError};

    #[test]
    fn a_no_is_never_taken_for_done() {
        for (status, meaning) in [
            (Some(0), Unanswered::Done),
            (Some(1), Unanswered::Unknown),
            (Some(3), Unanswered::Partly),
            (Some(125), Unanswered::Unknown),
            (Some(126), Unanswered::Refused),
            // A program that Windows ended: 0xC000013A.
            (Some(-1_073_741_510), Unanswered::Unknown),
            (Some(256), Unanswered::Unknown),
            (None, Unanswered::Unknown),
        ] {
            assert_eq!(where_none_comes(status), meaning, "{status:?}");
        }
        for (status, meaning) in [
            (Some(0), Unanswered::Unknown),
            (Some(1), Unanswered::Refused),
            (Some(126), Unanswered::Refused),
            (Some(127), Unanswered::Refused),
            (Some(101), Unanswered::Unknown),
            (None, Unanswered::Unknown),
        ] {
            assert_eq!(where_one_was_due(status), meaning, "{status:?}");
        }
    }

    #[test]
    fn a_step_that_failed_shows_in_the_status() {
        let step =
            |error: Option<&str>| StepOutcome { words: "x".to_owned(), error: error.map(str::to_owned) };
        let done = |steps| HelperAnswer::Done { outcomes: Vec::new(), steps };
        let error = UiError::new(Code::FileIo, "x");
        let undone = |failed| HelperAnswer::Undone { undone: Vec::new(), failed, steps: Vec::new() };
        for (answer, meaning) in [
            (done(vec![step(None)]), Unanswered::Done),
            (done(vec![step(None), step(Some("no"))]), Unanswered::Partly),
            (undone(vec![]), Unanswered::Done),
            (undone(vec![error.clone()]), Unanswered::Partly),
            (HelperAnswer::Failed { error }, Unanswered::Unknown),
        ] {
            assert_eq!(where_none_comes(Some(of_answer(&answer).into())), meaning, "{answer:?}");
        }
    }
}
