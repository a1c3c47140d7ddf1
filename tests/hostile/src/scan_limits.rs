//! Components with a given number of what a limit of admission's scan counts. The sandbox's tests and the worker's both take this file in.

use refiner_rule_model::ScanLimit;

/// The reason for which a component that is no rule is refused once the scan lets it pass.
pub const NO_RULE: &str = "does not export 'refiner:rule/rule', and every rule does";

/// Text of a component without a rule, with so many of what `limit` counts.
pub fn counting(limit: ScanLimit, count: usize) -> String {
    let module = |fields: String| format!("(component (core module {fields}))");
    match limit {
        ScanLimit::Depth => format!("{}{}", "(component ".repeat(count), ")".repeat(count)),
        // Beside the beginning and the end, two kinds of types in turn, so that each is a section of its own.
        ScanLimit::Parts => {
            let types = ["(type (func))", "(core type (func))"].into_iter().cycle().take(count - 2);
            format!("(component {})", types.collect::<String>())
        }
        ScanLimit::CoreInstances => {
            format!("(component (core module $m) {})", "(core instance (instantiate $m))".repeat(count))
        }
        ScanLimit::ComponentInstances => {
            format!("(component (component $c) {})", "(instance (instantiate $c))".repeat(count))
        }
        ScanLimit::Functions => module("(func)".repeat(count)),
        // Two groups, so that the sum counts and not the largest group.
        ScanLimit::Locals => module(format!("(func (local {}) (local i32))", "i64 ".repeat(count - 1))),
        // Three bytes beside the instructions: no locals, and the end.
        ScanLimit::FunctionBytes => module(format!("(func {})", "nop ".repeat(count - 2))),
        ScanLimit::Memories => module("(memory 1)".repeat(count)),
        ScanLimit::Tables => module("(table 1 funcref)".repeat(count)),
        ScanLimit::TableElements => module(format!("(table {count} funcref)")),
        ScanLimit::MemoryPages => module(format!("(memory {count})")),
        ScanLimit::Globals => module("(global i32 (i32.const 0))".repeat(count)),
        // Two segments, each of which counts as an element too.
        ScanLimit::PassiveElements => {
            let nulls = "(ref.null func)".repeat(count - 2);
            module(format!("(elem funcref {nulls}) (elem func)"))
        }
        ScanLimit::CoreImports => module("(import \"\" \"\" (func))".repeat(count)),
        ScanLimit::ComponentFunctions => {
            let drops = "(core func (canon resource.drop $r))".repeat(count);
            format!("(component (type $r (resource (rep i32))) {drops})")
        }
        ScanLimit::Definitions => format!("(component {})", "(core module)".repeat(count - 1)),
    }
}

/// Asserts for every limit of the scan that `refusal` is another one at the limit, and names both numbers just above.
pub fn check(refusal: impl Fn(&[u8]) -> String) {
    for limit in ScanLimit::ALL {
        let allowed = limit.allowed();
        let at = usize::try_from(allowed).unwrap();
        let refused = |count: usize| refusal(&wat::parse_str(counting(limit, count)).unwrap());
        assert_eq!(refused(at), NO_RULE, "{limit}");
        assert_eq!(refused(at + 1), format!("{} {limit} found, and {allowed} are allowed", allowed + 1));
    }
}
