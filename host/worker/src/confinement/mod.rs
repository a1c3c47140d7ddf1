//! The confinement of children, as data: bounds, what a child took from itself, and what is required before it gets a rule.

mod ceilings;
mod report;
mod requirement;

pub use self::{
    ceilings::Ceilings,
    report::{Confinement, Measure, Outcome},
    requirement::{Requirement, Unconfined},
};
