//! Providers that answer `eth_getLogs` for some blocks only, each in its own words.

use serde_json::json;

use super::{Behaviour, Fault, Question, Request};

/// A provider, by how it refuses a range that is too long for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Infura's limit of blocks, <https://github.com/INFURA/infura/issues/237>.
    Infura,
    /// Infura's limit of results, with a suggestion.
    InfuraResults,
    /// QuickNode, with status 413.
    QuickNode,
    /// reth's limit of results, with a suggestion.
    Reth,
    /// reth where the suggestion is what was asked for, <https://github.com/paradigmxyz/reth/issues/23810>.
    RethSame,
    /// zkSync Era and other servers made with jsonrpsee.
    ZkSync,
    /// dRPC's free plan.
    Drpc,
    /// Alchemy's free plan, with status 400 and a suggestion.
    Alchemy,
    /// Moonbeam's own nodes.
    Moonbeam,
    /// Tenderly: the reason stands in the data.
    Tenderly,
    /// Ankr.
    Ankr,
    /// Cloudflare in front of a node that takes its time: a page of HTML.
    Cloudflare,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 12] = [
        Self::Infura,
        Self::InfuraResults,
        Self::QuickNode,
        Self::Reth,
        Self::RethSame,
        Self::ZkSync,
        Self::Drpc,
        Self::Alchemy,
        Self::Moonbeam,
        Self::Tenderly,
        Self::Ankr,
        Self::Cloudflare,
    ];

    fn refuse(self, first: u64, last: u64, limit: u64) -> Fault {
        let blocks = last - first + 1;
        let fits = first + limit - 1;
        let json_page = |status: u16, code: i64, message: String| {
            let error = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message}});
            Fault::Page {
                status,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: error.to_string(),
            }
        };
        match self {
            Self::Infura => Fault::refuse(-32602, format!("range {blocks} exceeds limit of {limit}")),
            Self::InfuraResults => Fault::refuse(
                -32005,
                format!("query returned more than 10000 results. Try with this block range [0x{first:X}, 0x{fits:X}]."),
            ),
            Self::QuickNode => json_page(413, -32614, format!("eth_getLogs is limited to a {limit} range")),
            Self::Reth => {
                Fault::refuse(-32602, format!("query exceeds max results 20000, retry with the range {first}-{fits}"))
            }
            Self::RethSame => {
                Fault::refuse(-32602, format!("query exceeds max results 20000, retry with the range {first}-{last}"))
            }
            Self::ZkSync => Fault::refuse(-32008, "Response is too big"),
            Self::Drpc => Fault::refuse(35, format!("ranges over {limit} blocks are not supported on freetier")),
            Self::Alchemy => json_page(
                400,
                -32600,
                format!(
                    "Under the Free tier plan, you can make eth_getLogs requests with up to a {limit} block range. Based on your \
                     parameters, this block range should work: [{first:#x}, {fits:#x}]. Upgrade to PAYG for expanded block range."
                ),
            ),
            Self::Moonbeam => Fault::refuse(-32603, format!("block range is too wide (maximum {limit})")),
            Self::Tenderly => Fault::refuse(-32602, "invalid params"),
            Self::Ankr => Fault::refuse(-32602, "Block range is too large"),
            Self::Cloudflare => Fault::page(524, "<html><title>524: A timeout occurred</title></html>"),
        }
    }
}

/// Refuses `eth_getLogs` over more than so many blocks.
#[derive(Debug)]
pub struct LimitedRange {
    /// The provider whose words are used.
    pub provider: Provider,
    /// Most blocks in one range.
    pub blocks: u64,
}

impl Behaviour for LimitedRange {
    fn fault(&self, _: &Request, question: &Question<'_>) -> Option<Fault> {
        let (first, last) = question.range()?;
        (last - first >= self.blocks).then(|| self.provider.refuse(first, last, self.blocks))
    }
}
