//! What became of every (specimen, rule), kept through crashes in one SQLite file.
//!
//! Comes in: what a stage achieved. Goes out: what is left to do. Never here: the stages themselves, a clock, a key.
