//! Writing a file so that a reader, or a crash, sees the old bytes or the new ones.
