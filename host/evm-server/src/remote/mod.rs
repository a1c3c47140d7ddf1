//! Asks an evm-server of the network to execute a block, and believes nothing of its answer that can be checked.
