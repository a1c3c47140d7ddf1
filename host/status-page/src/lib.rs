//! The daemon's status page, rendered from plain data.
//!
//! The report page of a replay has its [`html`] and its style from here.
//!
//! * **Inputs**: [`Page`], everything that the page shows, and the measurements that [`History`] is given.
//! * **Outputs**: one HTML document, the headers that it is served with, and the history as JSON.
//! * **Invariants**: text from outside is escaped, because [`Html`](html::Html) takes markup as constants only; page and history have
//!   bounded sizes; the document asks no other origin for anything, and its one script and one style are the only ones that a browser
//!   runs ([`HEADERS`]). No clock, no IO, no async.
//!
//! ```
//! use refiner_status_page::{Stage, Window};
//!
//! assert_eq!(Window::of_query(Some("window=24h")), Window::Day);
//! assert_eq!(Window::of_query(None), Window::Recent);
//! assert_eq!(Stage::ALL.map(Stage::as_str), ["fetch", "refine", "pin", "prove"]);
//! ```

mod chart;
mod format;
mod history;
pub mod html;
mod page;
mod policy;
mod render;
mod series;

pub use self::{
    history::{History, Reading, Stage, Window},
    page::{
        Check, Count, Earnings, Health, Host, Hosts, Level, Node, Page, Pause, Quarantine, Quarantined, Setting, Wait,
        Waiting, Worker, Workers,
    },
    policy::headers,
    render::render,
};
