//! The functions of lanes against exact ones, and every instruction set against the plain arrays.

use super::*;

/// Largest relative error of a function of lanes against one of doubles, over a grid.
fn worst(
    points: impl Iterator<Item = f32>,
    of: impl Fn(F32x16) -> F32x16,
    exact: impl Fn(f64) -> f64,
    scale: impl Fn(f64) -> f64,
) -> f64 {
    points
        .map(|x| {
            let wanted = exact(f64::from(x));
            (f64::from(of(F32x16::splat(x)).0[3]) - wanted).abs() / scale(wanted)
        })
        .fold(0.0, f64::max)
}

fn grid(from: f64, to: f64) -> impl Iterator<Item = f32> {
    (0..=400_000).map(move |k| (from + (to - from) * f64::from(k) / 400_000.0) as f32)
}

#[test]
fn exp_is_close_to_libm() {
    let error = worst(grid(-87.0, 88.0), Lanes::exp, libm::exp, f64::abs);
    assert!(error < 2e-7, "{error:e}");
    let ends = F32x16::splat(-1e9).exp().0[0];
    assert!(ends > 0.0 && ends < 2e-38);
    assert!(F32x16::splat(1e9).exp().0[0].is_finite());
    assert_eq!(F32x16::ZERO.exp(), F32x16::splat(1.0));
}

#[test]
fn ln_is_close_to_libm() {
    let points = || grid(-87.0, 88.0).map(libm::expf).chain(grid(0.5, 2.0));
    let error = worst(points(), Simd::ln, libm::log, |y| y.abs().max(0.5));
    assert!(error < 2e-7, "{error:e}");
}

#[test]
fn chance_keeps_small_hazards() {
    let points = grid(-20.0, 4.0).map(libm::expf);
    let error = worst(points, Simd::chance, |h| -libm::expm1(-h), f64::abs);
    assert!(error < 4e-7, "{error:e}");
    assert_eq!(F32x16::ZERO.chance(), F32x16::ZERO);
    assert_eq!(F32x16::splat(80.0).chance(), F32x16::splat(1.0));
}

#[test]
fn floor_is_floor() {
    for x in [0.0_f32, 0.25, 0.5, 0.999_999_94, 1.0, 1.5, 2.5, 3.999_999_8, 4_000_000.5] {
        assert_eq!(F32x16::splat(x).floor().0[0], x.floor(), "{x}");
    }
}

#[test]
fn masks_choose() {
    let ramp = F32x16(std::array::from_fn(|i| i as f32));
    let high = ramp.greater(F32x16::splat(7.5));
    assert_eq!(F32x16::count(high).sum(), 8.0);
    assert_eq!(F32x16::choose(high, ramp, F32x16::ZERO), F32x16::keep(high, ramp));
    assert_eq!(F32x16::keep(high, ramp).sum(), 92.0);
    assert!(high.any() && !high.and_not(high).any());
    assert_eq!(F32x16::load_slice(&[5.0, 6.0], 9.0).0[..3], [5.0, 6.0, 9.0]);
    assert_eq!(F32x16::load_part(&COLUMN[..2]).0[..3], [1.0, 2.0, 0.0]);
    assert_eq!(F32x16::load_part(&COLUMN[4..]).0[15], 20.0);
    let twice = F32x16::count_up(F32x16::count_up(U32x16::ZERO, high), high);
    assert_eq!(F32x16::counted(twice).sum(), 16.0);
}

const COLUMN: [f32; 20] = {
    let mut column = [0.0; 20];
    let mut i = 0;
    while i < column.len() {
        column[i] = (i + 1) as f32;
        i += 1;
    }
    column
};

/// Every operation once, on numbers and words of all kinds.
struct Everything {
    numbers: [F32x16; 3],
    words: [U32x16; 4],
}

impl Kernel for Everything {
    type Output = (Vec<[u32; WIDTH]>, Vec<bool>);

    #[inline(always)]
    fn run<V: Simd>(self) -> Self::Output {
        let [a, b, c] = self.numbers.map(|x| V::load(&x));
        let words = self.words.map(|x| V::Words::load(&x));
        let (above, below) = (a.greater(b), a.less(c));
        let masks = [above, below, above.and(below), above.or(below), above.and_not(below)];
        let positive = a.abs().max(V::splat(1e-30));
        let numbers = [
            a + b,
            a - b,
            a * b,
            a / b,
            a.max(b),
            a.min(b),
            a.exp(),
            positive.ln(),
            positive.sqrt(),
            positive.min(V::splat(4e6)).floor(),
            positive.chance(),
            V::choose(above, a, b),
            V::keep(below, c),
            V::count(above),
            V::from_whole(words[0]),
            V::from_bits(a.bits()),
            V::load_slice(&[1.0, 2.0, 3.0], 4.0),
            V::counted(V::count_up(V::count_up(V::Words::splat(0), above), below)),
            V::load_part(&COLUMN[..0]),
            V::load_part(&COLUMN[..3]),
            V::load_part(&COLUMN[..8]),
            V::load_part(&COLUMN[..13]),
            V::load_part(&COLUMN[..16]),
            V::load_part(&COLUMN[1..]),
        ];
        let mut out: Vec<[u32; WIDTH]> = numbers.iter().map(|x| x.store().0.map(f32::to_bits)).collect();
        let [x, y, ..] = words;
        let results = [
            x.plus(y),
            x.minus(y),
            x.and(y),
            x.or(y),
            x.up::<9>(),
            x.down::<9>(),
            x.down_signed::<23>(),
            V::Words::choose(x.equals(y), x, words[2]),
            V::Words::choose(x.shares_bit(words[2]), y, words[3]),
            V::Words::keep(x.equals(y), words[2]),
        ];
        let mut mixed = words;
        let key = [0x9e37_79b9, 0xbb67_ae85, 0x0123_4567].map(V::Words::splat);
        let (multipliers, keys) = ([0xd251_1f53, 0xcd9e_8d57], [[key[0], key[1]], [key[1], key[2]]]);
        V::Words::multiply_rounds::<0>(&mut mixed, multipliers, &keys);
        if V::Words::PARTS > 1 {
            V::Words::multiply_rounds::<1>(&mut mixed, multipliers, &keys);
        }
        out.extend(results.iter().chain(&mixed).map(|x| x.store().0));
        let sum = a.sum().to_bits();
        out.push(std::array::from_fn(|i| (sum >> (4 * i)) as u32));
        (out, masks.iter().flat_map(|mask| [mask.any(), mask.all()]).collect())
    }
}

#[test]
fn instruction_sets_agree_on_every_operation() {
    let mut state = 1_u32;
    let mut word = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state ^ state >> 15
    };
    for round in 0..2_000 {
        // Numbers of every size up to 2^20 and of both signs; every fourth round with equal columns.
        let mut column = |same: Option<F32x16>| {
            same.unwrap_or_else(|| {
                F32x16(std::array::from_fn(|_| {
                    let bits = word();
                    f32::from_bits(bits & 0x807f_ffff | (107 + (bits >> 9) % 40) << 23)
                }))
            })
        };
        let a = column(None);
        let b = column((round % 4 == 0).then_some(a));
        let c = column(None);
        let mut column = || U32x16(std::array::from_fn(|_| word()));
        let (x, z, w) = (column(), column(), column());
        let y = if round % 3 == 0 { x } else { column() };
        let make = || Everything { numbers: [a, b, c], words: [x, y, z, w] };
        let wanted = make().run::<F32x16>();
        for isa in Isa::available() {
            assert_eq!(isa.dispatch(make()), wanted, "{} in round {round}", isa.name());
        }
    }
}
