//! Sixteen lanes in the vector registers of x86-64: four of 128 bits (SSE2, which every such machine has), two of 256 (AVX2) or
//! one of 512 (AVX-512).
//!
//! SSE2 could be left to the compiler and the portable lanes; but it takes minutes over a large kernel of arrays, and makes
//! slower code of it.
//!
//! # Safety
//!
//! Every intrinsic here is called in a function that is inlined into a kernel compiled for the instruction set
//! ([`super::Isa::dispatch`], which checks that the machine has it); none of these types leaves this crate. That is the
//! reason of every `unsafe` in this file.

use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Sub};

use super::{F32x16, Lanes, Mask, Simd, U32x16, WIDTH, Words};

/// Implements sixteen lanes as `parts` vectors. `$op!` names the intrinsics of an operation.
macro_rules! lanes {
    (
        $f:ident, $w:ident, $m:ident, parts $parts:literal, float $float:ty, word $word:ty, mask $mask:ty,
        load $load:ident, store $store:ident, splat $splat:ident,
        load_words $loadw:ident, store_words $storew:ident, splat_words $splatw:ident,
        add $add:ident, sub $sub:ident, mul $mul:ident, div $div:ident, sqrt $sqrt:ident, max $max:ident, min $min:ident,
        bits $bits:ident, from_bits $from_bits:ident, from_whole $from_whole:ident,
        plus $plus:ident, minus $minus:ident, and $and:ident, or $or:ident, xor $xor:ident,
        up $up:ident, down $down:ident, down_signed $down_signed:ident, up64 $up64:ident, down64 $down64:ident,
        multiply $multiply:ident,
        greater |$ga:ident, $gb:ident| $greater:expr,
        equals |$ea:ident, $eb:ident| $equals:expr,
        choose |$cm:ident, $cy:ident, $cn:ident| $choose:expr,
        choose_words |$wm:ident, $wy:ident, $wn:ident| $choosew:expr,
        keep |$km:ident, $kx:ident| $keep:expr,
        count_up |$cuc:ident, $cum:ident| $count_up:expr,
        counted |$cdc:ident| $counted:expr,
        load_part |$lpf:ident, $lpn:ident| $load_part:expr,
        sum |$sum:ident| $sums:expr,
        keep_words |$kwm:ident, $kwx:ident| $keepw:expr,
        odd |$oe:ident, $oo:ident| $odd:expr,
        mask_and |$aa:ident, $ab:ident| $mask_and:expr,
        mask_or |$ra:ident, $rb:ident| $mask_or:expr,
        mask_and_not |$na:ident, $nb:ident| $mask_and_not:expr,
        bitmap |$bm:ident| $bitmap:expr, full $full:expr,
    ) => {
        #[derive(Debug, Clone, Copy)]
        pub struct $f([$float; $parts]);
        #[derive(Debug, Clone, Copy)]
        pub struct $w([$word; $parts]);
        #[derive(Debug, Clone, Copy)]
        pub struct $m([$mask; $parts]);

        impl Add for $f {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| unsafe { $add(self.0[i], other.0[i]) }))
            }
        }
        impl Sub for $f {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| unsafe { $sub(self.0[i], other.0[i]) }))
            }
        }
        impl Mul for $f {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| unsafe { $mul(self.0[i], other.0[i]) }))
            }
        }
        impl Div for $f {
            type Output = Self;
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| unsafe { $div(self.0[i], other.0[i]) }))
            }
        }

        impl Lanes for $f {
            type Mask = $m;

            #[inline(always)]
            fn of(x: f64) -> Self {
                Self::splat(x as f32)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                super::exp(self)
            }
            #[inline(always)]
            fn power(self, exponent: f64) -> Self {
                super::power(self, exponent)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| unsafe { $max(self.0[i], other.0[i]) }))
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| unsafe { $min(self.0[i], other.0[i]) }))
            }
            #[inline(always)]
            fn greater(self, other: Self) -> $m {
                $m(std::array::from_fn(|i| {
                    let ($ga, $gb) = (self.0[i], other.0[i]);
                    unsafe { $greater }
                }))
            }
            #[inline(always)]
            fn choose(mask: $m, yes: Self, no: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    let ($cm, $cy, $cn) = (mask.0[i], yes.0[i], no.0[i]);
                    unsafe { $choose }
                }))
            }
            #[inline(always)]
            fn keep(mask: $m, x: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    let ($km, $kx) = (mask.0[i], x.0[i]);
                    unsafe { $keep }
                }))
            }
        }

        impl Simd for $f {
            type Words = $w;

            // Two parts are two chains already; with those of a second set, sixteen registers would not hold them.
            const TOGETHER: usize = if $parts == 1 { 4 } else { 1 };

            #[inline(always)]
            fn load(from: &F32x16) -> Self {
                let lanes = from.0.as_ptr();
                Self(std::array::from_fn(|i| unsafe { $load(lanes.add(i * WIDTH / $parts)) }))
            }
            #[inline(always)]
            fn store(self) -> F32x16 {
                let mut out = F32x16::ZERO;
                let lanes = out.0.as_mut_ptr();
                for (i, part) in self.0.into_iter().enumerate() {
                    unsafe { $store(lanes.add(i * WIDTH / $parts), part) };
                }
                out
            }
            #[inline(always)]
            fn splat(x: f32) -> Self {
                Self([unsafe { $splat(x) }; $parts])
            }
            #[inline(always)]
            fn bits(self) -> $w {
                $w(std::array::from_fn(|i| unsafe { $bits(self.0[i]) }))
            }
            #[inline(always)]
            fn from_bits(bits: $w) -> Self {
                Self(std::array::from_fn(|i| unsafe { $from_bits(bits.0[i]) }))
            }
            #[inline(always)]
            fn from_whole(words: $w) -> Self {
                Self(std::array::from_fn(|i| unsafe { $from_whole(words.0[i]) }))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self(std::array::from_fn(|i| unsafe { $sqrt(self.0[i]) }))
            }
            #[inline(always)]
            fn count_up(counts: $w, mask: $m) -> $w {
                $w(std::array::from_fn(|i| {
                    let ($cuc, $cum) = (counts.0[i], mask.0[i]);
                    unsafe { $count_up }
                }))
            }
            #[inline(always)]
            fn counted(counts: $w) -> Self {
                Self(std::array::from_fn(|i| {
                    let $cdc = counts.0[i];
                    unsafe { $counted }
                }))
            }
            #[inline(always)]
            fn load_part(from: &[f32]) -> Self {
                let lanes = from.as_ptr();
                if from.len() >= WIDTH {
                    return Self(std::array::from_fn(|i| unsafe { $load(lanes.add(i * WIDTH / $parts)) }));
                }
                if from.is_empty() {
                    return Self::splat(0.0);
                }
                Self(std::array::from_fn(|i| {
                    // What this part may read. Where that is nothing, its place is beside the slice all the same: some
                    // processors take hundreds of cycles to see that nothing is read of a place that is not the program's.
                    let begins = i * WIDTH / $parts;
                    let ($lpf, $lpn) =
                        (lanes.wrapping_add(begins), from.len().saturating_sub(begins).min(WIDTH / $parts));
                    unsafe { $load_part }
                }))
            }
            #[inline(always)]
            fn sum(self) -> f64 {
                let $sum = self.0;
                // Four sums of four lanes each: halves onto halves.
                let [low, high] = unsafe { $sums };
                unsafe {
                    let two = _mm_add_pd(low, high);
                    _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
                }
            }
        }

        impl Mask for $m {
            #[inline(always)]
            fn and(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    let ($aa, $ab) = (self.0[i], other.0[i]);
                    unsafe { $mask_and }
                }))
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    let ($ra, $rb) = (self.0[i], other.0[i]);
                    unsafe { $mask_or }
                }))
            }
            #[inline(always)]
            fn and_not(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    let ($na, $nb) = (self.0[i], other.0[i]);
                    unsafe { $mask_and_not }
                }))
            }
            #[inline(always)]
            fn all(self) -> bool {
                self.0.into_iter().all(|$bm| unsafe { $bitmap } == $full)
            }
            #[inline(always)]
            fn any(self) -> bool {
                let mut any = 0;
                for $bm in self.0 {
                    any |= unsafe { $bitmap };
                }
                any != 0
            }
        }

        impl Words for $w {
            type Mask = $m;

            #[inline(always)]
            fn load(from: &U32x16) -> Self {
                let lanes = from.0.as_ptr();
                Self(std::array::from_fn(|i| unsafe { $loadw(lanes.add(i * WIDTH / $parts).cast()) }))
            }
            #[inline(always)]
            fn store(self) -> U32x16 {
                let mut out = U32x16::ZERO;
                let lanes = out.0.as_mut_ptr();
                for (i, part) in self.0.into_iter().enumerate() {
                    unsafe { $storew(lanes.add(i * WIDTH / $parts).cast(), part) };
                }
                out
            }
            #[inline(always)]
            fn splat(x: u32) -> Self {
                Self([unsafe { $splatw(x as i32) }; $parts])
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| unsafe { $plus(self.0[i], other.0[i]) }))
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| unsafe { $minus(self.0[i], other.0[i]) }))
            }
            #[inline(always)]
            fn and(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| unsafe { $and(self.0[i], other.0[i]) }))
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| unsafe { $or(self.0[i], other.0[i]) }))
            }
            #[inline(always)]
            fn up<const BITS: i32>(self) -> Self {
                let bits = unsafe { _mm_cvtsi32_si128(BITS) };
                Self(std::array::from_fn(|i| unsafe { $up(self.0[i], bits) }))
            }
            #[inline(always)]
            fn down<const BITS: i32>(self) -> Self {
                let bits = unsafe { _mm_cvtsi32_si128(BITS) };
                Self(std::array::from_fn(|i| unsafe { $down(self.0[i], bits) }))
            }
            #[inline(always)]
            fn down_signed<const BITS: i32>(self) -> Self {
                let bits = unsafe { _mm_cvtsi32_si128(BITS) };
                Self(std::array::from_fn(|i| unsafe { $down_signed(self.0[i], bits) }))
            }
            #[inline(always)]
            fn equals(self, other: Self) -> $m {
                $m(std::array::from_fn(|i| {
                    let ($ea, $eb) = (self.0[i], other.0[i]);
                    unsafe { $equals }
                }))
            }
            #[inline(always)]
            fn choose(mask: $m, yes: Self, no: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    let ($wm, $wy, $wn) = (mask.0[i], yes.0[i], no.0[i]);
                    unsafe { $choosew }
                }))
            }
            #[inline(always)]
            fn keep(mask: $m, word: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    let ($kwm, $kwx) = (mask.0[i], word.0[i]);
                    unsafe { $keepw }
                }))
            }
            /// Even and odd lanes apart, each in the lower half of 64 bits, where vector units multiply two words into 64
            /// bits; what is left in the upper halves is never read.
            #[inline(always)]
            fn multiply_rounds<const PART: usize>(c: &mut [Self; 4], m: [u32; 2], keys: &[[Self; 2]]) {
                let bits = unsafe { _mm_cvtsi32_si128(32) };
                let m = [unsafe { $splatw(m[0] as i32) }, unsafe { $splatw(m[1] as i32) }];
                // Vectors of this part.
                let each = if $parts > 2 { $parts / 2 } else { 1 };
                for at in PART * each..((PART + 1) * each).min($parts) {
                    let mut even = [c[0].0[at], c[1].0[at], c[2].0[at], c[3].0[at]];
                    let mut odd = even;
                    for words in &mut odd {
                        *words = unsafe { $down64(*words, bits) };
                    }
                    for k in keys {
                        let k = [k[0].0[at], k[1].0[at]];
                        for c in [&mut even, &mut odd] {
                            unsafe {
                                let first = $multiply(c[0], m[0]);
                                let second = $multiply(c[2], m[1]);
                                *c = [
                                    $xor($xor($down64(second, bits), c[1]), k[0]),
                                    second,
                                    $xor($xor($down64(first, bits), c[3]), k[1]),
                                    first,
                                ];
                            }
                        }
                    }
                    for word in 0..4 {
                        let $oe = even[word];
                        let $oo = unsafe { $up64(odd[word], bits) };
                        c[word].0[at] = unsafe { $odd };
                    }
                }
            }

            const PARTS: usize = if $parts > 2 { 2 } else { $parts };
        }
    };
}

