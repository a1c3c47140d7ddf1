//! Addresses on which nothing listens.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// The first port that is tried, and how many are: below the ports that Linux gives to who asks for any (32768 and up), so that no
/// connection of another test takes one in between.
const PORTS: (u32, u32) = (10_000, 22_000);
/// The distance between the first ports of two processes that started one after the other.
const A_PROCESS: u32 = 8;

/// An address of loopback on which nothing listens, for a program that is told where to listen, or one that is to find nobody there. No other
/// call of this process gives the same one, and tests that run at the same time begin at different ports.
///
/// # Panics
/// When a program listens on each of them.
pub fn unused_address() -> SocketAddr {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let (first, count) = PORTS;
    let free = |_| {
        let next = process::id().wrapping_mul(A_PROCESS).wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(first + next % count).expect("the last one is 31,999");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpListener::bind(address).is_ok().then_some(address)
    };
    (0..count).find_map(free).expect("a port of loopback that nothing listens on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_given_twice_and_none_that_is_in_use() {
        let first = unused_address();
        let next = SocketAddr::from((Ipv4Addr::LOCALHOST, first.port() + 1));
        let _in_use = TcpListener::bind(next);
        let second = unused_address();
        assert!(second != first && second != next, "{first}, {next}, {second}");
        assert!(TcpListener::bind(second).is_ok());
    }
}
