//! Each precompile with the inputs that cost it most.

use alloy_primitives::{Bytes, hex};
use sha2::{Digest, Sha256};

use super::{Hostile, calling, forever, hostile, op};
use crate::devnet::{OSAKA, PARIS, PRAGUE};

pub fn all() -> Vec<Hostile> {
    let mut all = vec![
        precompile("ecrecover", PARIS, 1, ALL, ecrecover()),
        precompile("sha256", PARIS, 2, ALL, vec![7; 4096]),
        precompile("sha256 of nothing", PARIS, 2, ALL, vec![]),
        precompile("ripemd160", PARIS, 3, ALL, vec![7; 4096]),
        precompile("identity", PARIS, 4, ALL, vec![7; 1 << 20]),
        precompile("bn254 add", PARIS, 6, ALL, [bn254_g1(), bn254_g1()].concat()),
        precompile("bn254 mul", PARIS, 7, ALL, [bn254_g1(), vec![0xff; 32]].concat()),
        precompile("bn254 pairing of 1", PARIS, 8, ALL, bn254_pair()),
        precompile("bn254 pairing of 64", PARIS, 8, ALL, bn254_pair().repeat(64)),
        precompile("blake2f of 1 round", PARIS, 9, ALL, blake2f(1)),
        precompile("blake2f of 2^20 rounds", PARIS, 9, ALL, blake2f(1 << 20)),
        precompile("blake2f of 2^32 rounds", PARIS, 9, ALL, blake2f(u32::MAX)),
        precompile("point evaluation", PRAGUE, 10, 50_000, point_evaluation()),
        precompile("bls12 g1 add", PRAGUE, 11, ALL, [bls_g1(), bls_g1()].concat()),
        precompile("bls12 g1 msm of 1", PRAGUE, 12, ALL, [bls_g1(), scalar()].concat()),
        precompile("bls12 g1 msm of 128", PRAGUE, 12, ALL, [bls_g1(), scalar()].concat().repeat(128)),
        precompile("bls12 g2 add", PRAGUE, 13, ALL, [bls_g2(), bls_g2()].concat()),
        precompile("bls12 g2 msm of 1", PRAGUE, 14, ALL, [bls_g2(), scalar()].concat()),
        precompile("bls12 g2 msm of 128", PRAGUE, 14, ALL, [bls_g2(), scalar()].concat().repeat(128)),
        precompile("bls12 pairing of 1", PRAGUE, 15, ALL, [bls_g1(), bls_g2()].concat()),
        precompile("bls12 pairing of 64", PRAGUE, 15, ALL, [bls_g1(), bls_g2()].concat().repeat(64)),
        precompile("bls12 map to g1", PRAGUE, 16, ALL, field(7)),
        precompile("bls12 map to g2", PRAGUE, 17, ALL, [field(7), field(9)].concat()),
        precompile("p256 verify", OSAKA, 256, ALL, p256()),
    ];
    let operands = [
        ("1 byte", vec![0xff]),
        ("8 bytes", vec![0xff; 8]),
        ("8 bytes, even", [vec![0xff; 7], vec![0xfe]].concat()),
        ("32 bytes", vec![0xff; 32]),
        ("32 bytes, even", [vec![0xff; 31], vec![0xfe]].concat()),
        ("64 bytes, half even", [vec![0xff; 32], vec![0; 32]].concat()),
        ("1024 bytes", vec![0xff; 1024]),
        ("1024 bytes, even", [vec![0xff; 1023], vec![0xfe]].concat()),
        ("1024 bytes, half even", [vec![0xff; 512], vec![0; 512]].concat()),
    ];
    for (name, modulus) in operands {
        for (length, exponent) in [("3 byte", 3), ("32 byte", 32), ("1024 byte", 1024), ("64 KiB", 65_536)] {
            for (fork, timestamp) in [("berlin", PARIS), ("osaka", OSAKA)] {
                if exponent > 1024 && timestamp == OSAKA {
                    continue;
                }
                let input = modexp(&vec![0xfe; modulus.len()], &vec![0xff; exponent], &modulus);
                all.push(precompile(&format!("modexp {fork}, {name}, {length} exponent"), timestamp, 5, ALL, input));
            }
        }
    }
    all.push(precompile("modexp berlin, 8 bytes, 8 MiB exponent", PARIS, 5, ALL, long_modexp(8, 8 << 20)));
    all
}

