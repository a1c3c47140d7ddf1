//! Remedies for the parts of the daemon that wait.

/// The parts that report what they wait for, and what a person can do where the wait does not end by itself.
pub const PARTS: [(&str, &str); 13] = [
    ("connect", NODE),
    ("signer", SIGNER),
    ("head", "compare the node with another, or add one by --rpc"),
    ("scan", NODE),
    ("disk", "make room where --data is; until then results wait"),
    ("pin", "compare the pinner with the network's, or name another by --pinner; all results are kept"),
    (
        "pinner",
        "start it, or name another by --pinner; a 413 is a bound on uploads, of the pinner or of a proxy before it; until then results wait",
    ),
    ("gateways", "name one that answers by --gateway; until then specimens wait"),
    (
        "queue",
        "start NATS, or a worker host by `refiner work`; `refiner queue status` shows both; until then specimens wait",
    ),
    ("prove", NODE),
    ("settle", "compare the nodes of --rpc with each other; add one, or take away the one that is not of the chain"),
    (
        "pool",
        "sent again by itself, with higher fees up to --max-fee-gwei; a node with another pool can be added by --rpc",
    ),
    ("nonce", "filled by an empty transaction once it has lasted; end every other program that uses the key"),
];

/// The remedy where a node does not answer as it should.
const NODE: &str =
    "asked again by itself; compare the answer with what the provider gives, or add another node by --rpc";

/// The remedy where the Web3Signer does not sign.
pub const SIGNER: &str = "start the Web3Signer, unlock its key or look into its log, or name another by --signer; until then nothing is proved";

/// The remedy for a part.
pub fn of(part: &str) -> &'static str {
    PARTS.iter().find(|(name, _)| *name == part).map_or(NODE, |(_, remedy)| *remedy)
}
