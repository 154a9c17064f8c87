//! Finds the chain of integer convolutions in a model and puts one operation of ours in its place.
//!
//! The model is looked at as it was read, before the library rearranges it: there every `QLinearConv` still is one
//! convolution with its scales. The chain is followed from the first one: while a convolution feeds exactly one other,
//! both are links; where it feeds several, these are the heads; where it feeds something else, it is itself the head.

use tract_onnx::prelude::{
    DatumType, OutletId, TractError, TypedModel, TypedModelPatch, TypedNode,
};
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv};
use tract_onnx::tract_core::ops::einsum::EinSum;
use trapline_qconv::{Chain, Network, Path};

use super::convolution;
use super::operation::FusedConvolutions;

/// Why a model's convolutions do not all run in whole numbers.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A layer that the kernels do not run: its name in the ONNX file, and why.
    Outside { layer: String, problem: String },
    /// The library stumbled.
    Library(TractError),
}

impl Refusal {
    pub(super) fn outside(layer: &str, problem: impl Into<String>) -> Self {
        Self::Outside {
            layer: layer.to_owned(),
            problem: problem.into(),
        }
    }
}

impl From<TractError> for Refusal {
    fn from(error: TractError) -> Self {
        Self::Library(error)
    }
}

/// The nodes of the chain, by their numbers.
struct Links {
    source: OutletId,
    body: Vec<usize>,
    heads: Vec<usize>,
}

/// Replaces the chain; gives how many multiplications and additions of one tile run in it, which are all there are.
pub(super) fn fuse(model: &mut TypedModel, path: Path) -> Result<u64, Refusal> {
    let links = find(model)?;
    let network = network(model, &links)?;
    let chain = Chain::new(&network, path).map_err(|error| {
        let link = links.body.iter().chain(&links.heads).nth(error.layer);
        let name = link.map_or("", |id| model.node(*id).name.as_str());
        Refusal::outside(name, error.problem)
    })?;
    let mut patch = TypedModelPatch::new("all integer convolutions at once");
    let tap = patch.tap_model(model, links.source)?;
    let answers = patch.wire_node("convolutions", FusedConvolutions::new(chain), &[tap])?;
    for (head, answer) in links.heads.iter().zip(answers) {
        patch.shunt_outside(model, OutletId::new(*head, 0), answer)?;
    }
    patch.apply(model)?;
    // The nodes that were replaced still hang in the graph; only what the answers depend on is asked.
    for id in model.eval_order()? {
        let node = model.node(id);
        if is_heavy(node) {
            let problem = "is no link of the chain of quantized convolutions";
            return Err(Refusal::outside(&node.name, problem));
        }
    }
    Ok(network.macs())
}

/// Everything that multiplies whole matrices.
fn is_heavy(node: &TypedNode) -> bool {
    node.op_is::<Conv>() || node.op_is::<Deconv>() || node.op_is::<EinSum>()
}

/// A convolution that gives bytes.
fn is_link(node: &TypedNode) -> bool {
    node.op_as::<Conv>()
        .is_some_and(|convolution| convolution.q_params == Some(DatumType::U8))
}

fn find(model: &TypedModel) -> Result<Links, Refusal> {
    let mut order = model.eval_order()?.into_iter();
    let Some(mut last) = order.find(|id| is_heavy(model.node(*id))) else {
        return Err(Refusal::outside("the network", "has no convolution"));
    };
    let first = model.node(last);
    if !is_link(first) {
        let problem = "is no quantized convolution (QLinearConv with bytes in and out)";
        return Err(Refusal::outside(&first.name, problem));
    }
    let Some(source) = first.inputs.first().copied() else {
        return Err(Refusal::outside(&first.name, "has no input"));
    };
    let mut body = Vec::new();
    loop {
        let outlet = model.node(last).outputs.first();
        let readers = outlet.map_or(&[][..], |outlet| outlet.successors.as_slice());
        let is_answer = model.outputs.iter().any(|answer| answer.node == last);
        let feeds_links = !is_answer
            && !readers.is_empty()
            && readers
                .iter()
                .all(|reader| reader.slot == 0 && is_link(model.node(reader.node)));
        let heads = match readers {
            [next] if feeds_links => {
                body.push(last);
                last = next.node;
                continue;
            }
            several if feeds_links => {
                body.push(last);
                several.iter().map(|reader| reader.node).collect()
            }
            _ => vec![last],
        };
        return Ok(Links {
            source,
            body,
            heads,
        });
    }
}

fn network(model: &TypedModel, links: &Links) -> Result<Network, Refusal> {
    let fact = model.outlet_fact(links.source)?;
    let input = match fact.shape.as_concrete() {
        Some([1, channels, height, width]) if fact.datum_type == DatumType::U8 => {
            [*channels, *height, *width]
        }
        _ => {
            let problem = format!("is no picture of bytes with a fixed size, but {fact:?}");
            return Err(Refusal::outside("the input", problem));
        }
    };
    let read = |ids: &[usize]| ids.iter().map(|id| convolution::read(model, *id)).collect();
    let body: Result<_, Refusal> = read(&links.body);
    Ok(Network {
        input,
        body: body?,
        heads: read(&links.heads)?,
    })
}
