//! The numbers of the table, and what grants make of them.

use refiner_diagnostics::{Diagnostic as _, ExitCode};
use refiner_manifest::Manifest;

use super::*;

const MIB: u64 = 1 << 20;

/// Name, default, ceiling of a rule that is not built in, and cap.
const NUMBERS: [(&str, u64, u64, u64); Limit::COUNT] = [
    ("component_bytes", 8 * MIB, 32 * MIB, 32 * MIB),
    ("specimen_bytes", 64 * MIB, 64 * MIB, 256 * MIB),
    ("memory_bytes", 256 * MIB, 512 * MIB, 1_024 * MIB),
    ("fuel", 2_000_000_000, 10_000_000_000, 50_000_000_000),
    ("wall_ms", 30_000, 120_000, 600_000),
    ("calls", 1_000_000, 10_000_000, 10_000_000),
    ("call_bytes", 4 * MIB, 16 * MIB, 64 * MIB),
    ("copied_bytes", 4_096 * MIB, 8_192 * MIB, 32_768 * MIB),
    ("log_lines", 1_000, 10_000, 10_000),
    ("log_bytes", 262_144, 4 * MIB, 4 * MIB),
    ("artifacts", 8, 32, 32),
    ("output_bytes", 64 * MIB, 256 * MIB, 512 * MIB),
    ("evm_executions", 1, 2, 4),
    ("record_bytes", 256 * MIB, 1_024 * MIB, 4_096 * MIB),
];

fn manifest(limits: &str) -> Manifest {
    manifest_of("[]", "transform", limits)
}

fn manifest_of(capabilities: &str, world: &str, limits: &str) -> Manifest {
    let text = format!(
        "name = \"case\"\nversion = \"1.0.0\"\nworld = {world:?}\nlayouts = []\ncapabilities = {capabilities}\noutputs = []\n\
         licence = \"Apache-2.0\"\nsource = \"tests\"\n[limits]\n{limits}"
    );
    Manifest::parse(&text).unwrap()
}

#[test]
fn every_limit_has_the_default_the_ceiling_and_the_cap_that_documents_state() {
    for (spec, (name, default, ceiling, cap)) in LIMITS.iter().zip(NUMBERS) {
        let limit = spec.limit;
        let found = [Limits::default(), Limits::default_ceilings(), Limits::caps()].map(|limits| limits.get(limit));
        assert_eq!((spec.name, found), (name, [default, ceiling, cap]));
        assert_eq!((limit.to_string(), Limit::from_name(name)), (name.to_owned(), Some(limit)));
        assert_eq!(limit.spec(), spec);
    }
    assert_eq!(Limit::from_name("wall"), None);
}

#[test]
fn rule_that_may_execute_the_block_has_more_time_and_nothing_else() {
    for (limit, granted) in Limits::with_evm().iter() {
        let expected = if limit == Limit::WallMs { 120_000 } else { limit.spec().default };
        assert_eq!(granted, expected, "{limit}");
    }
    assert_eq!(Limits::default().iter().count(), Limit::COUNT);
}

#[test]
fn limit_is_set_up_to_its_cap_and_refused_above_with_both_numbers() {
    for spec in &LIMITS {
        let set = |value| Limits::default().with(spec.limit, value);
        assert_eq!(set(spec.cap).unwrap().get(spec.limit), spec.cap);
        assert_eq!(set(0).unwrap().get(spec.limit), 0);
        let refused = set(spec.cap + 1).unwrap_err();
        assert_eq!(refused, AboveCap { limit: spec.limit, asked: spec.cap + 1 });
        let words = format!("{} asked for as {}, and at most {} can be granted", spec.cap + 1, spec.name, spec.cap);
        assert_eq!(refused.to_string(), words);
    }
}

