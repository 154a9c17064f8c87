//! The same network for smaller squares, around a few changed places.

use std::io::Cursor;
use std::sync::{Arc, OnceLock};

use tract_onnx::prelude::{
    DatumType, DatumTypeExt, Framework, InferenceModelExt, IntoRunnable, TypedRunnableModel,
};

use super::RunError;
use super::chain::{self, Refusal};
use crate::manifest::{Arithmetic, Manifest};

/// Sides of the small squares, in sixteenths of a tile's: an insect alone, two of them, a few.
const SIXTEENTHS: [u32; 3] = [5, 6, 8];
/// A square whose margins would leave less than this of it is not worth having.
const CORE_PX_MIN: u32 = 64;
/// Other sides might not fit the network's own halvings.
const MULTIPLE_PX: u32 = 32;

/// The library fixes a network's input when it prepares it, so another size is another preparation; it waits until it
/// is wanted, because a whole look has no use for it.
pub(super) struct Smaller {
    model: Arc<[u8]>,
    pub(super) side_px: usize,
    arithmetic: Arithmetic,
    prepared: OnceLock<Result<Arc<TypedRunnableModel>, RunError>>,
}

impl Smaller {
    /// All that are of use, small ones first.
    pub(super) fn all(model: &[u8], manifest: &Manifest) -> Vec<Self> {
        let input = &manifest.input;
        let sides = SIXTEENTHS
            .iter()
            .map(|sixteenths| input.tile_px * sixteenths / 16);
        let is_useful = |side_px: &u32| {
            side_px.is_multiple_of(MULTIPLE_PX)
                && side_px.is_multiple_of(manifest.output.stride_px)
                && *side_px >= input.overlap_px + CORE_PX_MIN
        };
        let model: Arc<[u8]> = model.into();
        let of = |side_px: u32| Self {
            model: Arc::clone(&model),
            side_px: side_px as usize,
            arithmetic: manifest.arithmetic,
            prepared: OnceLock::new(),
        };
        sides.filter(is_useful).map(of).collect()
    }

    pub(super) fn runnable(&self) -> Result<&Arc<TypedRunnableModel>, RunError> {
        let prepared = self.prepared.get_or_init(|| self.prepare());
        prepared.as_ref().map_err(Clone::clone)
    }

    fn prepare(&self) -> Result<Arc<TypedRunnableModel>, RunError> {
        let fact = DatumType::U8.fact([1, 3, self.side_px, self.side_px]);
        let mut graph = tract_onnx::onnx()
            .with_ignore_output_shapes(true)
            .with_ignore_value_info(true)
            .model_for_read(&mut Cursor::new(&self.model))?
            .with_input_fact(0, fact.into())?
            .into_typed()?;
        if self.arithmetic == Arithmetic::Int8 {
            let fused = chain::fuse(&mut graph, trapline_qconv::Path::best());
            fused.map_err(|refusal| match refusal {
                Refusal::Library(error) => RunError::from(error),
                Refusal::Outside { layer, problem } => RunError(format!("{layer}: {problem}")),
            })?;
        }
        Ok(graph.into_optimized()?.into_runnable()?)
    }
}
