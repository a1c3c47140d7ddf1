//! Every target over its seeds and a fixed series of their mutations: the short form of `cargo xtask fuzz`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::panic;

use refiner_fuzz::{TARGETS, Target, mutations};

/// Inputs of each target.
const INPUTS: usize = 400;

fn play(target: &Target) {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} has no seeds", target.name);
    let each = INPUTS.div_ceil(seeds.len());
    for seed in &seeds {
        for input in std::iter::once(seed.clone()).chain(mutations(seed, each)) {
            if panic::catch_unwind(|| (target.run)(&input)).is_err() {
                panic!("{} fails with {} bytes: {:02x?}", target.name, input.len(), &input[..input.len().min(2_000)]);
            }
        }
    }
}

#[test]
fn targets_have_names_of_their_own() {
    for target in &TARGETS {
        assert_eq!(Target::named(target.name).unwrap().name, target.name);
        assert_eq!(TARGETS.iter().filter(|other| other.name == target.name).count(), 1);
    }
}

macro_rules! short_form_of {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            play(Target::named($name).unwrap());
        })*

        #[test]
        fn no_target_is_left_out() {
            assert_eq!(TARGETS.map(|target| target.name), [$($name),*]);
        }
    };
}

short_form_of! {
    specimen_files_end_in_an_answer_or_an_error: "specimen",
    specimens_in_json_end_in_an_answer_or_an_error: "specimen-json",
    blocks_with_any_code_execute_twice_alike: "execution",
    components_are_admitted_or_refused: "component",
    manifests_are_read_or_refused: "manifest",
    requests_to_a_worker_end_in_an_answer_or_an_error: "worker-requests",
    answers_of_a_worker_end_in_an_answer_or_an_error: "worker-answers",
    archives_end_in_an_answer_or_an_error: "archive",
    das_blocks_end_in_an_answer_or_an_error: "das",
    content_ids_are_read_back_or_refused: "content-id",
    forms_end_in_parts_or_an_error: "form",
    answers_of_a_node_end_in_an_answer_or_an_error: "node",
    keystores_are_read_or_refused: "keystore",
    logs_of_an_earlier_refiner_end_in_terms_or_an_error: "erlang-log",
    manifests_of_a_registry_are_read_or_refused: "registry",
    rows_become_tables_where_the_check_takes_them: "rows",
}
