//! Entries for fuzzing into parts that are private: what a node answers, and the text of a keystore.

use crate::{key, rpc};

pub use key::read_keystore;
pub use rpc::read_answer;
