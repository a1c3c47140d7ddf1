//! Specimens of random content that a layout can represent, from a seed.

use alloy_consensus::Header;
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip4895::Withdrawal,
};
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};
use refiner_specimen::{
    AccountRead, Authorization, BlobSidecar, Block, BlockHashRead, CodeRead, Layout, Log, Receipt, Specimen,
    StateReads, StorageRead, Transaction,
};

/// A specimen with something of everything that the layout has; two seeds give two specimens.
pub fn specimen(layout: Layout, seed: u64) -> Specimen {
    let mut dice = Dice(seed);
    let dice = &mut dice;
    let header = header(dice, layout);
    let block = Block {
        kind: ["block-replica", "block-specimen", ""][dice.below(3)].to_owned(),
        network_id: dice.long(),
        hash: dice.hash(),
        total_difficulty: dice.number_of(layout),
        transactions: dice.list(|dice| transaction(dice, layout)),
        uncles: uncles(dice, layout),
        receipts: dice.list(receipt),
        senders: dice.list(Dice::address),
        state: state(dice, layout),
        withdrawals: (layout >= Layout::V0_33).then(|| dice.option(|dice| dice.list(withdrawal))).flatten(),
        blob_sidecars: (layout >= Layout::V0_37).then(|| dice.option(|dice| dice.list(sidecar))).flatten(),
        header,
    };
    Specimen {
        layout,
        stated_codec_version: 0.31 + dice.below(8) as f64 / 100.0,
        start_block: dice.long(),
        end_block: dice.long(),
        elements: dice.long(),
        event_hash: dice.hash(),
        block,
    }
}

fn header(dice: &mut Dice, layout: Layout) -> Header {
    Header {
        parent_hash: dice.hash(),
        ommers_hash: dice.hash(),
        beneficiary: dice.address(),
        state_root: dice.hash(),
        transactions_root: dice.hash(),
        receipts_root: dice.hash(),
        logs_bloom: Bloom::new(dice.array()),
        difficulty: dice.number_of(layout),
        number: if layout == Layout::V0_2 { dice.long() } else { dice.next() },
        gas_limit: dice.long(),
        gas_used: dice.long(),
        timestamp: dice.long(),
        extra_data: dice.bytes(),
        mix_hash: dice.hash(),
        nonce: B64::new(dice.array()),
        base_fee_per_gas: Some(if layout == Layout::V0_2 { dice.double(64).to() } else { dice.next() }),
        withdrawals_root: (layout >= Layout::V0_32).then(|| dice.option(Dice::hash)).flatten(),
        blob_gas_used: (layout >= Layout::V0_36).then(|| dice.option(Dice::long)).flatten(),
        excess_blob_gas: (layout >= Layout::V0_36).then(|| dice.option(Dice::long)).flatten(),
        parent_beacon_block_root: (layout >= Layout::V0_36).then(|| dice.option(Dice::hash)).flatten(),
        requests_hash: (layout >= Layout::V0_38).then(|| dice.option(Dice::hash)).flatten(),
        ..Header::default()
    }
}

fn uncles(dice: &mut Dice, layout: Layout) -> Option<Vec<Header>> {
    let all = |dice: &mut Dice| dice.list(|dice| header(dice, layout));
    if layout >= Layout::V0_35 || layout == Layout::V0_2 { dice.option(all) } else { Some(all(dice)) }
}

fn transaction(dice: &mut Dice, layout: Layout) -> Transaction {
    let access_list = dice.list(|dice| AccessListItem { address: dice.address(), storage_keys: dice.list(Dice::hash) });
    let blobs = layout >= Layout::V0_37;
    let newest = layout >= Layout::V0_38;
    let signed = layout != Layout::V0_2;
    let price = |dice: &mut Dice| if layout == Layout::V0_2 { dice.long().into() } else { dice.u128() };
    Transaction {
        tx_type: u8::try_from(dice.below(5)).unwrap(),
        access_list: AccessList(access_list),
        chain_id: if layout == Layout::V0_2 { dice.long() } else { dice.next() },
        nonce: dice.long(),
        gas_price: price(dice),
        gas_tip_cap: price(dice),
        gas_fee_cap: price(dice),
        gas: dice.long(),
        from: dice.option(Dice::address),
        to: dice.option(Dice::address),
        v: signed.then(|| dice.option(Dice::number)).flatten(),
        r: signed.then(|| dice.option(Dice::number)).flatten(),
        s: signed.then(|| dice.option(Dice::number)).flatten(),
        value: dice.number_of(layout),
        input: dice.bytes(),
        blob_fee_cap: blobs.then(|| dice.option(Dice::u128)).flatten(),
        blob_hashes: blobs.then(|| dice.option(|dice| dice.list(Dice::hash))).flatten(),
        blob_gas: blobs.then(|| dice.option(Dice::long)).flatten(),
        data: newest.then(|| dice.option(|_| "dätä".to_owned())).flatten(),
        authorization_list: newest.then(|| dice.option(|dice| dice.list(authorization))).flatten(),
    }
}

