//! Entries for fuzzing into parts that are private: what a registry answers.

pub use crate::oci::read_manifest;
