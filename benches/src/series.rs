//! The figures of several rounds.

/// One figure, once a round.
#[derive(Clone, Debug, Default)]
pub struct Series {
    values: Vec<f64>,
}

impl Series {
    /// Adds a round's value.
    pub fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    /// The values in the order of the rounds.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The middle value, or the mean of the middle two. A series has at least one value.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        }
    }

    /// The smallest value.
    pub fn min(&self) -> f64 {
        self.sorted()[0]
    }

    /// The largest value.
    pub fn max(&self) -> f64 {
        self.sorted()[self.values.len() - 1]
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Series {
        Series {
            values: values.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_spread() {
        let odd: Series = [9.0, 1.0, 4.0].into_iter().collect();
        assert_eq!((odd.min(), odd.median(), odd.max()), (1.0, 4.0, 9.0));
        let even: Series = [9.0, 1.0, 4.0, 5.0].into_iter().collect();
        assert_eq!((even.min(), even.median(), even.max()), (1.0, 4.5, 9.0));
        assert_eq!(even.values(), [9.0, 1.0, 4.0, 5.0]);
    }
}
