//! Counting what passed, read from what the test programs print.

use serde::Deserialize;
use std::{fmt, ops::AddAssign};

/// Tests and checks by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl Tally {
    pub const PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    pub const FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };
    pub const SKIPPED: Self = Self { passed: 0, failed: 0, skipped: 1 };

    /// One check.
    pub fn of(succeeded: bool) -> Self {
        if succeeded { Self::PASSED } else { Self::FAILED }
    }

    /// What `cargo test` printed: one `test result:` line for each test program.
    pub fn of_cargo_test(output: &str) -> Self {
        let mut tally = Self::default();
        for line in output.lines().filter_map(|line| line.trim().strip_prefix("test result: ")) {
            let count = |word: &str| {
                line.split([';', '.'])
                    .find_map(|part| part.trim().strip_suffix(word)?.trim().parse::<u32>().ok())
                    .unwrap_or(0)
            };
            tally += Self { passed: count("passed"), failed: count("failed"), skipped: count("ignored") };
        }
        tally
    }

    /// What Vitest's JSON reporter wrote.
    pub fn of_vitest(report: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Report {
            num_passed_tests: u32,
            num_failed_tests: u32,
            num_pending_tests: u32,
            num_todo_tests: u32,
        }
        let report: Report = serde_json::from_str(report)?;
        Ok(Self {
            passed: report.num_passed_tests,
            failed: report.num_failed_tests,
            skipped: report.num_pending_tests + report.num_todo_tests,
        })
    }

    /// Moves `count` from passed to skipped: a test that skips itself at run time looks passed to its harness.
    pub fn skipped_itself(mut self, count: u32) -> Self {
        let count = count.min(self.passed);
        self.passed -= count;
        self.skipped += count;
        self
    }

    /// With at least one failure, for a program that failed without saying in which test.
    pub fn surely_failed(mut self) -> Self {
        self.failed = self.failed.max(1);
        self
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_programs_add_up() {
        let output = "\
running 3 tests
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s
";
        let tally = Tally::of_cargo_test(output);
        assert_eq!(tally, Tally { passed: 13, failed: 2, skipped: 1 });
        assert_eq!(tally.skipped_itself(3).to_string(), "10 passed, 2 failed, 4 skipped");
    }

    #[test]
    fn a_program_that_dies_counts_as_a_failure() {
        assert_eq!(Tally::of_cargo_test("error: could not compile").surely_failed(), Tally::FAILED);
    }

    #[test]
    fn vitest_reports_are_read() {
        let report = r#"{"numPassedTests":7,"numFailedTests":1,"numPendingTests":2,"numTodoTests":0,"x":[]}"#;
        assert_eq!(Tally::of_vitest(report).unwrap(), Tally { passed: 7, failed: 1, skipped: 2 });
    }
}
