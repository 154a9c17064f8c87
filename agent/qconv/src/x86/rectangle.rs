//! The walk over runs and weights that every path of this processor takes, written once.
//!
//! It is a macro because a function that is compiled for a processor's own instructions is inlined only into one that
//! is compiled for the same ones: a shared function would call each multiplication.

/// Writes `rectangle`, the [`Micro`](crate::kernel::Micro) of one path: P pixels x V registers of sums.
///
/// `products` gives the new sums of one register from the old ones, four bytes of activations in every lane, and the
/// lanes' weights.
macro_rules! rectangle {
    (
        features: $features:literal,
        register: $register:ident,
        zero: $zero:ident,
        load: $load:ident,
        spread: $spread:ident,
        products: |$sum:ident, $group:ident, $weights:ident| $products:expr,
        store: $store:ident $(as $form:expr)?,
    ) => {
        /// # Safety
        /// As [`crate::kernel::Micro`]; the processor has the features that are named here.
        #[target_feature(enable = $features)]
        unsafe fn rectangle<const P: usize, const V: usize>(work: &Rectangle<'_>) {
            let mut sums = [[$zero(); V]; P];
            let mut weights = work.weights.cast::<$register>();
            for run in work.runs {
                // SAFETY: the run begins inside the input's map.
                let mut input = unsafe { work.input.add(*run) };
                for _ in 0..work.run_steps {
                    let block: [$register; V] = std::array::from_fn(|v| {
                        // SAFETY: one of runs x run_steps blocks of V registers, on a border of 64 bytes.
                        unsafe { $load(weights.add(v)) }
                    });
                    // SAFETY: at most one past the last block.
                    weights = unsafe { weights.add(V) };
                    for (pixel, sums) in sums.iter_mut().enumerate() {
                        // SAFETY: `Rectangle::input` promises these four bytes.
                        let group = unsafe {
                            input
                                .add(pixel * work.pixel_stride_bytes)
                                .cast::<i32>()
                                .read_unaligned()
                        };
                        let $group = $spread(group);
                        for (place, $weights) in sums.iter_mut().zip(block) {
                            let $sum = *place;
                            *place = $products;
                        }
                    }
                    // SAFETY: at most the end of the run.
                    input = unsafe { input.add(4) };
                }
            }
            // SAFETY: the caller's promises about `work`, handed on.
            unsafe { $store::<P, V>(&sums, work $(, $form)?) };
        }
    };
}

pub(super) use rectangle;
