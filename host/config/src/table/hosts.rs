//! The rows of what many hosts share.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use url::Url;

use crate::{
    row::{
        Row,
        Scope::{Queue, ReplayHosts, Work},
        Setting,
    },
    scopes::{COORDINATING, QUEUED},
    share::Share,
};

const HOSTS: &str = "Many hosts";

settings! {
    /// NATS server with JetStream, such as `nats://127.0.0.1:4222` or `tls://nats.example:4222`, over which worker hosts share the work.
    /// Can be repeated for the servers of a cluster.
    QUEUE: Vec<String> = "queue" <"URL"> .under(HOSTS).on(QUEUED).with_commas().confidential();

    /// File of mode 600 with the nkey seed by which this process is known to NATS.
    QUEUE_NKEY: Option<PathBuf> = "queue-nkey" <"FILE"> .under(HOSTS).on(QUEUED);

    /// File with the certificates of the authority that NATS servers are trusted by; TLS is required then.
    QUEUE_CA: Option<PathBuf> = "queue-ca" <"FILE"> .under(HOSTS).on(QUEUED);

    /// Queue of a NATS server that has several: 12 hexadecimal digits, as `refiner queue status` shows them.
    QUEUE_ID: Option<String> = "queue-id" <"ID"> .under(HOSTS).on(&[Work, Queue]);

    /// Origin of worker hosts that results are fetched from, such as `http://10.0.0.7:5090`, or a network of their addresses such as
    /// `10.0.0.0/16`; from others nothing is fetched. Can be repeated.
    HOST_ORIGIN: Vec<String> = "host-origin" <"ORIGIN"> .under(HOSTS).on(COORDINATING).with_commas();

    /// Share of specimens that two worker hosts run, such as `1/100`; where they differ, the item is set aside and nothing is proved.
    RECHECK: Option<Share> = "recheck" <"SHARE"> .under(HOSTS).on(COORDINATING);

    /// Time after which a specimen without a sign of progress is given to another worker host. A change takes new consumers in NATS.
    QUEUE_ACK_WAIT: Duration = "queue-ack-wait" <"DURATION"> .under(HOSTS).on(COORDINATING).default("60s").within("1s", "1h");

    /// Time after which a specimen without a result is looked for in NATS, and published again if it is gone [default: twice the
    /// ack wait and the time of its run].
    QUEUE_SWEEP: Option<Duration> = "queue-sweep" <"DURATION"> .under(HOSTS).on(COORDINATING).within("1s", "1d");

    /// Content server of the coordinator, such as `http://coordinator:5080`, that specimens and rules are fetched from; from others
    /// nothing is fetched. Can be repeated.
    FROM: Vec<String> = "from" <"ORIGIN"> .under(HOSTS).on(&[Work]).with_commas();

    /// Address that serves specimens and rules to worker hosts, read-only: what they name by `--from`.
    REPLAY_LISTEN: SocketAddr = "listen" <"ADDRESS"> .under(HOSTS).on(&[ReplayHosts]).default("127.0.0.1:5080")
        .variable("REFINER_REPLAY_LISTEN");

    /// Name of this host, unlike any other's: the one that its nkey may publish under [default: the machine's].
    HOST_NAME: Option<String> = "host-name" <"NAME"> .under(HOSTS).on(&[Work]);

    /// Address that serves this host's artifacts to the coordinator, read-only.
    WORK_LISTEN: SocketAddr = "listen" <"ADDRESS"> .under(HOSTS).on(&[Work]).default("127.0.0.1:5090")
        .variable("REFINER_WORK_LISTEN");

    /// Permits a `--listen` address that other machines reach. There is no authentication: each of them can read what this host has.
    ALLOW_REMOTE_ARTIFACTS: bool = "allow-remote-artifacts" <"BOOL"> .under(HOSTS).on(&[Work]).default("false");

    /// Base URL by which the coordinator reaches `--listen` [default: this machine's address towards the first `--from`].
    WORK_ORIGIN: Option<Url> = "origin" <"URL"> .under(HOSTS).on(&[Work]).variable("REFINER_WORK_ORIGIN");
}
