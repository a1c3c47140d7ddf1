//! The producer of specimens: uploads one, proves it, and ends its session once that is over, which announces it.

use std::collections::VecDeque;

use refiner_content::{Content, ContentStore as _, Pinner, PinnerLimits};

use crate::{
    contracts::{self, Contracts, SPECIMEN_SESSION},
    error::DevnetError,
    node::Node,
    services::Services,
    specimens::Specimens,
};

/// Blocks that a session is left alone beyond its length: the one with the proof, and the one that may be under way.
const MARGIN: u64 = 2;

pub struct Announcer<'a> {
    node: &'a Node,
    contracts: Contracts,
    pinner: Pinner,
    specimens: Specimens,
    /// Heights that were proved, and the head at that time.
    open: VecDeque<(u64, u64)>,
}

impl<'a> Announcer<'a> {
    pub fn new(services: &Services, contracts: &Contracts, node: &'a Node) -> Result<Self, DevnetError> {
        let pinner = Pinner::new(&services.content_url(), PinnerLimits::default())?;
        Ok(Self { node, contracts: *contracts, pinner, specimens: Specimens::new()?, open: VecDeque::new() })
    }

    /// Proves one more specimen. While the content server is down, none is.
    pub async fn announce(&mut self) -> Result<(), DevnetError> {
        if self.pinner.health().await.is_err() {
            return Ok(());
        }
        let specimen = self.specimens.next()?;
        // One that fails now is never announced.
        let Ok(id) = self.pinner.keep(&Content::of(specimen.bytes.clone().into())).await else { return Ok(()) };
        let head = self.node.head().await?;
        contracts::prove_specimen(self.node, &self.contracts, &specimen, format!("ipfs://{id}")).await?;
        self.open.push_back((specimen.height, head));
        Ok(())
    }

    /// Ends the sessions that are over.
    pub async fn finish_sessions(&mut self) -> Result<(), DevnetError> {
        let head = self.node.head().await?;
        while let Some((height, since)) = self.open.front().copied()
            && head > since + SPECIMEN_SESSION + MARGIN
        {
            contracts::finalize_specimen(self.node, &self.contracts, height).await?;
            self.open.pop_front();
        }
        Ok(())
    }
}
