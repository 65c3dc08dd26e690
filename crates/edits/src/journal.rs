//! The record of a change, written before it begins.