lanes! {
    Sse2F, Sse2W, Sse2M, parts 4, float __m128, word __m128i, mask __m128,
    load _mm_loadu_ps, store _mm_storeu_ps, splat _mm_set1_ps,
    load_words _mm_loadu_si128, store_words _mm_storeu_si128, splat_words _mm_set1_epi32,
    add _mm_add_ps, sub _mm_sub_ps, mul _mm_mul_ps, div _mm_div_ps, sqrt _mm_sqrt_ps,
    max _mm_max_ps, min _mm_min_ps,
    bits _mm_castps_si128, from_bits _mm_castsi128_ps, from_whole _mm_cvtepi32_ps,
    plus _mm_add_epi32, minus _mm_sub_epi32, and _mm_and_si128, or _mm_or_si128, xor _mm_xor_si128,
    up _mm_sll_epi32, down _mm_srl_epi32, down_signed _mm_sra_epi32,
    up64 _mm_sll_epi64, down64 _mm_srl_epi64,
    multiply _mm_mul_epu32,
    greater |a, b| _mm_cmpgt_ps(a, b),
    equals |a, b| _mm_castsi128_ps(_mm_cmpeq_epi32(a, b)),
    choose |mask, yes, no| _mm_or_ps(_mm_and_ps(mask, yes), _mm_andnot_ps(mask, no)),
    choose_words |mask, yes, no| {
        let mask = _mm_castps_si128(mask);
        _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no))
    },
    keep |mask, x| _mm_and_ps(mask, x),
    count_up |counts, mask| _mm_sub_epi32(counts, _mm_castps_si128(mask)),
    counted |counts| _mm_cvtepi32_ps(counts),
    load_part |from, count| {
        let mut lanes = [0.0_f32; 4];
        std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count);
        _mm_loadu_ps(lanes.as_ptr())
    },
    // Lanes 0 to 3 with 8 to 11, and 4 to 7 with 12 to 15; then lanes 0 and 1 of both, and 2 and 3.
    sum |parts| {
        let (mut low, mut high) = ([_mm_setzero_pd(); 2], [_mm_setzero_pd(); 2]);
        for half in 0..2 {
            let upper = |x: __m128| _mm_cvtps_pd(_mm_movehl_ps(x, x));
            low[half] = _mm_add_pd(_mm_cvtps_pd(parts[half]), _mm_cvtps_pd(parts[half + 2]));
            high[half] = _mm_add_pd(upper(parts[half]), upper(parts[half + 2]));
        }
        [_mm_add_pd(low[0], low[1]), _mm_add_pd(high[0], high[1])]
    },
    keep_words |mask, x| _mm_and_si128(_mm_castps_si128(mask), x),
    odd |even, odd| _mm_or_si128(_mm_and_si128(_mm_set_epi32(0, -1, 0, -1), even), odd),
    mask_and |a, b| _mm_and_ps(a, b),
    mask_or |a, b| _mm_or_ps(a, b),
    mask_and_not |a, b| _mm_andnot_ps(b, a),
    bitmap |mask| _mm_movemask_ps(mask), full 0xf,
}

