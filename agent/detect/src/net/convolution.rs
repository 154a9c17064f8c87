//! One `QLinearConv`, from the library's words into ours.

use std::sync::Arc;

use tract_onnx::prelude::{
    Datum, IntoTValue, IntoTensor, OutletId, TVec, Tensor, TractResult, TypedModel,
};
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::ops::nn::DataFormat;
use trapline_qconv::Convolution;

use super::chain::Refusal;

/// Reads the node, or says what the kernels cannot do with it.
pub(super) fn read(model: &TypedModel, id: usize) -> Result<Convolution, Refusal> {
    let node = model.node(id);
    let outside = |problem: &str| Refusal::outside(&node.name, problem);
    let op = node
        .op_as::<Conv>()
        .ok_or_else(|| outside("is no convolution"))?;
    if op.group != 1 {
        return Err(outside("is split into groups"));
    }
    if op.pool_spec.data_format != DataFormat::NCHW || op.kernel_fmt != KernelFormat::OIHW {
        return Err(outside("does not lie in planes"));
    }
    let mut constants = TVec::new();
    for outlet in node.inputs.iter().skip(1) {
        let constant = constant(model, *outlet)?;
        constants.push(constant.ok_or_else(|| outside("has weights or scales that change"))?);
    }
    let [
        weights,
        bias,
        zero_in,
        scale_in,
        weight_zeros,
        weight_scales,
        zero_out,
        scale_out,
    ] = constants.as_slice()
    else {
        return Err(outside("lacks a scale or a zero point"));
    };
    let channels_out = op.pool_spec.output_channels;
    let per_channel =
        op.pool_spec.input_channels * op.pool_spec.kernel_shape.iter().product::<usize>();
    let weight_zeros = spread::<i32>(weight_zeros, channels_out)?;
    let weights = weights.cast_to::<i32>()?;
    let weights = weights.try_as_plain_ram()?.as_slice::<i32>()?;
    let channels = weights.chunks(per_channel.max(1)).zip(weight_zeros);
    let weights: Result<Vec<i8>, _> = channels
        .flat_map(|(channel, zero)| channel.iter().map(move |weight| weight - zero))
        .map(i8::try_from)
        .collect();
    let scale_in = scale_in.cast_to_scalar::<f32>()?;
    let scale_out = scale_out.cast_to_scalar::<f32>()?;
    let byte = |zero: &Tensor| -> Result<u8, Refusal> {
        u8::try_from(zero.cast_to_scalar::<i32>()?)
            .map_err(|_| outside("has a zero point that is no byte"))
    };
    Ok(Convolution {
        channels_in: op.pool_spec.input_channels,
        channels_out,
        window: pair(&op.pool_spec.kernel_shape).ok_or_else(|| outside("is not flat"))?,
        stride: pair(&op.pool_spec.strides()).ok_or_else(|| outside("is not flat"))?,
        dilation: pair(&op.pool_spec.dilations()).ok_or_else(|| outside("is not flat"))?,
        padding: padding(model, node.inputs.first(), op)?
            .ok_or_else(|| outside("has no fixed size"))?,
        weights: weights.map_err(|_| outside("has weights beyond -127 to 127"))?,
        bias: spread::<i32>(bias, channels_out)?,
        zero_in: byte(zero_in)?,
        // In this order, as onnxruntime multiplies: the last bit of the factor depends on it.
        multipliers: spread::<f32>(weight_scales, channels_out)?
            .into_iter()
            .map(|scale| scale_in * scale / scale_out)
            .collect(),
        zero_out: byte(zero_out)?,
    })
}

/// The value of an outlet that depends on no input.
fn constant(model: &TypedModel, outlet: OutletId) -> TractResult<Option<Arc<Tensor>>> {
    if let Some(known) = &model.outlet_fact(outlet)?.konst {
        return Ok(Some(Arc::clone(known)));
    }
    let node = model.node(outlet.node);
    let mut inputs = TVec::new();
    for input in &node.inputs {
        let Some(value) = constant(model, *input)? else {
            return Ok(None);
        };
        inputs.push(value.into_tvalue());
    }
    if inputs.is_empty() {
        return Ok(None);
    }
    let outputs = node.op().eval_out_of_plan(inputs)?.unwrap_or_default();
    let value = outputs.into_iter().nth(outlet.slot);
    Ok(value.map(|value| Arc::new(value.into_tensor())))
}

/// One value per channel, from as many or from one for all.
fn spread<T: Datum + Copy>(tensor: &Tensor, channels: usize) -> TractResult<Vec<T>> {
    let tensor = tensor.cast_to::<T>()?;
    let values = tensor.try_as_plain_ram()?.as_slice::<T>()?;
    Ok(match values {
        [value] => vec![*value; channels],
        values => values.to_vec(),
    })
}

fn pair(values: &[usize]) -> Option<[usize; 2]> {
    values.try_into().ok()
}

/// Above, left, below, right.
fn padding(
    model: &TypedModel,
    source: Option<&OutletId>,
    op: &Conv,
) -> TractResult<Option<[usize; 4]>> {
    let fact = source
        .map(|source| model.outlet_fact(*source))
        .transpose()?;
    let Some([_, _, size @ ..]) = fact.and_then(|fact| fact.shape.as_concrete()) else {
        return Ok(None);
    };
    Ok(match op.pool_spec.computed_padding(size).as_slice() {
        [vertical, horizontal] => Some([
            vertical.pad_before,
            horizontal.pad_before,
            vertical.pad_after,
            horizontal.pad_after,
        ]),
        _ => None,
    })
}
