//! Fuel for each operator: what it costs where it costs most, measured by `cargo bench --bench fuel`.
//!
//! A unit buys [`refiner_rule_model::UNIT_PICOSECONDS`] on the machine of the README. A price covers what a guest can choose: operands that take the
//! processor longest, memory and code that no cache holds, frames as large as admission lets them be.

use wasmtime::OperatorCost;

/// Sets the price of each operator named.
macro_rules! price {
    ($costs:ident, $price:literal: $($operator:ident)*) => {$($costs.$operator = $price;)*};
}

/// The price of every operator. One that is not named here costs 1, or nothing where it makes no code.
pub(crate) const fn operators() -> OperatorCost {
    let mut costs = OperatorCost::new();
    control(&mut costs);
    numbers(&mut costs);
    memory(&mut costs);
    bulk(&mut costs);
    vectors(&mut costs);
    wide_vectors(&mut costs);
    costs
}

const fn control(costs: &mut OperatorCost) {
    // A check of fuel and epoch.
    price!(costs, 1: Loop);
    // Guessed wrong, into code that is in no cache.
    price!(costs, 24: If Br BrIf);
    price!(costs, 48: BrTable);
    // Into code that is in no cache, with a frame of a thousand locals to be zeroed. Builtins of the component model are calls too.
    price!(costs, 160: Call ReturnCall);
    // Beside that, an entry of a table and the function's record.
    price!(costs, 240: CallIndirect ReturnCallIndirect);
    price!(costs, 4: Select TypedSelect);
    // One of another instance is behind a pointer.
    price!(costs, 16: GlobalGet GlobalSet);
}

const fn numbers(costs: &mut OperatorCost) {
    // A division of 64 bits takes 90 cycles on processors that are still in use.
    price!(costs, 24: I32DivS I32DivU I32RemS I32RemU I64DivS I64DivU I64RemS I64RemU);
    price!(costs, 4: I32Clz I32Ctz I32Popcnt I64Clz I64Ctz I64Popcnt);
    price!(costs, 4: F32Add F32Sub F32Min F32Max F32Ceil F32Floor F32Trunc F32Nearest F32Eq F32Ne F32Lt F32Gt F32Le F32Ge);
    price!(costs, 4: F64Add F64Sub F64Min F64Max F64Ceil F64Floor F64Trunc F64Nearest F64Eq F64Ne F64Lt F64Gt F64Le F64Ge);
    // Numbers below the normal range take 160 cycles.
    price!(costs, 32: F32Mul F32Div F32Sqrt F64Mul F64Div F64Sqrt F32DemoteF64 F64PromoteF32);
    price!(costs, 4: I32TruncF32S I32TruncF32U I32TruncF64S I32TruncF64U I64TruncF32S I64TruncF32U I64TruncF64S I64TruncF64U);
    price!(costs, 4: I32TruncSatF32S I32TruncSatF32U I32TruncSatF64S I32TruncSatF64U);
    price!(costs, 4: I64TruncSatF32S I64TruncSatF32U I64TruncSatF64S I64TruncSatF64U);
    price!(costs, 4: F32ConvertI32S F32ConvertI32U F32ConvertI64S F32ConvertI64U);
    price!(costs, 4: F64ConvertI32S F64ConvertI32U F64ConvertI64S F64ConvertI64U);
    price!(costs, 2: I32ReinterpretF32 I64ReinterpretF64 F32ReinterpretI32 F64ReinterpretI64);
}

const fn memory(costs: &mut OperatorCost) {
    // From the machine's memory through a page table that no cache holds, over the border of two pages.
    price!(costs, 240: I32Load I64Load F32Load F64Load I32Load8S I32Load8U I32Load16S I32Load16U);
    price!(costs, 240: I64Load8S I64Load8U I64Load16S I64Load16U I64Load32S I64Load32U);
    price!(costs, 240: V128Load V128Load8x8S V128Load8x8U V128Load16x4S V128Load16x4U V128Load32x2S V128Load32x2U);
    price!(costs, 240: V128Load8Splat V128Load16Splat V128Load32Splat V128Load64Splat V128Load32Zero V128Load64Zero);
    price!(costs, 240: V128Load8Lane V128Load16Lane V128Load32Lane V128Load64Lane);
    // Nothing waits for a store, so several are under way at once.
    price!(costs, 48: I32Store I64Store F32Store F64Store I32Store8 I32Store16 I64Store8 I64Store16 I64Store32);
    price!(costs, 48: V128Store V128Store8Lane V128Store16Lane V128Store32Lane V128Store64Lane);
    price!(costs, 2: MemorySize);
}

const fn bulk(costs: &mut OperatorCost) {
    // A call out of the guest's code, and two places that no cache holds.
    price!(costs, 255: MemoryCopy MemoryFill MemoryInit MemoryGrow);
    price!(costs, 255: TableCopy TableFill TableInit TableGrow);
    price!(costs, 240: TableGet);
    price!(costs, 200: RefFunc);
    price!(costs, 64: TableSet DataDrop ElemDrop);
    price!(costs, 2: TableSize RefIsNull);
    // The most there is, and less than the first touch of a page costs: that is bounded by `memory_bytes`.
    costs.variable.memory_grow_per_page = 255;
    costs.variable.table_copy_per_element = 8;
    costs.variable.table_fill_per_element = 8;
    costs.variable.table_init_per_element = 8;
    costs.variable.table_grow_per_element = 16;
}