lanes! {
    Avx2F, Avx2W, Avx2M, parts 2, float __m256, word __m256i, mask __m256,
    load _mm256_loadu_ps, store _mm256_storeu_ps, splat _mm256_set1_ps,
    load_words _mm256_loadu_si256, store_words _mm256_storeu_si256, splat_words _mm256_set1_epi32,
    add _mm256_add_ps, sub _mm256_sub_ps, mul _mm256_mul_ps, div _mm256_div_ps, sqrt _mm256_sqrt_ps,
    max _mm256_max_ps, min _mm256_min_ps,
    bits _mm256_castps_si256, from_bits _mm256_castsi256_ps, from_whole _mm256_cvtepi32_ps,
    plus _mm256_add_epi32, minus _mm256_sub_epi32, and _mm256_and_si256, or _mm256_or_si256, xor _mm256_xor_si256,
    up _mm256_sll_epi32, down _mm256_srl_epi32, down_signed _mm256_sra_epi32,
    up64 _mm256_sll_epi64, down64 _mm256_srl_epi64,
    multiply _mm256_mul_epu32,
    greater |a, b| _mm256_cmp_ps::<_CMP_GT_OQ>(a, b),
    equals |a, b| _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)),
    choose |mask, yes, no| _mm256_blendv_ps(no, yes, mask),
    choose_words |mask, yes, no| {
        _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(no), _mm256_castsi256_ps(yes), mask))
    },
    keep |mask, x| _mm256_and_ps(mask, x),
    count_up |counts, mask| _mm256_sub_epi32(counts, _mm256_castps_si256(mask)),
    counted |counts| _mm256_cvtepi32_ps(counts),
    load_part |from, count| {
        let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_maskload_ps(from, _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), lanes))
    },
    // Lanes 0 to 3 with 8 to 11, and 4 to 7 with 12 to 15.
    sum |parts| {
        let low = _mm256_add_pd(
            _mm256_cvtps_pd(_mm256_castps256_ps128(parts[0])),
            _mm256_cvtps_pd(_mm256_castps256_ps128(parts[1])),
        );
        let high = _mm256_add_pd(
            _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(parts[0])),
            _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(parts[1])),
        );
        let four = _mm256_add_pd(low, high);
        [_mm256_castpd256_pd128(four), _mm256_extractf128_pd::<1>(four)]
    },
    keep_words |mask, x| _mm256_and_si256(_mm256_castps_si256(mask), x),
    odd |even, odd| _mm256_blend_epi32::<0b1010_1010>(even, odd),
    mask_and |a, b| _mm256_and_ps(a, b),
    mask_or |a, b| _mm256_or_ps(a, b),
    mask_and_not |a, b| _mm256_andnot_ps(b, a),
    bitmap |mask| _mm256_movemask_ps(mask), full 0xff,
}

