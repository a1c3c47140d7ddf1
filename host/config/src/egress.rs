//! The way of requests out of this machine, as the settings have it.

use refiner_http_client::Egress;

use crate::{Values, table};

/// Variables that other programs take proxies from; each is also read in lower case.
const OTHERS_VARIABLES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// The proxy of the settings, or none.
pub fn of(values: &Values) -> Egress {
    match values.get(&table::PROXY) {
        Some(proxy) => Egress::through(proxy, values.get(&table::PROXY_EXCEPT)),
        None => Egress::default(),
    }
}

/// Warns of proxies in the environment, where none was asked for: an operator may count on them. Only the variables' names are shown,
/// because their values may carry credentials.
pub fn warn_of_ignored_variables(egress: &Egress) {
    let is_set = |name: &String| refiner_environment::variable(name).is_some_and(|value| !value.is_empty());
    let names = OTHERS_VARIABLES.into_iter().flat_map(|name| [name.to_owned(), name.to_ascii_lowercase()]);
    let ignored: Vec<_> = names.filter(is_set).collect();
    if !ignored.is_empty() && *egress == Egress::default() {
        let variables = ignored.join(", ");
        tracing::warn!(
            variables,
            setting = table::PROXY.row.name,
            "proxy variables of the environment are ignored; use --proxy URL (REFINER_PROXY) to go through a proxy"
        );
    }
}
