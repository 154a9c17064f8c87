//! The chain of convolutions as one operation of the library's graph.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tract_onnx::tract_core::internal::{
    DatumExt, EvalContext, EvalOp, IntoTValue, Op, StaticName, TValue, TVec, Tensor, TractResult,
    TypedFact, TypedOp, args_1, as_op, op_as_typed_op, op_out_of_plan,
};
use trapline_qconv::{Buffers, Chain, Pixels};

/// Bytes of a tile in, one tensor of bytes per head out.
#[derive(Clone)]
pub(super) struct FusedConvolutions(Arc<Shared>);

struct Shared {
    chain: Chain,
    /// Memory that no run uses at the moment; as many as ever ran at the same time.
    idle: Mutex<Vec<Buffers>>,
}

impl FusedConvolutions {
    pub(super) fn new(chain: Chain) -> Self {
        Self(Arc::new(Shared {
            chain,
            idle: Mutex::default(),
        }))
    }
}

impl fmt::Debug for FusedConvolutions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "FusedConvolutions({})", self.0.chain.path())
    }
}

impl PartialEq for FusedConvolutions {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for FusedConvolutions {}

impl Op for FusedConvolutions {
    fn name(&self) -> StaticName {
        "FusedConvolutions".into()
    }

    op_as_typed_op!();
}

impl EvalOp for FusedConvolutions {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        let planes = input.try_as_plain_ram()?.as_slice::<u8>()?;
        let Shared { chain, idle } = &*self.0;
        let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffers = taken.unwrap_or_else(|| chain.buffers());
        let answers = chain.run(Pixels::Planar(planes), &mut buffers);
        idle.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(buffers);
        let shapes = chain.output_shapes().into_iter();
        shapes
            .zip(answers)
            .map(|([channels, height, width], answer)| {
                let tensor = Tensor::from_shape(&[1, channels, height, width], &answer)?;
                Ok(tensor.into_tvalue())
            })
            .collect()
    }
}

impl TypedOp for FusedConvolutions {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let shapes = self.0.chain.output_shapes().into_iter();
        Ok(shapes
            .map(|[channels, height, width]| u8::fact([1, channels, height, width]))
            .collect())
    }

    as_op!();
}