lanes! {
    Avx512F, Avx512W, Avx512M, parts 1, float __m512, word __m512i, mask __mmask16,
    load _mm512_loadu_ps, store _mm512_storeu_ps, splat _mm512_set1_ps,
    load_words _mm512_loadu_si512, store_words _mm512_storeu_si512, splat_words _mm512_set1_epi32,
    add _mm512_add_ps, sub _mm512_sub_ps, mul _mm512_mul_ps, div _mm512_div_ps, sqrt _mm512_sqrt_ps,
    max _mm512_max_ps, min _mm512_min_ps,
    bits _mm512_castps_si512, from_bits _mm512_castsi512_ps, from_whole _mm512_cvtepi32_ps,
    plus _mm512_add_epi32, minus _mm512_sub_epi32, and _mm512_and_si512, or _mm512_or_si512, xor _mm512_xor_si512,
    up _mm512_sll_epi32, down _mm512_srl_epi32, down_signed _mm512_sra_epi32,
    up64 _mm512_sll_epi64, down64 _mm512_srl_epi64,
    multiply _mm512_mul_epu32,
    greater |a, b| _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b),
    equals |a, b| _mm512_cmpeq_epi32_mask(a, b),
    choose |mask, yes, no| _mm512_mask_blend_ps(mask, no, yes),
    choose_words |mask, yes, no| _mm512_mask_blend_epi32(mask, no, yes),
    keep |mask, x| _mm512_maskz_mov_ps(mask, x),
    // Counts are kept as numbers: one operation, where whole ones would take two.
    count_up |counts, mask| {
        let counts = _mm512_castsi512_ps(counts);
        _mm512_castps_si512(_mm512_mask_add_ps(counts, mask, counts, _mm512_set1_ps(1.0)))
    },
    counted |counts| _mm512_castsi512_ps(counts),
    load_part |from, count| _mm512_maskz_loadu_ps(((1_u32 << count) - 1) as __mmask16, from),
    sum |parts| {
        let low = _mm512_cvtps_pd(_mm512_castps512_ps256(parts[0]));
        let high = _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(parts[0]));
        let eight = _mm512_add_pd(low, high);
        let four = _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd::<1>(eight));
        [_mm256_castpd256_pd128(four), _mm256_extractf128_pd::<1>(four)]
    },
    keep_words |mask, x| _mm512_maskz_mov_epi32(mask, x),
    odd |even, odd| _mm512_mask_blend_epi32(0b1010_1010_1010_1010, even, odd),
    mask_and |a, b| _kand_mask16(a, b),
    mask_or |a, b| _kor_mask16(a, b),
    mask_and_not |a, b| _kandn_mask16(b, a),
    bitmap |mask| _cvtmask16_u32(mask) as i32, full 0xffff,
}
