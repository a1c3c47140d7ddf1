//! Names of tables.

use refiner_manifest::is_reserved_word;

/// A name for each table of rules, given as rule and output: different from all others, and one that SQL takes without quotes.
///
/// It is that of the output, with the rule's before it where several outputs have one of that name. Other characters become `_`, and `_`
/// goes before digits and reserved words. Names that are equal even so are numbered from 1: were the first to go without a number, it
/// would be taken for the only one.
pub fn table_names(tables: &[(&str, &str)]) -> Vec<String> {
    let alone = |output: &str| tables.iter().filter(|(_, other)| plain(other) == plain(output)).count() == 1;
    let name = |(rule, output): &(&str, &str)| {
        without_quotes(plain(&if alone(output) { (*output).to_owned() } else { format!("{rule}_{output}") }))
    };
    numbered(&tables.iter().map(name).collect::<Vec<_>>())
}

fn numbered(names: &[String]) -> Vec<String> {
    let mut done: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let alone = names.iter().filter(|other| *other == name).count() == 1;
        let unused = |numbered: &String| !names.contains(numbered) && !done.contains(numbered);
        let mut numbered = (1_usize..).map(|number| format!("{name}_{number}"));
        let unique = if alone { Some(name.clone()) } else { numbered.find(unused) };
        done.extend(unique);
    }
    done
}

fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

fn without_quotes(name: String) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_alphabetic()) && !is_reserved_word(&name);
    if plain { name } else { format!("_{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_different_names_that_sql_takes_without_quotes() {
        for (tables, expected) in [
            (&[("traces", "traces"), ("state-access", "storage-slots")][..], &["traces", "storage_slots"][..]),
            (&[("one", "x"), ("two", "x"), ("two", "y")], &["one_x", "two_x", "y"]),
            (&[("ab", "a-b"), ("ab", "a_b"), ("ab", "a.c")], &["ab_a_b_1", "ab_a_b_2", "a_c"]),
            (&[("a", "b-c"), ("a", "b_c"), ("a", "a_b_c_1")], &["a_b_c_2", "a_b_c_3", "a_b_c_1"]),
            (&[("a-b", "x"), ("a_b", "x"), ("c", "y")], &["a_b_x_1", "a_b_x_2", "y"]),
            (&[("a", "b_c"), ("d", "b_c"), ("a_b", "c"), ("d", "c")], &["a_b_c_1", "d_b_c", "a_b_c_2", "d_c"]),
            (&[("dig", "1x"), ("sel", "select"), ("sel", "selected")], &["_1x", "_select", "selected"]),
            (&[("1", "x"), ("2", "x")], &["_1_x", "_2_x"]),
            (&[], &[]),
        ] {
            assert_eq!(table_names(tables), expected, "{tables:?}");
        }
    }
}
