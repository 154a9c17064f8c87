//! The only file that names tract, the inference library: bytes of a tile in, heat and distances out.
//!
//! The graph is optimized once, when the model is loaded. Running it allocates the layers' buffers anew for every
//! tile and gives them back after it, so an idle detector holds little more than its weights.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use tract_onnx::prelude::{
    DatumType, DatumTypeExt, Framework, InferenceModelExt, IntoRunnable, Tensor, TractError,
    TractResult, TypedFact, TypedModel, TypedRunnableModel, tvec,
};

use crate::boxes::Cells;
use crate::manifest::{Manifest, ModelError};

/// A network that is ready to run.
pub(crate) struct Net {
    runnable: Arc<TypedRunnableModel>,
    tile_px: usize,
    stride_px: u32,
}

/// The library could not run the network.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RunError(String);

impl From<TractError> for RunError {
    fn from(error: TractError) -> Self {
        Self(format!("{error:#}"))
    }
}

impl Net {
    /// Prepares the network in `model`, the bytes of an ONNX file, and holds its tensors against the manifest.
    pub(crate) fn load(model: &[u8], manifest: &Manifest, path: &Path) -> Result<Self, ModelError> {
        let unusable = |error: TractError| ModelError::Unusable {
            path: path.to_owned(),
            problem: format!("{error:#}"),
        };
        let graph = optimized(model).map_err(unusable)?;
        check_shapes(&graph, manifest, path)?;
        Ok(Self {
            runnable: graph.into_runnable().map_err(unusable)?,
            tile_px: manifest.input.tile_px as usize,
            stride_px: manifest.output.stride_px,
        })
    }

    /// Runs one tile of 3 × tile × tile bytes and hands the answer to `read`.
    pub(crate) fn run(&self, planes: &[u8], read: impl FnOnce(Cells<'_>)) -> Result<(), RunError> {
        let input = Tensor::from_shape(&[1, 3, self.tile_px, self.tile_px], planes)?;
        let answers = self.runnable.run(tvec!(input.into()))?;
        let [heat, distance] = answers.as_slice() else {
            return Err(RunError(format!(
                "the network gave {} answers instead of 2",
                answers.len()
            )));
        };
        read(Cells {
            side: self.tile_px / self.stride_px as usize,
            stride_px: self.stride_px,
            heat: heat.try_as_plain_ram()?.as_slice::<f32>()?,
            distance: distance.try_as_plain_ram()?.as_slice::<f32>()?,
        });
        Ok(())
    }
}

fn optimized(model: &[u8]) -> TractResult<TypedModel> {
    tract_onnx::onnx()
        .model_for_read(&mut Cursor::new(model))?
        .into_optimized()
}

fn check_shapes(graph: &TypedModel, manifest: &Manifest, path: &Path) -> Result<(), ModelError> {
    let tile = manifest.input.tile_px as usize;
    let side = tile / manifest.output.stride_px as usize;
    let expected = [
        (
            "input",
            graph.input_fact(0),
            DatumType::U8,
            [1, 3, tile, tile],
        ),
        (
            "heat output",
            graph.output_fact(0),
            DatumType::F32,
            [1, manifest.classes.len(), side, side],
        ),
        (
            "distance output",
            graph.output_fact(1),
            DatumType::F32,
            [1, 4, side, side],
        ),
    ];
    for (tensor, fact, datum_type, shape) in expected {
        let found = fact.map_or_else(|_| "missing".to_owned(), describe);
        let expected = describe(&datum_type.fact(shape));
        if found != expected {
            return Err(ModelError::Shape {
                path: path.to_owned(),
                tensor,
                expected,
                found,
            });
        }
    }
    Ok(())
}

/// As in `1x3x512x512 U8`.
fn describe(fact: &TypedFact) -> String {
    let shape: Vec<String> = fact.shape.iter().map(ToString::to_string).collect();
    format!("{} {:?}", shape.join("x"), fact.datum_type)
}
