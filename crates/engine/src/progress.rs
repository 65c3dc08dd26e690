//! Event streams of pushes and pulls: bytes in, progress out. No IO, no clock.
