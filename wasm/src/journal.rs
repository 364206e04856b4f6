//! The class for journals that JavaScript sees.

use crate::incident::Incident;
use crate::simulator::Answer;
use wasm_bindgen::prelude::wasm_bindgen;

/// A journal that is read and replayed.
#[wasm_bindgen]
pub struct Journal {
    incident: Incident,
    points: Vec<f64>,
}

#[wasm_bindgen]
impl Journal {
    /// Nothing read yet.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self { incident: Incident::new(), points: Vec::new() }
    }

    /// The next piece of the file.
    pub fn feed(&mut self, piece: &[u8]) -> Answer<()> {
        Ok(self.incident.feed(piece)?)
    }

    /// The end of it: what it holds and how the replay went, as JSON.
    pub fn finish(&mut self) -> Answer<String> {
        let (text, points) = std::mem::take(&mut self.incident).finish()?;
        self.points = points;
        Ok(text)
    }

    /// The points, in the columns of `Simulator.columns`, flat.
    #[must_use]
    pub fn points(&self) -> Vec<f64> {
        self.points.clone()
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self::new()
    }
}
