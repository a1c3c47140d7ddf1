//! A fixed series of mutations of an input, the same on every machine.

/// The first `count` mutations of `seed`: bytes that are changed, removed, repeated and inserted, and inputs that end early.
pub fn mutations(seed: &[u8], count: usize) -> impl Iterator<Item = Vec<u8>> + '_ {
    let mut random = Random(seed.len() as u64 + 1);
    (0..count).map(move |_| {
        let mut input = seed.to_vec();
        for _ in 0..=random.below(3) {
            mutate(&mut input, &mut random);
        }
        input
    })
}

/// Numbers that decide at the edges of parsers: lengths, signs, tags.
const EDGES: [u8; 8] = [0x00, 0x01, 0x7f, 0x80, 0xff, b'"', b'{', b'\n'];

fn mutate(input: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(input.len() + 1);
    let length = random.below(input.len() - at + 1).min(32);
    match random.below(6) {
        0 => input.truncate(at),
        1 => drop(input.drain(at..at + length)),
        2 => {
            let piece = input[at..at + length].to_vec();
            input.splice(at..at, piece);
        }
        3 => input.insert(at, EDGES[random.below(EDGES.len())]),
        4 => input.iter_mut().skip(at).take(1).for_each(|byte| *byte = EDGES[random.below(EDGES.len())]),
        _ => input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
    }
}

/// The generator xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap_or(0)
    }
}
