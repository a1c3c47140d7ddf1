//! The cost of a request beside the cost of executing its block.
//!
//! `cargo bench -p refiner-evm-server --bench request -- [ROUNDS]`. Over every specimen that has a result in the format, in turns and
//! in one process:
//!
//! * *an execution*: a specimen as `replay` decodes it in, the bytes of the block result out, the specimen dropped;
//! * *a decoding*: the Avro file in, that specimen out. `replay` does both;
//! * *a request*: everything that the server does from the head of a request to the last byte of its answer, on a connection that is
//!   kept, as the network's refiner keeps it. The client is a process of its own and is not counted;
//! * the parts of a request that can be done by hand: the form, the JSON, and the execution again, of what the JSON gave. The rest is
//!   HTTP and the network.
//!
//! All is processor time, with that of the kernel, in medians of the rounds, summed over the blocks.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops at what it did not expect"
)]

use std::{
    env,
    hint::black_box,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use alloy_primitives::{B256, Bytes, keccak256};
use axum::http::{HeaderMap, header::CONTENT_TYPE};
use mimalloc::MiMalloc;
use refiner_evm::{EmbeddedExecutor, Era, ResultFormat, Uninterrupted};
use refiner_evm_server::serve::{EvmServer, Limits, replica};
use refiner_listener::form::Boundary;
use refiner_specimen::{Specimen, data_json, decode_shared};
use refiner_testkit::best_available;
use rustix::time::{ClockId, clock_gettime};
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_util::sync::CancellationToken;

/// As in the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const FORMAT: ResultFormat = ResultFormat::EvmServer(Era::D);
const ROUNDS: usize = 101;
/// A request, in executions of its block.
const GOAL: f64 = 1.25;
/// The argument with which this program is the client.
const CLIENT: &str = "--client";
const FORM: &str = "multipart/form-data; boundary=b0undary";

/// A block as its file, and as the form that a client posts.
struct Block {
    avro: Bytes,
    form: Bytes,
}

fn blocks(executor: &EmbeddedExecutor) -> Vec<Block> {
    let files = best_available().unwrap().into_iter().map(|file| Bytes::from(file.bytes));
    let executed =
        files.filter(|avro| executor.answer(&decode_shared(avro).unwrap(), FORMAT, &Uninterrupted).unwrap().is_ok());
    executed
        .map(|avro| {
            let json = data_json(&avro).unwrap().to_string();
            let head = format!("--b0undary\r\ncontent-length: {}\r\n\r\n", json.len());
            let form = [head.as_bytes(), json.as_bytes(), b"\r\n--b0undary--\r\n"].concat();
            Block { avro, form: form.into() }
        })
        .collect()
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match &arguments[..] {
        [first, address] if first == CLIENT => serve_requests_of(address.parse().unwrap()),
        [] => compare(ROUNDS),
        [rounds, ..] => compare(rounds.parse().unwrap()),
    }
}

/// The parts of what is compared, for one block.
#[derive(Default)]
struct Times {
    decoding: Vec<Duration>,
    execution: Vec<Duration>,
    form: Vec<Duration>,
    json: Vec<Duration>,
    execution_of_json: Vec<Duration>,
    request: Vec<Duration>,
    /// From the first byte that is sent to the last that comes, by the clock on the wall.
    answered: Vec<Duration>,
}

fn compare(rounds: usize) {
    let executor = EmbeddedExecutor::default();
    let blocks = blocks(&executor);
    let size = |bytes: fn(&Block) -> usize| blocks.iter().map(bytes).sum::<usize>() as f64 / 1e6;
    println!(
        "request: {} of {} blocks have a result in {FORMAT}: {:.1} MB of JSON, {:.1} MB of Avro; {rounds} rounds",
        blocks.len(),
        best_available().unwrap().len(),
        size(|block| block.form.len()),
        size(|block| block.avro.len())
    );
    let runtime = Runtime::new().unwrap();
    let (address, stop) = serve(&runtime);
    let mut client = Client::start(address);
    let mut times: Vec<Times> = blocks.iter().map(|_| Times::default()).collect();
    for _ in 0..rounds {
        for (index, (block, times)) in blocks.iter().zip(&mut times).enumerate() {
            round(&executor, block, times, || client.request(index));
        }
    }
    stop.cancel();
    tell(&mut times);
}

/// One round of everything for one block.
fn round(
    executor: &EmbeddedExecutor,
    block: &Block,
    times: &mut Times,
    request: impl FnOnce() -> (u16, Duration, B256),
) {
    let execute = |specimen: Specimen| {
        let execution = executor.answer(&specimen, FORMAT, &Uninterrupted).unwrap().unwrap();
        execution.block_result(&specimen).unwrap()
    };
    let specimen = timed(&mut times.decoding, || decode_shared(&block.avro).unwrap());
    let expected = timed(&mut times.execution, || execute(specimen));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, FORM.parse().unwrap());
    let boundary = Boundary::of(&headers).unwrap();
    let json: Bytes = timed(&mut times.form, || boundary.parts(&block.form.0).unwrap().remove(0).into_raw().into());
    let specimen = timed(&mut times.json, || replica::read(&json).unwrap());
    let result = timed(&mut times.execution_of_json, || execute(specimen));
    assert!(result == expected);
    let (status, answered, hash) = timed(&mut times.request, request);
    assert_eq!((status, hash), (200, keccak256(&expected)));
    times.answered.push(answered);
}