fn authorization(dice: &mut Dice) -> Authorization {
    Authorization {
        chain_id: dice.number(),
        address: dice.address(),
        nonce: dice.long(),
        y_parity: dice.number(),
        r: dice.number(),
        s: dice.number(),
    }
}

fn receipt(dice: &mut Dice) -> Receipt {
    Receipt {
        post_state_or_status: dice.bytes(),
        cumulative_gas_used: dice.long(),
        tx_hash: dice.hash(),
        contract_address: dice.address(),
        logs: dice.list(|dice| Log {
            address: dice.address(),
            topics: dice.list(Dice::hash),
            data: dice.bytes(),
            block_number: dice.long(),
            transaction_hash: dice.hash(),
            transaction_index: dice.long(),
            block_hash: dice.hash(),
            log_index: dice.long(),
            removed: dice.below(2) == 1,
        }),
        gas_used: dice.long(),
    }
}

fn state(dice: &mut Dice, layout: Layout) -> StateReads {
    StateReads {
        accounts: dice.list(|dice| AccountRead {
            address: dice.address(),
            nonce: dice.long(),
            balance: dice.number_of(layout),
            code_hash: dice.hash(),
        }),
        storage: dice.list(|dice| StorageRead { account: dice.address(), slot: dice.hash(), value: dice.hash() }),
        codes: dice.list(|dice| CodeRead { hash: dice.hash(), code: dice.bytes() }).into(),
        block_hashes: dice.list(|dice| BlockHashRead {
            // Below 2^40, as heights are: a larger double may have the bytes of a long, and the next layout then reads the file.
            number: if layout == Layout::V0_3 { dice.double(64).to::<u64>() >> 24 } else { dice.long() },
            hash: dice.hash(),
        }),
    }
}

fn withdrawal(dice: &mut Dice) -> Withdrawal {
    Withdrawal { index: dice.long(), validator_index: dice.long(), address: dice.address(), amount: dice.long() }
}

fn sidecar(dice: &mut Dice) -> BlobSidecar {
    BlobSidecar { blobs: dice.list(Dice::bytes), commitments: dice.list(Dice::bytes), proofs: dice.list(Dice::bytes) }
}

/// SplitMix64: every seed is a good one.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    /// Of any size an Avro long can have, small ones too.
    fn long(&mut self) -> u64 {
        self.next() >> (1 + self.below(63))
    }

    fn u128(&mut self) -> u128 {
        (u128::from(self.next()) << 64 | u128::from(self.next())) >> self.below(128)
    }

    fn number(&mut self) -> U256 {
        U256::from_be_bytes(self.array::<32>()) >> self.below(257)
    }

    /// One that the layout can represent: in 0.2 those that are doubles.
    fn number_of(&mut self, layout: Layout) -> U256 {
        if layout == Layout::V0_2 { self.double(256) } else { self.number() }
    }

    /// A number of at most `bits` bits, 53 of them significant.
    fn double(&mut self, bits: usize) -> U256 {
        U256::from(self.next() >> (11 + self.below(53))) << self.below(bits - 52)
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }

    fn hash(&mut self) -> B256 {
        B256::new(self.array())
    }

    fn address(&mut self) -> Address {
        Address::new(self.array())
    }

    /// Mostly short, sometimes none, sometimes much more than any code.
    fn bytes(&mut self) -> Bytes {
        let length = match self.below(50) {
            0 => self.below(200_000),
            1..10 => 0,
            _ => self.below(300),
        };
        let first = self.below(256);
        (0..length).map(|position| (first + position).to_le_bytes()[0]).collect()
    }

    fn option<T>(&mut self, some: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| some(self))
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| item(self)).collect()
    }
}
