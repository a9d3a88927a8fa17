//! Names from files become dense indices once, at the edge; behind it nothing compares strings.

use std::collections::BTreeMap;
use std::marker::PhantomData;

/// A dense index into one table.
pub trait Index: Copy + Ord {
    /// Index from a position.
    fn from_usize(position: usize) -> Self;
    /// Position in the table.
    fn usize(self) -> usize;
}

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl Index for $name {
            fn from_usize(position: usize) -> Self {
                Self(u32::try_from(position).expect("tables hold fewer than 2^32 rows; the loader refuses larger ones"))
            }
            fn usize(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

index! {
    /// A territory that is simulated (never a parent row).
    TerritoryIx,
    /// A row of `customers.csv`; customers are sorted by territory, then id.
    CustomerIx,
    /// A company of the market; 0 is our own.
    CompanyIx,
    /// A product of ours.
    ProductIx,
    /// A field representative.
    RepIx,
    /// A customer list named in `sources`.
    ListIx,
}

/// The ids of one table, in index order, with look-up by name (bytewise).
#[derive(Debug, Clone)]
pub struct IdTable<I> {
    names: Vec<Box<str>>,
    lookup: BTreeMap<Box<str>, u32>,
    index: PhantomData<I>,
}

impl<I> Default for IdTable<I> {
    fn default() -> Self {
        Self { names: Vec::new(), lookup: BTreeMap::new(), index: PhantomData }
    }
}

impl<I: Index> IdTable<I> {
    /// Adds a name; `Err` with the earlier index when it is there already.
    pub fn insert(&mut self, name: &str) -> Result<I, I> {
        if let Some(&earlier) = self.lookup.get(name) {
            return Err(I::from_usize(earlier as usize));
        }
        let index = I::from_usize(self.names.len());
        self.names.push(name.into());
        self.lookup.insert(name.into(), self.names.len() as u32 - 1);
        Ok(index)
    }

    /// Index of a name, adding it when new.
    pub fn intern(&mut self, name: &str) -> I {
        self.insert(name).unwrap_or_else(|earlier| earlier)
    }

    /// Index of a name.
    pub fn get(&self, name: &str) -> Option<I> {
        self.lookup.get(name).map(|&position| I::from_usize(position as usize))
    }

    /// Name of an index.
    pub fn name(&self, index: I) -> &str {
        &self.names[index.usize()]
    }

    /// Names in index order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// Indices in order.
    pub fn indices(&self) -> impl ExactSizeIterator<Item = I> + use<I> {
        (0..self.names.len()).map(I::from_usize)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// No rows.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// 64-bit hash of an id, the agent part of the random-number counter: FNV-1a with a SplitMix64 finish.
///
/// It depends on the bytes of the id alone, never on its position, so that adding a customer moves nobody's draws.
pub fn stable_hash(id: &str) -> u64 {
    let fnv =
        id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    mix(fnv)
}

/// The hash of a dark agent: of its territory's hash and its slot there.
pub fn slot_hash(territory: u64, slot: u32) -> u64 {
    mix(territory ^ mix(u64::from(slot) ^ 0x6461_726b_0000_0000))
}

/// SplitMix64's finaliser (Steele, Lea & Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_bytewise() {
        let mut table = IdTable::<TerritoryIx>::default();
        let padded = table.insert("06").unwrap();
        let bare = table.insert("6").unwrap();
        assert_ne!(padded, bare);
        assert_eq!(table.insert("06"), Err(padded));
        assert_eq!(table.get("6"), Some(bare));
        assert_eq!(table.name(padded), "06");
    }

    #[test]
    fn hashes_are_fixed_forever() {
        // Changing these changes every published figure.
        assert_eq!(stable_hash("C000001"), stable_hash("C000001"));
        assert_ne!(stable_hash("C000001"), stable_hash("C000002"));
        assert_ne!(slot_hash(1, 0), slot_hash(0, 1));
    }
}