fn timed<T>(times: &mut Vec<Duration>, work: impl FnOnce() -> T) -> T {
    let before = processor_time();
    let output = black_box(work());
    times.push(processor_time() - before);
    output
}

/// Processor time of this process, of every thread.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

fn tell(times: &mut [Times]) {
    let mut sum = |part: fn(&mut Times) -> &mut Vec<Duration>| -> f64 {
        times.iter_mut().map(|times| median(part(times)).as_secs_f64() * 1e3).sum()
    };
    let (decoding, execution) = (sum(|times| &mut times.decoding), sum(|times| &mut times.execution));
    let (form, json) = (sum(|times| &mut times.form), sum(|times| &mut times.json));
    let (again, request) = (sum(|times| &mut times.execution_of_json), sum(|times| &mut times.request));
    let network = request - form - json - again;
    let line = |what: &str, milliseconds: f64| {
        println!("request: {what:<32} {milliseconds:8.2} ms, {:.3} executions", milliseconds / execution);
    };
    line("an execution", execution);
    line("a decoding of Avro", decoding);
    line("a request", request);
    line("  its form", form);
    line("  its JSON", json);
    line("  its execution", again);
    line("  HTTP and the network", network);
    line("answered, by the clock", sum(|times| &mut times.answered));
    println!(
        "request: a request costs {:.3} executions ({GOAL} is the goal), and {:.3} of decoding and execution together",
        request / execution,
        request / (decoding + execution)
    );
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The server, with a listener as the program has it.
fn serve(runtime: &Runtime) -> (SocketAddr, CancellationToken) {
    let stop = CancellationToken::new();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let server = EvmServer::new(EmbeddedExecutor::default(), FORMAT, Limits::default()).unwrap();
    runtime.spawn(server.serve(vec![listener], stop.clone()));
    (address, stop)
}

/// The client's process.
struct Client {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Client {
    fn start(address: SocketAddr) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([CLIENT, &address.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut client = Self { child, orders, answers: BufReader::new(answers) };
        // It has read its blocks.
        client.line();
        client
    }

    /// Has it post a block. Returns status, time on the wall, and hash of the answer's body.
    fn request(&mut self, index: usize) -> (u16, Duration, B256) {
        writeln!(self.orders, "{index}").unwrap();
        let line = self.line();
        let mut words = line.split_whitespace();
        let mut word = || words.next().unwrap_or_else(|| panic!("the client ended: {line:?}"));
        (word().parse().unwrap(), Duration::from_nanos(word().parse().unwrap()), word().parse().unwrap())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Posts the blocks whose numbers come on standard input, over one connection.
fn serve_requests_of(address: SocketAddr) {
    let requests: Vec<Vec<u8>> = blocks(&EmbeddedExecutor::default())
        .into_iter()
        .map(|Block { form, .. }| {
            let head = format!(
                "POST /process HTTP/1.1\r\nhost: x\r\ncontent-type: {FORM}\r\ncontent-length: {}\r\n\r\n",
                form.len()
            );
            [head.as_bytes(), &form].concat()
        })
        .collect();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    println!("ready");
    let mut buffer = vec![0; 8 << 20];
    for line in std::io::stdin().lines() {
        let request = &requests[line.unwrap().parse::<usize>().unwrap()];
        let begun = Instant::now();
        stream.write_all(request).unwrap();
        let (status, body) = answer(&mut stream, &mut buffer);
        let took = begun.elapsed();
        println!("{status} {} {}", took.as_nanos(), keccak256(body));
    }
}

/// Status and body of an answer that states its length.
fn answer<'a>(stream: &mut TcpStream, buffer: &'a mut [u8]) -> (u16, &'a [u8]) {
    let mut filled = 0;
    let (head_end, length, status) = loop {
        let read = stream.read(&mut buffer[filled..]).unwrap();
        assert!(read > 0, "the server closed the connection");
        filled += read;
        if let Some(end) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
            let head = std::str::from_utf8(&buffer[..end]).unwrap().to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let status = head.split(' ').nth(1).unwrap();
            break (end + 4, length.parse::<usize>().unwrap(), status.parse().unwrap());
        }
    };
    stream.read_exact(&mut buffer[filled..head_end + length]).unwrap();
    (status, &buffer[head_end..head_end + length])
}
