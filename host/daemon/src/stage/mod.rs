//! The stages between the chain's announcement and its proof, one function each.

mod fetch;
mod pin;
mod refine;
mod verify;

pub use self::{
    fetch::fetch,
    pin::pin,
    refine::{REFINE, read, refine},
    verify::Mismatch,
};
