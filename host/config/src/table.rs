//! The table of every setting. To add one, add a row.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use alloy_primitives::Address;
use refiner_evm::{BasisPolicy, OnDifference, ResultFormat, SenderPolicy};
use refiner_http_client::ProxyUrl;
use refiner_proofchain::StartBlock;
use url::Url;

use crate::{
    row::{
        Former::Variable,
        Row,
        Scope::{
            ContentGet, ContentPut, ContentServe, EvmServe, File, KeyAddress, KeyImport, Program, ReplayHosts, Run,
            Work,
        },
        Setting, in_unit, named,
    },
    scopes::{BOUNDED, CHECKING, EXECUTING, IN_DATA, LOCKABLE, ON_CHAIN, ONLINE, RESOLVING, WITH_PASSWORD},
    value::{Bytes, Coins, Executor, FinalizePolicy, LogFormat, Parameter},
};

/// Every row, in the order in which help prints them.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(terms::ROWS).chain(hosts::ROWS).copied()
}

/// Makes a static of each row, and the list of them all. The comment above a row is its help.
macro_rules! settings {
    ($($(#[doc = $help:literal])+ $constant:ident: $type:ty = $name:literal <$value_name:literal> $(.$method:ident($($argument:expr),* $(,)?))*;)*) => {
        $(
            $(#[doc = $help])+
            pub static $constant: Setting<$type> =
                Setting::<$type>::new($name, $value_name, concat!($($help),+))$(.$method($($argument),*))*;
        )*

        pub(super) static ROWS: &[&Row] = &[$(&$constant.row),*];
    };
}

mod hosts;
mod terms;

pub use self::{
    hosts::{
        ALLOW_REMOTE_ARTIFACTS, FROM, HOST_NAME, HOST_ORIGIN, QUEUE, QUEUE_ACK_WAIT, QUEUE_CA, QUEUE_ID, QUEUE_NKEY,
        QUEUE_SWEEP, RECHECK, REPLAY_LISTEN, WORK_LISTEN, WORK_ORIGIN,
    },
    terms::{DENY, REQUIRE_CONFINEMENT, REQUIRE_SIGNER, RULE_LIMIT, TRUST_ROOT},
};

const PROOF_CHAIN: &str = "Proof chain";
const CONTENT: &str = "Content";
const RULES: &str = "Rules";
const OPERATOR: &str = "Operator";
const PROCESS: &str = "Process";
const SOURCES: &str = "Sources of rules";

settings! {
    /// Log filter of standard error, as tracing directives [default: info for `run`, warn for the other commands].
    LOG: Option<String> = "log" <"FILTER"> .on(&[Program]);

    /// Form of the log: `text`, or `json` for one object a line.
    LOG_FORMAT: LogFormat = "log-format" <"FORMAT"> .on(&[Program]).default("text");

    /// Directory for what this program can make or fetch again [default: refiner in the user's cache].
    CACHE_DIR: Option<PathBuf> = "cache-dir" <"DIR"> .on(&[Program]).flagless();

    /// HTTP proxy through which others are asked, such as `http://user:password@proxy:3128`; never for addresses of this machine.
    /// The environment's HTTP_PROXY, HTTPS_PROXY and ALL_PROXY are not used.
    PROXY: Option<ProxyUrl> = "proxy" <"URL"> .on(ONLINE).confidential();

    /// Host that is asked without the proxy, with every name below it. Can be repeated.
    PROXY_EXCEPT: Vec<String> = "proxy-except" <"HOST"> .on(ONLINE).with_commas();

    /// TOML file with settings; flags and environment go before it.
    CONFIG: Option<PathBuf> = "config" <"FILE"> .on(&[File]);

    /// Preset of the proof chain: `moonbeam`, `moonbase`, or `custom` with the next three.
    NETWORK: Option<String> = "network" <"NAME"> .under(PROOF_CHAIN).on(ON_CHAIN).formerly(&[Variable("MIX_ENV")]);

    /// Chain id of the proof chain.
    PROOF_CHAIN_ID: Option<u64> = "proof-chain-id" <"ID"> .under(PROOF_CHAIN).on(ON_CHAIN)
        .formerly(&[Variable("PROOFCHAIN_CHAIN_ID")]);

    /// Contract that announces specimens.
    SPECIMEN_CONTRACT: Option<Address> = "specimen-contract" <"ADDRESS"> .under(PROOF_CHAIN).on(ON_CHAIN)
        .formerly(&[Variable("BSP_PROOFCHAIN_ADDRESS")]);

    /// Contract that takes proofs of results.
    RESULT_CONTRACT: Option<Address> = "result-contract" <"ADDRESS"> .under(PROOF_CHAIN).on(ON_CHAIN)
        .formerly(&[Variable("BRP_PROOFCHAIN_ADDRESS")]);

    /// Node of the proof chain; the next one is asked when one gives no usable answer or is behind. Can be repeated.
    RPC: Vec<Url> = "rpc" <"URL"> .under(PROOF_CHAIN).on(ON_CHAIN).confidential()
        .expecting("a URL that begins with http:// or https:// (where a provider gives wss://, it has an https:// address beside it)")
        // Its name notwithstanding, it is the proof chain's node.
        .formerly(&[Variable("NODE_ETHEREUM_MAINNET")]);

    /// Time limit for one RPC request; after it the request is retried, on the next node if there is one.
    RPC_TIMEOUT: Duration = "rpc-timeout" <"DURATION"> .under(PROOF_CHAIN).on(ON_CHAIN).default("15s").within("1s", "10m")
        .formerly(&[in_unit("rpc-s", "s")]);

    /// Questions that each node gets in a second at most; each of a batch counts [default: no limit].
    RPC_RPS: Option<u64> = "rpc-rps" <"N"> .under(PROOF_CHAIN).on(&[Run]).within("1", "10000");

    /// Chain whose specimens are refined. Can be repeated.
    SOURCE_CHAIN: Vec<u64> = "source-chain" <"ID"> .under(PROOF_CHAIN).on(ON_CHAIN).default("1").expecting("a chain id");

    /// First block that is scanned when the journal is new: `latest`, a block number, or `7d` for days back.
    START: StartBlock = "start" <"BLOCK"> .under(PROOF_CHAIN).on(&[Run]).default("latest");

    /// Confirmations of an announcement before its specimen is refined.
    DEPTH: u64 = "depth" <"BLOCKS"> .under(PROOF_CHAIN).on(&[Run]).default("3").within("0", "10000");

    /// Newest blocks that are scanned again with every new one, because a node that lags leaves out announcements; 0 for none.
    SCAN_WINDOW: u64 = "scan-window" <"BLOCKS"> .under(PROOF_CHAIN).on(&[Run]).default("128").within("0", "10000");

    /// Pause between two requests for new blocks.
    POLL_INTERVAL: Duration = "poll-interval" <"DURATION"> .under(PROOF_CHAIN).on(&[Run]).default("2s").within("10ms", "10m")
        .formerly(&[in_unit("poll-ms", "ms")]);

    /// Directory of journal, content and compiled rules.
    DATA: PathBuf = "data" <"DIR"> .under(CONTENT).on(IN_DATA).default("refiner-data");

    /// An ipfs-pinner or ewm-das that keeps results; without one, or with `none`, they stay in the local store.
    PINNER: Option<String> = "pinner" <"URL"> .under(CONTENT).on(&[Run]).confidential()
        .formerly(&[Variable("IPFS_PINNER_URL")]);

    /// Base URL under which others reach this daemon's content, served by `refiner content serve`: proofs name `<URL>/ipfs/<id>`.
    /// For proving without a pinner.
    PUBLIC_URL: Option<Url> = "public-url" <"URL"> .under(CONTENT).on(&[Run]);

    /// Time limit for one upload; after it the upload is retried.
    UPLOAD_TIMEOUT: Duration = "upload-timeout" <"DURATION"> .under(CONTENT).on(&[Run]).default("10m").within("1s", "1h")
        .formerly(&[in_unit("upload-s", "s")]);

    /// IPFS gateway that content is fetched from, or `none` [default: four public ones]. Can be repeated.
    GATEWAY: Vec<String> = "gateway" <"URL"> .under(CONTENT).on(&[Run, ContentGet]).with_commas().confidential();

    /// Longest silence of a gateway or an announced URL, before its answer begins and within it; then it counts as failed.
    FETCH_STALL_TIMEOUT: Duration = "fetch-stall-timeout" <"DURATION"> .under(CONTENT).on(&[Run, ContentGet, Work]).default("60s")
        .within("1s", "10m");

    /// Time limit for one pinner, gateway or announced URL to send content, however steadily it comes.
    FETCH_TIMEOUT: Duration = "fetch-timeout" <"DURATION"> .under(CONTENT).on(&[Run, ContentGet, Work]).default("5m")
        .within("1s", "1h");

    /// Permits announced URLs that lead to private addresses.
    PRIVATE_URLS: bool = "private-urls" <"BOOL"> .under(CONTENT).on(&[Run]).default("false");

    /// Size of the content kept on disk; the oldest that is not needed is removed first.
    STORE_SIZE: Bytes = "store-size" <"SIZE"> .under(CONTENT).on(&[Run, Work]).default("10GiB").within("64MiB", "1024TiB")
        .formerly(&[in_unit("store-mib", "MiB")]);

    /// Finished items that the journal keeps; the oldest beyond that are dropped, with content that no other item has [default: all].
    KEEP_ITEMS: Option<u64> = "keep-items" <"N"> .under(CONTENT).on(&[Run]);

    /// Age up to which finished items are kept, likewise [default: any].
    KEEP_AGE: Option<Duration> = "keep-age" <"DURATION"> .under(CONTENT).on(&[Run]).within("2d", "10000d");

    /// Built-in rule, component file, or directory of them. Can be repeated.
    RULE: Vec<String> = "rule" <"RULE"> .under(RULES).on(&[Run]).default("block-result");

    /// Rule whose results are proved, or `none` [default: the only rule].
    PROVE: Option<String> = "prove" <"NAME"> .under(RULES).on(&[Run]);

    /// Format of the block result: `canonical`, or `evm-server@a` to `evm-server@e`. Must be given where results are proved
    /// [default without a key: canonical].
    FORMAT: Option<ResultFormat> = "format" <"FORMAT"> .under(RULES).on(&[Run]);

    /// Parameter for the rules, part of their identity. Can be repeated.
    PARAM: Vec<Parameter> = "param" <"NAME=VALUE"> .under(RULES).on(&[Run]);

    /// Geth-style chain config of a chain that is not built in. Can be repeated.
    CHAIN_CONFIG: Vec<PathBuf> = "chain-config" <"FILE"> .under(RULES).on(&[Run, Work]);

    /// Executor of blocks: `embedded`, `remote` or `both`, which compares the bytes of the two; remote results need
    /// `--format evm-server@...`.
    EVM: Executor = "evm" <"EXECUTOR"> .under(RULES).on(EXECUTING).default("embedded");

    /// The evm-server for `--evm remote` and `both`; alone it selects nothing.
    EVM_SERVER: String = "evm-server" <"URL"> .under(RULES).on(EXECUTING).default("http://127.0.0.1:3002").confidential()
        .formerly(&[Variable("EVM_SERVER_URL")]);

    /// Result that is taken where the two executors differ: `prefer-embedded`, `prefer-remote`, or `hold` for none.
    EVM_ON_DIFFERENCE: OnDifference = "evm-on-difference" <"POLICY"> .under(RULES).on(EXECUTING).default("hold");

    /// Time limit for one block on the evm-server, retries included.
    EVM_TIMEOUT: Duration = "evm-timeout" <"DURATION"> .under(RULES).on(EXECUTING).default("100s").within("1s", "10m")
        .formerly(&[in_unit("evm-timeout-s", "s")]);

    /// Origin of the senders in results: `recovered` from the signatures and compared with those in the specimen, or `stated`
    /// by the specimen and not checked, which is refused where results are proved.
    SENDERS: SenderPolicy = "senders" <"ORIGIN"> .under(RULES).on(CHECKING).default("recovered");

    /// Upper bound on the gas used by everything done for one block, precompiles weighted by their measured cost; a block
    /// beyond it is unsupported. Another than the default is refused where results are proved.
    GAS_BOUND: u64 = "gas-bound" <"GAS"> .under(RULES).on(BOUNDED).default("1000000000")
        .within("1", "18446744073709551615");

    /// Basis of canonical results: `execution`, the recorded `receipts`, or `auto` for receipts where execution lacks data.
    BASIS: BasisPolicy = "basis" <"BASIS"> .under(RULES).on(CHECKING).default("auto");

    /// Permits a document in the format of an evm-server of a block whose producer exported no state. Such a document has no
    /// receipts, as if no transaction of the block had been valid; with a key, it is pinned and proved on chain like any other.
    STATELESS_ERAS: bool = "stateless-eras" <"BOOL"> .under(RULES).on(CHECKING).default("false");

    /// Runs at once, each in a process of its own; with `--queue` also 0 [default: the number of cores].
    WORKERS: Option<u64> = "workers" <"N"> .under(RULES).on(&[Run, Work]).within("0", "1024");

    /// File with the operator's key, 64 hexadecimal digits.
    KEY_FILE: Option<PathBuf> = "key-file" <"FILE"> .under(OPERATOR).on(&[Run, KeyImport, KeyAddress])
        .of_secret().formerly(&[Variable("BLOCK_RESULT_OPERATOR_PRIVATE_KEY_FILE")]);

    /// Encrypted keystore, version 3; the daemon needs `--password-file` with it.
    KEYSTORE: Option<PathBuf> = "keystore" <"FILE"> .under(OPERATOR).on(&[Run, KeyAddress]).of_secret();

    /// File with the keystore's password.
    PASSWORD_FILE: Option<PathBuf> = "password-file" <"FILE"> .under(OPERATOR).on(WITH_PASSWORD).of_secret();

    /// Permits files with a key or a password that group or others may read.
    INSECURE_KEY_PERMISSIONS: bool = "insecure-key-permissions" <"BOOL"> .under(OPERATOR).on(WITH_PASSWORD)
        .default("false");

    /// Web3Signer that holds the operator's key.
    SIGNER: Option<Url> = "signer" <"URL"> .under(OPERATOR).on(&[Run]).confidential();

    /// Address of the operator, where the Web3Signer holds several keys.
    OPERATOR_ADDRESS: Option<Address> = "operator" <"ADDRESS"> .under(OPERATOR).on(&[Run]);

    /// Upper bound on the price offered for one gas, in gwei.
    MAX_FEE: u64 = "max-fee-gwei" <"GWEI"> .under(OPERATOR).on(&[Run]).default("1000").within("1", "1000000");

    /// Upper bound on the part of it that goes to the block's author, in gwei.
    MAX_TIP: u64 = "max-tip-gwei" <"GWEI"> .under(OPERATOR).on(&[Run]).default("100").within("1", "1000000");

    /// Upper bound on what the transactions of any 24 hours cost, raised fees included, in the proof chain's coin, such as
    /// `2.5`; proving pauses at it [default: none].
    MAX_SPEND_PER_DAY: Option<Coins> = "max-spend-per-day" <"COINS"> .under(OPERATOR).on(&[Run]);

    /// Proofs that the balance pays for below which it counts as low: a warning of `refiner doctor` and at the start.
    LOW_BALANCE: u64 = "low-balance" <"PROOFS"> .under(OPERATOR).on(&[Run]).default("100").within("0", "1000000000");

    /// Results in a row that differ from what other operators proved before proving pauses; 0 proves them all the same.
    MAX_DIFFERENCES: u64 = "max-differences" <"N"> .under(OPERATOR).on(&[Run]).default("3").within("0", "1000");

    /// Sessions that are finalized once they are past their deadline, because none pays before: `own`, those with a proof of this
    /// operator, `all`, or `none`. Operators take turns, and the transactions count for `--max-spend-per-day`.
    FINALIZE: FinalizePolicy = "finalize" <"SESSIONS"> .under(OPERATOR).on(&[Run]).default("none");

    /// Confirmations of a proof before it is final; for a day after it is looked at again.
    PROOF_DEPTH: u64 = "proof-depth" <"BLOCKS"> .under(OPERATOR).on(&[Run]).default("5").within("0", "10000");

    /// Time after which an unconfirmed transaction is sent again with higher fees.
    BUMP_AFTER: Duration = "bump-after" <"DURATION"> .under(OPERATOR).on(&[Run]).default("90s").within("1s", "1d")
        .formerly(&[in_unit("bump-after-s", "s")]);

    /// Pause between two attempts to resume proving or pinning after it was paused.
    RECHECK_INTERVAL: Duration = "recheck-interval" <"DURATION"> .under(OPERATOR).on(&[Run]).default("60s").within("1s", "1d")
        .formerly(&[in_unit("recheck-s", "s")]);

    /// Upper bound on unconfirmed proof transactions.
    MAX_PENDING_TRANSACTIONS: u64 = "max-pending-transactions" <"N"> .under(OPERATOR).on(&[Run]).default("32")
        .within("1", "1000").formerly(&[named("unsettled")]);

    /// Address that serves `/livez`, `/readyz`, `/status` and `/metrics`.
    HEALTH: SocketAddr = "health" <"ADDRESS"> .under(PROCESS).on(&[Run]).default("127.0.0.1:9568");

    /// Permits a `--health` address that other machines reach; the endpoints have no authentication.
    ALLOW_REMOTE_HEALTH: bool = "allow-remote-health" <"BOOL"> .under(PROCESS).on(&[Run]).default("false")
        .formerly(&[named("health-anywhere")]);

    /// Specimens fetched at once.
    FETCHES: u64 = "fetches" <"N"> .under(PROCESS).on(&[Run]).default("8").within("1", "256");

    /// Results pinned at once.
    PINS: u64 = "pins" <"N"> .under(PROCESS).on(&[Run]).default("4").within("1", "256");

    /// Unfinished items above which scanning pauses; what no source has is not counted.
    BACKLOG: u64 = "backlog" <"N"> .under(PROCESS).on(&[Run]).default("1000").within("1", "1000000");

    /// Time for which a specimen that no source has is looked for, ever more rarely; then its item is skipped.
    WAITING_LIMIT: Duration = "waiting-limit" <"DURATION"> .under(PROCESS).on(&[Run]).default("30d").within("1s", "3650d");

    /// Pause between two lines of the log that sum up what the daemon does.
    HEARTBEAT: Duration = "heartbeat" <"DURATION"> .under(PROCESS).on(&[Run]).default("60s").within("100ms", "1d");

    /// Receiver of traces over OTLP/HTTP with JSON, such as `http://127.0.0.1:4318` [default: none, and nothing is traced].
    OTLP_ENDPOINT: Option<Url> = "otlp-endpoint" <"URL"> .under(PROCESS).on(&[Run]).confidential();

    /// Time for running work after SIGTERM; a second signal ends it at once.
    SHUTDOWN_TIMEOUT: Duration = "shutdown-timeout" <"DURATION"> .under(PROCESS).on(&[Run, Work]).default("20s").within("0s", "1h")
        .formerly(&[in_unit("shutdown-s", "s")]);

    /// First pause after a failure; it doubles up to 300 times this.
    RETRY_DELAY: Duration = "retry-delay" <"DURATION"> .under(PROCESS).on(&[Run]).default("1s").within("1ms", "10m")
        .formerly(&[in_unit("retry-ms", "ms")]);

    /// Lock file of rules that were resolved, written by `refiner rule lock` [default: rules.lock, where it is].
    LOCK: Option<PathBuf> = "lock" <"FILE"> .under(SOURCES).on(RESOLVING);

    /// Refuses every rule that is not in the lock file.
    LOCKED: bool = "locked" <"BOOL"> .under(SOURCES).on(LOCKABLE).default("false");

    /// IPFS gateway that rules, and specimens named by content id, are fetched from in place of the public ones. Can be repeated.
    IPFS_GATEWAY: Vec<String> = "ipfs-gateway" <"URL"> .under(SOURCES).on(RESOLVING).with_commas().confidential();

    /// An ipfs-pinner or ewm-das.
    CONTENT_PINNER: Option<String> = "pinner" <"URL"> .on(&[ContentGet, ContentPut]).confidential()
        .formerly(&[Variable("IPFS_PINNER_URL")]);

    /// Directory of a daemon whose store is asked first.
    CONTENT_DATA: Option<PathBuf> = "data" <"DIR"> .on(&[ContentGet]);

    /// Address to listen on.
    CONTENT_LISTEN: SocketAddr = "listen" <"ADDRESS"> .on(&[ContentServe]).default("127.0.0.1:5080")
        .variable("REFINER_CONTENT_LISTEN");

    /// Permits a `--listen` address that other machines reach. There is no authentication: each of them can read what is served, and
    /// fill the disk of `content serve`.
    ALLOW_REMOTE_CONTENT: bool = "allow-remote-content" <"BOOL"> .on(&[ContentServe, ReplayHosts]).default("false")
        .formerly(&[named("beyond-loopback")]);

    /// Largest upload, all its files together; more is answered 413.
    CONTENT_UPLOAD_SIZE: Bytes = "upload-size" <"SIZE"> .on(&[ContentServe]).default("128MiB").within("1MiB", "4GiB")
        .variable("REFINER_CONTENT_UPLOAD_SIZE");

    /// Size of all uploads and answers in memory, a half for each; beyond, requests wait, and after 10 s are answered 503.
    /// Memory stays under 192 MiB and this.
    CONTENT_IN_FLIGHT_SIZE: Bytes = "in-flight-size" <"SIZE"> .on(&[ContentServe]).default("512MiB").within("2MiB", "1TiB")
        .variable("REFINER_CONTENT_IN_FLIGHT_SIZE");

    /// Name by which the server may be asked, beside localhost, addresses and names without a dot: one that a proxy passes on in
    /// `Host`. Can be repeated.
    ALLOW_HOST: Vec<String> = "allow-host" <"NAME"> .on(&[Run, ContentServe, EvmServe, Work]);

    /// Address to listen on. One that other machines reach, such as 0.0.0.0:3002, lets each of them have blocks executed:
    /// there is no authentication.
    EVM_LISTEN: SocketAddr = "listen" <"ADDRESS"> .on(&[EvmServe]).default("127.0.0.1:3002").variable("REFINER_EVM_LISTEN");

    /// Format of the answers: `canonical`, or the bytes of the network's evm-server in era `a` to `e`.
    EVM_FORMAT: ResultFormat = "format" <"FORMAT"> .on(&[EvmServe]).default("evm-server@d").variable("REFINER_EVM_FORMAT");

    /// Largest body; more is answered 413.
    EVM_BODY_SIZE: Bytes = "body-size" <"SIZE"> .on(&[EvmServe]).default("64MiB").within("1MiB", "4GiB")
        .variable("REFINER_EVM_BODY_SIZE").formerly(&[in_unit("body-mib", "MiB")]);

    /// Size of all bodies that are read, wait or are executed; beyond, bodies wait in line. Memory stays under 192 MiB, this, 10
    /// times the bodies of `--executions`, and 256 MiB for each of these.
    EVM_IN_FLIGHT_SIZE: Bytes = "in-flight-size" <"SIZE"> .on(&[EvmServe]).default("256MiB").within("1MiB", "1TiB")
        .variable("REFINER_EVM_IN_FLIGHT_SIZE").formerly(&[in_unit("in-flight-mib", "MiB")]);

    /// Time limit for a body to wait for room in `--in-flight-size`; beyond, 503.
    EVM_ROOM_TIMEOUT: Duration = "room-timeout" <"DURATION"> .on(&[EvmServe]).default("60s").within("0s", "1d")
        .variable("REFINER_EVM_ROOM_TIMEOUT");

    /// Executions that use a processor at once [default: the number of cores].
    EVM_RUNNING: Option<u64> = "running" <"N"> .on(&[EvmServe]).within("1", "512").variable("REFINER_EVM_RUNNING");

    /// Executions under way at once; they share the processors in slices of time, so that long ones do not keep short ones
    /// waiting [default: three times `--running`].
    EVM_EXECUTIONS: Option<u64> = "executions" <"N"> .on(&[EvmServe]).within("1", "1536").variable("REFINER_EVM_EXECUTIONS");

    /// Requests that wait, for room or for an execution to end; beyond, 503.
    EVM_WAITING: u64 = "waiting" <"N"> .on(&[EvmServe]).default("1024").within("0", "1000000").variable("REFINER_EVM_WAITING");

    /// Connections at once. For a further one, the oldest that is idle is closed.
    EVM_CONNECTIONS: u64 = "connections" <"N"> .on(&[EvmServe]).default("1024").within("1", "1000000")
        .variable("REFINER_EVM_CONNECTIONS");

    /// Time limit between two pieces of a request, between two requests of a connection, and for a client to take a piece of its
    /// answer.
    EVM_IDLE_TIMEOUT: Duration = "idle-timeout" <"DURATION"> .on(&[EvmServe]).default("75s").within("1s", "1d")
        .variable("REFINER_EVM_IDLE_TIMEOUT").formerly(&[in_unit("idle-seconds", "s")]);

    /// Time limit for the whole of a body.
    EVM_BODY_TIMEOUT: Duration = "body-timeout" <"DURATION"> .on(&[EvmServe]).default("5m").within("1s", "1d")
        .variable("REFINER_EVM_BODY_TIMEOUT").formerly(&[in_unit("body-seconds", "s")]);

    /// Upper bound on the gas that the transactions of a block use; beyond, execution ends. The header's gas limit is not bounded.
    EVM_BLOCK_GAS: u64 = "block-gas" <"GAS"> .on(&[EvmServe]).default("1000000000").variable("REFINER_EVM_BLOCK_GAS");

    /// Limit of processor time for one execution; beyond, 503. A last resort: `--block-gas` ends blocks earlier.
    EVM_PROCESSOR_TIME: Duration = "processor-time" <"DURATION"> .on(&[EvmServe]).default("60s").within("1s", "1d")
        .variable("REFINER_EVM_PROCESSOR_TIME").formerly(&[in_unit("processor-seconds", "s")]);

    /// Time for running work after SIGTERM; a second signal ends it at once.
    EVM_SHUTDOWN_TIMEOUT: Duration = "shutdown-timeout" <"DURATION"> .on(&[EvmServe]).default("30s").within("0s", "1d")
        .variable("REFINER_EVM_SHUTDOWN_TIMEOUT").formerly(&[in_unit("drain-seconds", "s")]);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::row::{Former, Scope};

    #[test]
    fn every_default_and_every_bound_is_a_value_of_its_setting_and_within_its_bounds() {
        for row in rows() {
            let measure = |text: &str| (row.measure)(text).unwrap_or_else(|| panic!("{}: {text}", row.name));
            let bounds = row.bounds.map(|(least, most)| (measure(least), measure(most)));
            if let (Some(default), Some((least, most))) = (row.default.map(measure), bounds) {
                assert!((least..=most).contains(&default), "{}", row.name);
            }
        }
    }

    #[test]
    fn every_setting_is_in_a_scope_and_no_scope_has_a_name_twice() {
        for &scope in Scope::ALL {
            let mut names = BTreeSet::new();
            for row in rows().filter(|row| row.is_in(scope)) {
                assert!(names.insert(row.name), "{scope:?}: {}", row.name);
                for former in row.former {
                    if let Former::Name { name, .. } = former {
                        assert!(names.insert(name), "{scope:?}: {name}");
                    }
                }
            }
        }
        assert!(rows().all(|row| !row.scopes.is_empty()));
    }

    #[test]
    fn variable_means_one_setting_in_every_scope() {
        let mut seen = BTreeSet::new();
        for row in rows() {
            // The same directory and the same pinner, which some commands can do without.
            assert!(seen.insert(row.variable()) || ["data", "pinner"].contains(&row.name), "{}", row.variable());
        }
    }

    #[test]
    fn help_of_every_setting_is_whole_sentences() {
        for row in rows() {
            let help = row.help.trim();
            assert!(
                help.ends_with('.') && help.starts_with(|first: char| first.is_uppercase()),
                "{}: {help}",
                row.name
            );
        }
    }
}
