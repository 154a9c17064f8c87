//! The only place that names tract, the inference library: bytes of a tile in, heat and distances out.
//!
//! The library reads the model and holds the graph together. Its convolutions, which are nearly all of the work, run as
//! one operation in our own integer kernels (`trapline-qconv`). A model where one of them stays outside is refused, with
//! the layer's name, unless its manifest says `arithmetic = "float"`: no trap grows slow without a word.
//!
//! The graph is optimized once, when the model is loaded. Its buffers are kept from tile to tile.

pub(crate) mod bare;
mod chain;
mod convolution;
mod operation;
mod smaller;
#[cfg(test)]
mod tests;

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use tract_onnx::prelude::{
    DatumType, DatumTypeExt, Framework, InferenceModelExt, IntoRunnable, Tensor, TractError,
    TractResult, TypedFact, TypedModel, TypedRunnableModel, tvec,
};

use crate::boxes::Cells;
use crate::manifest::{Arithmetic, Manifest, ModelError};
use chain::Refusal;
use smaller::Smaller;

/// A network that is ready to run.
pub(crate) struct Net {
    runnable: Arc<TypedRunnableModel>,
    tile_px: usize,
    /// The same for smaller squares, small ones first.
    smaller: Vec<Smaller>,
    stride_px: u32,
    arithmetic: String,
}

/// The library could not run the network.
#[derive(Debug, Clone, thiserror::Error)]
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
        let refused = |refusal: Refusal| match refusal {
            Refusal::Library(error) => unusable(error),
            Refusal::Outside { layer, problem } => ModelError::Outside {
                path: path.to_owned(),
                layer,
                problem,
            },
        };
        let mut graph = read(model).map_err(unusable)?;
        check_shapes(&graph, manifest, path)?;
        let arithmetic = match manifest.arithmetic {
            Arithmetic::Float => "float".to_owned(),
            Arithmetic::Int8 => {
                let instructions = trapline_qconv::Path::best();
                chain::fuse(&mut graph, instructions).map_err(refused)?;
                format!("int8, {instructions}")
            }
        };
        let graph = graph.into_optimized().map_err(unusable)?;
        Ok(Self {
            runnable: graph.into_runnable().map_err(unusable)?,
            tile_px: manifest.input.tile_px as usize,
            smaller: Smaller::all(model, manifest),
            stride_px: manifest.output.stride_px,
            arithmetic,
        })
    }

    /// As in `int8, avx512-vnni`.
    pub(crate) fn arithmetic(&self) -> &str {
        &self.arithmetic
    }

    /// Sides of the squares it takes, small ones first.
    pub(crate) fn sizes_px(&self) -> Vec<u32> {
        let smaller = self.smaller.iter().map(|smaller| smaller.side_px);
        let sides = smaller.chain([self.tile_px]);
        sides
            .filter_map(|side_px| u32::try_from(side_px).ok())
            .collect()
    }

    /// Runs one square of 3 × side × side bytes, a tile or a smaller one, and hands the answer to `read`.
    pub(crate) fn run(&self, planes: &[u8], read: impl FnOnce(Cells<'_>)) -> Result<(), RunError> {
        let mut smaller = self.smaller.iter();
        let has_size = |smaller: &&Smaller| planes.len() == 3 * smaller.side_px.pow(2);
        let (runnable, side_px) = match smaller.find(has_size) {
            Some(smaller) => (smaller.runnable()?, smaller.side_px),
            None => (&self.runnable, self.tile_px),
        };
        let input = Tensor::from_shape(&[1, 3, side_px, side_px], planes)?;
        let answers = runnable.run(tvec!(input.into()))?;
        let [heat, distance] = answers.as_slice() else {
            return Err(RunError(format!(
                "the network gave {} answers instead of 2",
                answers.len()
            )));
        };
        read(Cells {
            side: side_px / self.stride_px as usize,
            stride_px: self.stride_px,
            heat: heat.try_as_plain_ram()?.as_slice::<f32>()?,
            distance: distance.try_as_plain_ram()?.as_slice::<f32>()?,
        });
        Ok(())
    }
}

fn read(model: &[u8]) -> TractResult<TypedModel> {
    tract_onnx::onnx()
        .model_for_read(&mut Cursor::new(model))?
        .into_typed()
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