#[test]
fn limit_is_set_by_its_name_and_another_name_is_none() {
    let mut limits = Limits::default();
    limits.set_by_name("calls", 7).unwrap();
    assert_eq!(limits.get(Limit::Calls), 7);
    let unknown = limits.set_by_name("call", 7).unwrap_err();
    assert_eq!((unknown.exit_code(), unknown.hint().is_none()), (ExitCode::Usage, true));
    assert_eq!(unknown, LimitError::Unknown { name: "call".to_owned() });
    assert!(matches!(limits.set_by_name("calls", u64::MAX), Err(LimitError::AboveCap(_))));
    assert_eq!(limits.get(Limit::Calls), 7, "what is refused changes nothing");
}

#[test]
fn manifest_gets_what_it_asks_for_within_the_ceilings() {
    let asked = Limits::asked_by(&manifest("calls = 5\nmemory_bytes = 1000000\n")).unwrap();
    assert_eq!((asked.get(Limit::Calls), asked.get(Limit::MemoryBytes)), (5, 1_000_000));
    assert_eq!(asked.get(Limit::Fuel), Limit::Fuel.spec().default);
    assert!(Limits::asked_by(&manifest("calls = 10000001\n")).is_err());

    let ceilings = Limits::default().with(Limit::Calls, 4).unwrap();
    let within = asked.within(&ceilings);
    assert_eq!((within.get(Limit::Calls), within.get(Limit::MemoryBytes)), (4, 1_000_000));
    let mut lowered = asked;
    lowered.lower(Limit::Calls, 6);
    assert_eq!(lowered.get(Limit::Calls), 5, "lower never raises");
    lowered.lower(Limit::Calls, 4);
    assert_eq!(lowered.get(Limit::Calls), 4);
}

#[test]
fn default_of_artifacts_is_as_many_as_the_manifest_lists_and_changes_no_rule_with_up_to_eight() {
    let listing = |outputs: usize, limits: &str| {
        let mut text = format!(
            "name = \"case\"\nversion = \"1.0.0\"\nworld = \"transform\"\nlayouts = []\nlicence = \"Apache-2.0\"\nsource = \"tests\"\n\
             [limits]\n{limits}\n"
        );
        for output in 0..outputs {
            text += &format!("[[outputs]]\nname = \"o{output}\"\nmedia-type = \"text/plain\"\n");
        }
        Limits::asked_by(&Manifest::parse(&text).unwrap()).unwrap()
    };
    for (outputs, granted) in [(1, 8), (8, 8), (9, 9), (32, 32)] {
        assert_eq!(listing(outputs, ""), Limits::default().with(Limit::Artifacts, granted).unwrap());
    }
    assert_eq!(listing(9, "artifacts = 5").get(Limit::Artifacts), 5, "what it asks for is what it gets");
}

#[test]
fn asking_for_the_ceiling_passes_and_for_one_more_is_refused_with_both_numbers() {
    let ceilings = Limits::default_ceilings();
    for (limit, ceiling) in ceilings.iter() {
        // A deadline must last for the default fuel, which is not asked here.
        assert_eq!(ceilings.check_asked(&manifest(&format!("{limit} = {ceiling}\n"))), Ok(()));
        let above = AboveCeiling { limit, asked: ceiling + 1, ceiling };
        let found = ceilings.check_asked(&manifest(&format!("{limit} = {}\n", ceiling + 1)));
        assert_eq!(found, Err(AboveCeilings(vec![above])));
        let words = format!("{} asked for as {limit}, and the ceiling is {ceiling}", ceiling + 1);
        assert_eq!(above.to_string(), words);
    }
    assert_eq!(ceilings.check_asked(&manifest("")), Ok(()));
}

