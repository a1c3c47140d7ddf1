//! The state of sealed WASI.

pub(in crate::host) mod lines;
pub(in crate::host) mod times;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{
    filesystem::{WasiFilesystemCtx, WasiFilesystemCtxView},
    sockets::{WasiSocketsCtx, WasiSocketsCtxView},
};

use self::{lines::Stdio, times::Times};

/// The state of sealed WASI within one run.
#[derive(Default)]
pub(crate) struct Wasi {
    pub(in crate::host) clock: Clock,
    pub(in crate::host) times: Times,
    pub(in crate::host) stdio: Stdio,
    pub(in crate::host) random: Random,
    pub(in crate::host) absent: Absent,
}

/// The run's clock, as far as waits have moved it: nanoseconds since 1970.
#[derive(Default)]
pub(in crate::host) struct Clock(pub(in crate::host) u64);

impl Clock {
    /// Moves the clock on. It never goes back.
    pub(in crate::host) fn move_to(&mut self, time: u64) {
        self.0 = self.0.max(time);
    }
}

/// The three streams of one run. Each block is sha256 over a prefix, the stream's name, the specimen's hash and the block's
/// number (eight bytes, big-endian).
#[derive(Default)]
pub(in crate::host) struct Random {
    pub(in crate::host) secure_blocks: u64,
    pub(in crate::host) insecure_blocks: u64,
}

/// The contexts for files and sockets that wasmtime-wasi requires: they allow nothing, over an empty table. No guest comes
/// that far, because it cannot hold a file or a socket, so nothing is made until one does.
#[derive(Default)]
pub(in crate::host) struct Absent(Option<Box<Contexts>>);

#[derive(Default)]
struct Contexts {
    files: WasiFilesystemCtx,
    sockets: WasiSocketsCtx,
    table: ResourceTable,
}

impl Absent {
    pub(in crate::host) fn files(&mut self) -> WasiFilesystemCtxView<'_> {
        let Contexts { files, table, .. } = &mut **self.0.get_or_insert_default();
        WasiFilesystemCtxView { ctx: files, table }
    }

    pub(in crate::host) fn sockets(&mut self) -> WasiSocketsCtxView<'_> {
        let Contexts { sockets, table, .. } = &mut **self.0.get_or_insert_default();
        WasiSocketsCtxView { ctx: sockets, table }
    }
}