/// All the gas that the caller may give.
const ALL: u32 = u32::MAX;

/// Calls of a precompile for ever, each with `gas`.
fn precompile(name: &str, timestamp: u64, address: u16, gas: u32, input: Vec<u8>) -> Hostile {
    let copy = [op::CALLDATASIZE, op::PUSH1, 0, op::PUSH1, 0, op::CALLDATACOPY];
    let call = [
        &[op::PUSH1, 0, op::PUSH1, 0, op::CALLDATASIZE, op::PUSH1, 0, op::PUSH2][..],
        &address.to_be_bytes(),
        &[op::PUSH4],
        &gas.to_be_bytes(),
        &[op::STATICCALL, op::POP],
    ];
    let code = forever(&copy, &call.concat());
    let input = Bytes::from(input);
    hostile(name, move || calling(timestamp, &code, &input))
}

/// Example of the precompile's documentation.
fn ecrecover() -> Vec<u8> {
    let mut v = [0; 32];
    v[31] = 28;
    [
        hex!("456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3"),
        v,
        hex!("9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac8038825608"),
        hex!("4f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852ada"),
    ]
    .concat()
}

fn length(bytes: usize) -> Vec<u8> {
    [&[0; 24][..], &(bytes as u64).to_be_bytes()].concat()
}

fn modexp(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    let lengths = [length(base.len()), length(exponent.len()), length(modulus.len())].concat();
    [&lengths, base, exponent, modulus].concat()
}

fn long_modexp(operand: usize, exponent: usize) -> Vec<u8> {
    modexp(&vec![0xfe; operand], &vec![0xff; exponent], &vec![0xff; operand])
}

fn bn254_g1() -> Vec<u8> {
    [length(1), length(2)].concat()
}

fn bn254_pair() -> Vec<u8> {
    let g2 = [
        hex!("198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"),
        hex!("1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"),
        hex!("090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"),
        hex!("12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"),
    ];
    [bn254_g1(), g2.concat()].concat()
}

fn blake2f(rounds: u32) -> Vec<u8> {
    [&rounds.to_be_bytes()[..], &[7; 208], &[1]].concat()
}

const BLS_G1_X: [u8; 48] =
    hex!("17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb");
const BLS_G1_Y: [u8; 48] =
    hex!("08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1");
const BLS_G2: [[u8; 48]; 4] = [
    hex!("024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"),
    hex!("13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"),
    hex!("0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801"),
    hex!("0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be"),
];

fn padded(element: &[u8; 48]) -> Vec<u8> {
    [&[0; 16][..], element].concat()
}

fn bls_g1() -> Vec<u8> {
    [padded(&BLS_G1_X), padded(&BLS_G1_Y)].concat()
}

fn bls_g2() -> Vec<u8> {
    BLS_G2.iter().flat_map(padded).collect()
}

fn field(value: u8) -> Vec<u8> {
    let mut element = [0x0b; 48];
    element[47] = value;
    padded(&element)
}

fn scalar() -> Vec<u8> {
    vec![0xff; 32]
}

/// A proof that does not hold: everything is computed, and the call fails.
fn point_evaluation() -> Vec<u8> {
    let mut point = BLS_G1_X;
    point[0] |= 0x80;
    let mut hash: [u8; 32] = Sha256::digest(point).into();
    hash[0] = 1;
    [&hash[..], &length(3), &length(5), &point, &point].concat()
}

/// A signature that does not hold, of the curve's generator.
fn p256() -> Vec<u8> {
    [
        [0x5a; 32],
        [0x11; 32],
        [0x22; 32],
        hex!("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
        hex!("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
    ]
    .concat()
}