#[test]
fn every_limit_above_its_ceiling_or_cap_is_named_at_once() {
    let asks = manifest("fuel = 60_000_000_000\nmemory_bytes = 2147483648\ncalls = 5\n");
    let above = Limits::asked_by(&asks).unwrap_err().to_string();
    assert_eq!(
        above,
        "2147483648 asked for as memory_bytes, and at most 1073741824 can be granted; \
         60000000000 asked for as fuel, and at most 50000000000 can be granted"
    );
    let amounts = Limits::amounts_asked_by(&asks);
    assert_eq!([Limit::Fuel, Limit::Calls].map(|limit| amounts.get(limit)), [60_000_000_000, 5]);
    let above = Limits::default_ceilings().check_asked(&asks).unwrap_err().to_string();
    for part in
        ["asked for as fuel, and the ceiling is 10000000000", "asked for as memory_bytes, and the ceiling is 536870912"]
    {
        assert!(above.contains(part), "{above}");
    }
}

#[test]
fn bytes_of_the_specimen_add_fuel_and_whole_seconds_up_to_the_caps() {
    let limits = Limits::default();
    assert_eq!((limits.fuel_for(0), limits.deadline_ms(0)), (2_000_000_000, 30_000));
    // A million bytes: 2 G of fuel, which take 15 s on the slowest machine.
    assert_eq!((limits.fuel_for(1_000_000), limits.deadline_ms(1_000_000)), (4_000_000_000, 45_000));
    // 999 ms of fuel are no second.
    assert_eq!((limits.deadline_ms(66_600), limits.deadline_ms(66_700)), (30_000, 31_000));
    assert_eq!((limits.fuel_for(u64::MAX), limits.deadline_ms(u64::MAX)), (50_000_000_000, 390_000));
    let numbers = limits.for_specimen(1_000_000);
    assert_eq!((numbers.get(Limit::Fuel), numbers.get(Limit::WallMs)), (4_000_000_000, 45_000));
    assert_eq!(numbers.get(Limit::Calls), 1_000_000);
}

#[test]
fn deadline_lasts_for_the_fuel_or_is_refused_with_the_numbers_that_do() {
    let asks = |fuel, wall_ms| Limits::default().with(Limit::Fuel, fuel).unwrap().with(Limit::WallMs, wall_ms).unwrap();
    // A million units take 7.5 ms at most, and a second is left for rounding.
    assert_eq!(asks(2_000_000_000, 16_000).time_lasts(), Ok(()));
    let refused = asks(2_000_000_000, 15_999).time_lasts().unwrap_err();
    let expected = TooLittleTime { fuel: 2_000_000_000, wall_ms: 15_999, needed_ms: 16_000, fitting: 1_999_866_666 };
    assert_eq!(refused, expected);
    assert_eq!(asks(refused.fitting, refused.wall_ms).time_lasts(), Ok(()));
    assert!(refused.to_string().ends_with("ask for wall_ms = 16000, or for fuel = 1999866666"), "{refused}");
    assert_eq!(asks(50_000_000_000, 600_000).time_lasts(), Ok(()));
    assert_eq!(Limits::default_ceilings().time_lasts(), Ok(()));
}

#[test]
fn deadline_that_lasts_for_no_fuel_is_told_only_the_deadline_that_does() {
    for (fuel, wall_ms, needed_ms) in [(0, 500, 1_000), (2_000_000_000, 1_000, 16_000)] {
        let limits = Limits::default().with(Limit::Fuel, fuel).unwrap().with(Limit::WallMs, wall_ms).unwrap();
        let refused = limits.time_lasts().unwrap_err().to_string();
        assert!(refused.ends_with(&format!("ask for wall_ms = {needed_ms}")), "{refused}");
        assert_eq!(limits.with(Limit::WallMs, needed_ms).unwrap().time_lasts(), Ok(()));
    }
}

#[test]
fn digest_differs_with_every_limit_but_the_deadline() {
    let records = manifest_of("[\"evm\", \"traces\"]", "transform-with-evm", "");
    let digest = Limits::default().digest(&records);
    for (limit, granted) in Limits::default().iter() {
        let other = Limits::default().with(limit, granted - 1).unwrap().digest(&records);
        assert_eq!(other == digest, limit == Limit::WallMs, "{limit}");
    }
    assert_ne!(digest, [0; 32]);
}
