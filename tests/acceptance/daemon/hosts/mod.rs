//! Many hosts, over real NATS servers: worker hosts are processes with stores of their own.
//!
//! | fault | what happens |
//! |---|---|
//! | a host is killed | its specimen goes to another within the ack wait |
//! | a paused host answers late | both results are equal, the first counts |
//! | one of three servers dies, the leader among them; its store is wiped | nothing is lost |
//! | all servers are killed and wiped | the streams are made anew and specimens published again |
//! | a host acknowledges a task of a stream that is no more | it removes none of the new stream |
//! | NATS does not know the user, or has no room | log, status and `refiner queue status` name the reason |
//! | NATS is away | with workers of its own the coordinator goes on alone, otherwise the status names it |
//! | a specimen that ends hosts | set aside after five of them |
//! | two coordinators | the second refuses to start; after SIGKILL of the first it starts when the lease ends |
//! | no host | the status names the rule, the number of specimens and their age |
//! | a host of another build | it does not serve the rule, and says why |
//! | a host that lies | with `--recheck` the item is set aside, and both names are in the alarm |
//! | the host of a second opinion is away | the item waits for it, and is not blamed |
//! | a result under another's name, a task that names an address | refused; not asked |
//! | the coordinator is killed while it holds a result | the result is delivered again |
//! | a clock that is an hour off | nothing depends on it |
//! | a replay is killed | the same command continues it |

mod attacks;
mod costs;
mod crew;
mod daemon_costs;
mod nats;
mod outages;
mod refusals;
mod replaying;
mod sharing;
mod tls;

/// The program of coordinator and hosts: the one that was built with the tests, or a release build that is measured.
fn program() -> std::path::PathBuf {
    std::env::var_os("REFINER_HOSTS_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_refiner").into(), Into::into)
}
