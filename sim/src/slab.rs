//! Reusable numbered places.

/// A vector whose free places are used again; indexes stay small and memory flat.
#[derive(Debug)]
pub struct Slab<T> {
    places: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Stores a value and says where.
    #[inline]
    pub fn insert(&mut self, value: T) -> usize {
        if let Some(at) = self.free.pop() {
            self.places[at as usize] = value;
            return at as usize;
        }
        self.places.push(value);
        self.places.len() - 1
    }

    /// Frees a place; its value stays readable until the place is used again.
    #[inline]
    pub fn free(&mut self, at: usize) {
        self.free.push(at as u32);
    }

    /// How many places there are, also free ones.
    pub const fn places_used(&self) -> usize {
        self.places.len()
    }

    /// All places, also free ones.
    pub fn places(&self) -> impl Iterator<Item = (usize, &T)> {
        self.places.iter().enumerate()
    }
}

impl<T> std::ops::Index<usize> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, at: usize) -> &T {
        &self.places[at]
    }
}

impl<T> std::ops::IndexMut<usize> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.places[at]
    }
}
