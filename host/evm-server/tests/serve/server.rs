//! A server of this process, on a port of its own.

use std::net::SocketAddr;

use refiner_evm::{EmbeddedExecutor, Era, ResultFormat, Uninterrupted};
use refiner_evm_server::serve::{EvmServer, Limits};
use refiner_specimen::data_json;
use refiner_testkit::{SpecimenFile, best_available, samples};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Era D, as the program has it by default.
pub const ERA_D: ResultFormat = ResultFormat::EvmServer(Era::D);

/// Ends with the test.
pub struct Server {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    pub task: JoinHandle<()>,
    _guard: DropGuard,
}

pub async fn start(format: ResultFormat, limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = EvmServer::new(EmbeddedExecutor::default(), format, limits).unwrap();
    let task = tokio::spawn(server.serve(vec![listener], stop.clone()));
    Server { address, task, _guard: stop.clone().drop_guard(), stop }
}

impl Server {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The JSON that the network's refiner makes of a specimen.
pub fn json(file: &SpecimenFile) -> Vec<u8> {
    data_json(&file.bytes).unwrap().to_string().into_bytes()
}

/// A block that era D executes: a real one where there is one, else a sample.
pub fn some_block() -> SpecimenFile {
    best_available().unwrap().into_iter().chain(samples().unwrap()).find(|file| result(file, ERA_D).is_some()).unwrap()
}

/// The executor's result for a specimen without any server, if there is one.
pub fn result(file: &SpecimenFile, format: ResultFormat) -> Option<Vec<u8>> {
    let specimen = refiner_specimen::decode(&file.bytes).unwrap();
    let execution = EmbeddedExecutor::default().answer(&specimen, format, &Uninterrupted).unwrap().ok()?;
    Some(execution.block_result(&specimen).ok()?.to_vec())
}
