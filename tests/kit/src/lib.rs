//! Builds sample specimens of our own and finds the real ones.
