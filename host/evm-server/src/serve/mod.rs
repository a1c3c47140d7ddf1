//! Stands in for the network's evm-server: the same requests, the same answers, the same errors.
