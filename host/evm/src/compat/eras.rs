//! The eras by name.

use super::{era::EvmServer, era_a, era_b, era_c, era_d, era_e};
use crate::format::Era;

impl EvmServer {
    /// The evm-server of an era.
    pub(super) const fn of(era: Era) -> &'static Self {
        match era {
            Era::A => &era_a::SERVER,
            Era::B => &era_b::SERVER,
            Era::C => &era_c::SERVER,
            Era::D => &era_d::SERVER,
            Era::E => &era_e::SERVER,
        }
    }
}
