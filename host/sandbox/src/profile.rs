//! The engine under the settings that [`refiner_rule_model::engine`] names, and the way in which instances get their memory.

use refiner_rule_model::{
    Limit, SAMPLE_FRAMES_MAX,
    admission::{CORE_INSTANCES_MAX, INSTANCE_STATE_BYTES_MAX, MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX},
    engine::WASM_STACK_BYTES,
};
use rustix::process::{Resource, getrlimit};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::prices;

/// Rules running at one moment in one process. Threads that run rules are as many as cores, so this is never reached.
const CONCURRENT_RULES_MAX: u32 = 128;
/// Memory slots of the pool. Only address space: each reserves 4 GiB.
const POOLED_MEMORIES: u32 = 512;
/// Memory that a slot keeps between runs, zeroed by hand instead of returned to the kernel. More gains nothing where the
/// kernel knows which pages were written, and costs 20 us a run where it does not.
const KEEP_RESIDENT_BYTES: usize = 256 << 10;

/// The way in which instances get their memory. It cannot change a verdict, so it is no part of the profile's id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allocation {
    /// Slots reserved once and used again. An empty rule takes 8 us, where mapping takes 24.
    #[default]
    Pooled,
    /// Mapped for each instance with 4 GiB of addresses for each memory, for processes that run few rules.
    OnDemand,
    /// Mapped for each instance as large as it is, and moved when it grows, for processes whose address space is limited. The code
    /// compares addresses itself, and is not that of the other two.
    Compact,
}

/// Functions of a stack that the engine keeps: one more than a sample has, so that the sample can tell that it was cut.
const FRAMES_MAX: usize = SAMPLE_FRAMES_MAX + 1;
/// Addresses kept behind a memory that is mapped as large as it is, so that it moves at every so many bytes of growth.
const GROWTH_BYTES: u64 = 16 << 20;
/// Address space below which nothing is reserved: the pool has 512 memories of 4 GiB and their guards.
const ADDRESSES_MIN: u64 = 4 << 40;

/// A named set of engine settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineProfile {
    allocation: Allocation,
}

impl EngineProfile {
    /// The profile with another way of giving instances their memory.
    pub const fn with_allocation(allocation: Allocation) -> Self {
        Self { allocation }
    }

    /// The profile of a process that runs rules on all its threads, as far as its address space goes.
    pub fn of_this_process() -> Self {
        Self::with_allocation(if addresses_are_limited() { Allocation::Compact } else { Allocation::Pooled })
    }

    /// The profile of the children that compile and run rules, asked before they limit themselves, and of who loads their code.
    pub fn of_children() -> Self {
        Self::with_allocation(if addresses_are_limited() { Allocation::Compact } else { Allocation::OnDemand })
    }

    /// The way in which instances get their memory.
    pub const fn allocation(&self) -> Allocation {
        self.allocation
    }

    pub(crate) fn engine(&self) -> wasmtime::Result<Engine> {
        let mut config = Config::new();
        deterministic(&mut config)?;
        bounded(&mut config);
        refuse_proposals(&mut config);
        config.cranelift_opt_level(OptLevel::Speed).parallel_compilation(true);
        // The names of functions tell a rule's author where it trapped, or spent its fuel; addresses would tell nothing.
        config
            .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(FRAMES_MAX))
            .generate_address_map(false)
            .native_unwind_info(false);
        // The image of initial memory is mapped, not copied.
        config.memory_init_cow(true);
        match self.allocation {
            Allocation::Pooled => drop(config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()))),
            Allocation::OnDemand => {}
            Allocation::Compact => {
                config.memory_reservation(0).memory_reservation_for_growth(GROWTH_BYTES).memory_guard_size(0);
            }
        }
        Engine::new(&config)
    }
}

/// True under `ulimit -v` and the like, which children inherit.
fn addresses_are_limited() -> bool {
    getrlimit(Resource::As).current.is_some_and(|bytes| bytes < ADDRESSES_MIN)
}

/// Settings that make two machines agree.
fn deterministic(config: &mut Config) -> wasmtime::Result<()> {
    config
        .consume_fuel(true)
        .operator_cost(prices::operators())
        .cranelift_nan_canonicalization(true)
        .concurrency_support(false);
    if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        // Named, so that nothing is taken from the processor at hand: code made for more registers has other stack frames,
        // and a rule would overflow its stack on one machine and not on another.
        config.target("x86_64-unknown-linux-gnu")?;
    }
    Ok(())
}

/// Settings that end a guest which does not end by itself.
fn bounded(config: &mut Config) {
    config.epoch_interruption(true).max_wasm_stack(WASM_STACK_BYTES);
}

/// Off here, while their cargo features stay in: code for a proposal that is compiled out panics in places where code for
/// one that is switched off refuses.
fn refuse_proposals(config: &mut Config) {
    config
        .wasm_component_model(true)
        .wasm_bulk_memory(true)
        .wasm_simd(true)
        .wasm_threads(false)
        .shared_memory(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_stack_switching(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false);
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let memory_cap = usize::try_from(Limit::MemoryBytes.spec().cap).unwrap_or(usize::MAX);
    pool.total_component_instances(CONCURRENT_RULES_MAX)
        .total_core_instances(CONCURRENT_RULES_MAX * CORE_INSTANCES_MAX)
        .total_memories(POOLED_MEMORIES)
        .total_tables(POOLED_MEMORIES)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_memories_per_module(MEMORIES_MAX)
        .max_tables_per_module(TABLES_MAX)
        .max_core_instance_size(INSTANCE_STATE_BYTES_MAX)
        .max_component_instance_size(INSTANCE_STATE_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(memory_cap)
        // Only pages that the guest wrote are zeroed, where the kernel can tell (Linux 6.7): 29 us a run of block-result for 54.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES);
    pool
}
