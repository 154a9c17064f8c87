//! A network without tiles and boxes around it, for measuring: the same file in our kernels or in the library's own.

use std::sync::Arc;

use tract_onnx::prelude::{IntoRunnable, Tensor, TypedRunnableModel, tvec};
use trapline_qconv::Path;

use super::chain::{self, Refusal};
use super::{RunError, read};

/// Who runs the convolutions.
#[derive(Clone, Copy, Debug)]
pub enum Engine {
    /// Our kernels, with these instructions.
    Ours(Path),
    /// The library alone: its own integer kernels, or its float ones, as the file says.
    Library,
}

/// A network that is ready to run.
pub struct Bare {
    runnable: Arc<TypedRunnableModel>,
    shape: Vec<usize>,
}

impl Bare {
    /// Prepares the network in `model`, the bytes of an ONNX file whose input is bytes.
    ///
    /// # Errors
    /// The library cannot read it, or a convolution stays outside of our kernels.
    pub fn load(model: &[u8], engine: Engine) -> Result<Self, RunError> {
        let mut graph = read(model)?;
        if let Engine::Ours(path) = engine {
            chain::fuse(&mut graph, path).map_err(|refusal| match refusal {
                Refusal::Library(error) => error.into(),
                Refusal::Outside { layer, problem } => RunError(format!("{layer} {problem}")),
            })?;
        }
        let graph = graph.into_optimized()?;
        let shape = graph.input_fact(0)?.shape.as_concrete().map(<[_]>::to_vec);
        Ok(Self {
            shape: shape.ok_or_else(|| RunError("the input has no fixed size".to_owned()))?,
            runnable: graph.into_runnable()?,
        })
    }

    /// Bytes of one tile.
    pub fn input_bytes(&self) -> usize {
        self.shape.iter().product()
    }

    /// Runs one tile, planes of bytes; the numbers of each answer.
    ///
    /// # Errors
    /// The tile has another size than the network's input, or the library fails.
    pub fn run(&self, planes: &[u8]) -> Result<Vec<Vec<f32>>, RunError> {
        let input = Tensor::from_shape(&self.shape, planes)?;
        let answers = self.runnable.run(tvec!(input.into()))?;
        let numbers = answers
            .iter()
            .map(|answer| Ok(answer.try_as_plain_ram()?.as_slice::<f32>()?.to_vec()));
        numbers.collect()
    }
}