/// Lanes without the instructions that the target lacks: several instructions each.
const fn vectors(costs: &mut OperatorCost) {
    price!(costs, 8: I8x16Popcnt I16x8Q15MulrSatS I8x16NarrowI16x8S I8x16NarrowI16x8U I16x8NarrowI32x4S I16x8NarrowI32x4U);
    price!(costs, 4: I16x8ExtMulLowI8x16S I16x8ExtMulHighI8x16S I16x8ExtMulLowI8x16U I16x8ExtMulHighI8x16U);
    price!(costs, 4: I32x4ExtMulLowI16x8S I32x4ExtMulHighI16x8S I32x4ExtMulLowI16x8U I32x4ExtMulHighI16x8U);
    price!(costs, 4: I64x2ExtMulLowI32x4S I64x2ExtMulHighI32x4S I64x2ExtMulLowI32x4U I64x2ExtMulHighI32x4U);
    price!(costs, 4: I16x8ExtAddPairwiseI8x16S I16x8ExtAddPairwiseI8x16U I32x4ExtAddPairwiseI16x8S I32x4ExtAddPairwiseI16x8U);
    price!(costs, 4: I32x4Mul I64x2Mul I32x4DotI16x8S I64x2LtS I64x2GtS I64x2LeS I64x2GeS I64x2Eq I64x2Ne I64x2Abs);
    price!(costs, 4: I8x16Shl I8x16ShrS I8x16ShrU I16x8Shl I16x8ShrS I16x8ShrU I32x4Shl I32x4ShrS I32x4ShrU I64x2Shl I64x2ShrS I64x2ShrU);
    price!(costs, 4: I32x4MinS I32x4MinU I32x4MaxS I32x4MaxU I16x8MinU I16x8MaxU I8x16MinS I8x16MaxS);
    price!(costs, 4: V128AnyTrue I8x16AllTrue I8x16Bitmask I16x8AllTrue I16x8Bitmask I32x4AllTrue I32x4Bitmask I64x2AllTrue I64x2Bitmask);
    price!(costs, 4: I8x16ExtractLaneS I8x16ExtractLaneU I16x8ExtractLaneS I16x8ExtractLaneU I32x4ExtractLane I64x2ExtractLane);
    price!(costs, 4: F32x4ExtractLane F64x2ExtractLane I8x16ReplaceLane I16x8ReplaceLane I32x4ReplaceLane I64x2ReplaceLane);
    price!(costs, 4: F32x4ReplaceLane F64x2ReplaceLane I8x16Splat I16x8Splat I32x4Splat I64x2Splat F32x4Splat F64x2Splat);
    price!(costs, 4: I64x2ExtendHighI32x4S I64x2ExtendLowI32x4S I32x4ExtendHighI16x8S I16x8ExtendHighI8x16S I8x16Abs I16x8Abs I32x4Abs);
    // Through calls out of the guest's code.
    price!(costs, 24: I8x16Swizzle I8x16Shuffle);
}

const fn wide_vectors(costs: &mut OperatorCost) {
    price!(costs, 8: F32x4Add F32x4Sub F32x4Min F32x4Max F64x2Add F64x2Sub F64x2Min F64x2Max F32x4PMin F32x4PMax F64x2PMin F64x2PMax);
    price!(costs, 4: F32x4Eq F32x4Ne F32x4Lt F32x4Gt F32x4Le F32x4Ge F64x2Eq F64x2Ne F64x2Lt F64x2Gt F64x2Le F64x2Ge);
    // Numbers below the normal range, in four lanes.
    price!(costs, 64: F32x4Mul F32x4Div F32x4Sqrt F64x2Mul F64x2Div F64x2Sqrt F32x4DemoteF64x2Zero F64x2PromoteLowF32x4);
    // A call for each lane.
    price!(costs, 32: F32x4Ceil F32x4Floor F32x4Trunc F32x4Nearest F64x2Ceil F64x2Floor F64x2Trunc F64x2Nearest);
    price!(costs, 12: I32x4TruncSatF32x4S I32x4TruncSatF32x4U I32x4TruncSatF64x2SZero I32x4TruncSatF64x2UZero);
    price!(costs, 12: F32x4ConvertI32x4S F32x4ConvertI32x4U F64x2ConvertLowI32x4S F64x2ConvertLowI32x4U);
}

#[cfg(test)]
mod tests {
    use refiner_rule_model::engine;
    use sha2::{Digest, Sha256};

    use super::*;

    /// The profile's id is a hash of its settings, so the prices have to be part of them.
    #[test]
    fn settings_of_the_profile_name_the_table_of_prices_by_its_hash() {
        let digest = alloy_primitives::hex::encode(Sha256::digest(format!("{:?}", operators())));
        let (_, fuel) = engine::SETTINGS.iter().find(|(name, _)| *name == "fuel").unwrap();
        assert!(fuel.contains(&digest[..16]), "{fuel}: the table is {digest}");
    }
}
