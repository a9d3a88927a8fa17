//! Instruction sets.

use super::Simd;

/// Work that is compiled for every instruction set.
pub trait Kernel {
    type Output;

    /// Does the work; must be `inline(always)`, or it is compiled for the default instruction set.
    fn run<V: Simd>(self) -> Self::Output;
}

/// An instruction set that a run is compiled for. The results are the same on all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What every machine of the target has: SSE2 on x86-64.
    Baseline,
    /// 256-bit vectors.
    Avx2,
    /// 512-bit vectors.
    Avx512,
}

impl Isa {
    /// Name used in the environment variable `IKIZ_ISA`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Those that this machine can run, slowest first.
    pub fn available() -> Vec<Self> {
        [Self::Baseline, Self::Avx2, Self::Avx512].into_iter().filter(|isa| isa.runs_here()).collect()
    }

    /// Whether this machine can run it.
    pub fn runs_here(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// Runs a kernel on this instruction set.
    ///
    /// # Panics
    ///
    /// When the machine lacks it.
    #[inline]
    pub fn dispatch<K: Kernel>(self, kernel: K) -> K::Output {
        assert!(self.runs_here(), "this machine lacks {}", self.name());
        #[cfg(target_arch = "x86_64")]
        {
            use super::x86::{Avx2F, Avx512F, Sse2F};

            #[target_feature(enable = "avx2")]
            fn avx2<K: Kernel>(kernel: K) -> K::Output {
                kernel.run::<Avx2F>()
            }
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512<K: Kernel>(kernel: K) -> K::Output {
                kernel.run::<Avx512F>()
            }
            match self {
                // SAFETY: the machine has the features, checked above.
                Self::Avx2 => unsafe { avx2(kernel) },
                // SAFETY: as above.
                Self::Avx512 => unsafe { avx512(kernel) },
                Self::Baseline => kernel.run::<Sse2F>(),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        kernel.run::<super::F32x16>()
    }

    /// The fastest that this machine can run, and that the environment variable `IKIZ_ISA` (`baseline`, `avx2`, `avx512`)
    /// allows: it bounds the choice from above, so that a user can check that the results do not depend on it.
    pub fn detect() -> Self {
        let wanted = std::env::var("IKIZ_ISA").ok();
        let ceiling = [Self::Baseline, Self::Avx2, Self::Avx512]
            .into_iter()
            .find(|isa| wanted.as_deref() == Some(isa.name()))
            .unwrap_or(Self::Avx512);
        Self::available().into_iter().filter(|&isa| isa <= ceiling).max().unwrap_or(Self::Baseline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detected_sets_run_here() {
        assert!(Isa::detect().runs_here());
        assert!(Isa::available().contains(&Isa::Baseline));
    }
}
