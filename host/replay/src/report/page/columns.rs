//! Figures by block in a bounded number of columns: neighbours are joined when there are more.

/// Most columns: what a plot shows apart.
pub const COLUMNS_MAX: usize = 480;

/// Values of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Value {
    sum: f64,
    most: f64,
    count: u64,
}

impl Value {
    /// One value.
    pub const fn of(value: f64) -> Self {
        Self { sum: value, most: value, count: 1 }
    }

    /// Their mean.
    pub fn mean(self) -> f64 {
        self.sum / (self.count.max(1) as f64)
    }

    /// The largest of them.
    pub const fn most(self) -> f64 {
        self.most
    }

    fn join(&mut self, other: Self) {
        self.sum += other.sum;
        self.most = self.most.max(other.most);
        self.count += other.count;
    }
}

/// What the runs of one rule took and gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measures {
    pub milliseconds: Value,
    pub fuel: Value,
    pub bytes: Value,
}

/// Neighbouring blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Chain and height of the first block.
    pub first: (u64, u64),
    /// Of the last.
    pub last: (u64, u64),
    pub blocks: u64,
    pub gas: Value,
    /// In the order of the rules.
    pub rules: Vec<Measures>,
}

impl Column {
    fn join(&mut self, other: &Self) {
        self.last = other.last;
        self.blocks += other.blocks;
        self.gas.join(other.gas);
        for (own, other) in self.rules.iter_mut().zip(&other.rules) {
            own.milliseconds.join(other.milliseconds);
            own.fuel.join(other.fuel);
            own.bytes.join(other.bytes);
        }
    }
}

/// Blocks in the order of their results.
#[derive(Debug)]
pub struct Columns {
    columns: Vec<Column>,
    /// Blocks of each column but the last, which may have fewer.
    width: u64,
}

impl Default for Columns {
    fn default() -> Self {
        Self { columns: Vec::new(), width: 1 }
    }
}

impl Columns {
    /// Adds the next block.
    pub fn push(&mut self, block: Column) {
        match self.columns.last_mut() {
            Some(last) if last.blocks < self.width => last.join(&block),
            _ => self.columns.push(block),
        }
        if self.columns.len() > COLUMNS_MAX {
            self.halve();
        }
    }

    /// The columns, in order.
    pub fn as_slice(&self) -> &[Column] {
        &self.columns
    }

    /// Blocks of a column.
    pub const fn width(&self) -> u64 {
        self.width
    }

    fn halve(&mut self) {
        let pairs = std::mem::take(&mut self.columns);
        for pair in pairs.chunks(2) {
            let mut joined = pair[0].clone();
            pair[1..].iter().for_each(|other| joined.join(other));
            self.columns.push(joined);
        }
        self.width *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(blocks: u64) -> Columns {
        let mut columns = Columns::default();
        for height in 0..blocks {
            let gas = Value::of(height as f64);
            let rules = vec![Measures { fuel: Value::of(2.0), ..Measures::default() }];
            columns.push(Column { first: (1, height), last: (1, height), blocks: 1, gas, rules });
        }
        columns
    }

    #[test]
    fn every_block_has_a_column_as_long_as_there_is_room() {
        let columns = columns(COLUMNS_MAX as u64);
        assert_eq!((columns.as_slice().len(), columns.width()), (COLUMNS_MAX, 1));
        assert_eq!(columns.as_slice()[7].gas.mean(), 7.0);
    }

    #[test]
    fn more_blocks_share_columns_and_no_value_is_lost() {
        for blocks in [COLUMNS_MAX as u64 + 1, 10_000, 123_457] {
            let columns = columns(blocks);
            let found = columns.as_slice();
            assert!(found.len() <= COLUMNS_MAX, "{}", found.len());
            assert_eq!(found.iter().map(|column| column.blocks).sum::<u64>(), blocks);
            let sum: f64 = found.iter().map(|column| column.gas.mean() * column.blocks as f64).sum();
            assert_eq!(sum.round(), (blocks * (blocks - 1) / 2) as f64);
            assert!(found.iter().all(|column| column.rules[0].fuel.mean() == 2.0));
            assert_eq!(
                found.last().map(|column| (column.last, column.gas.most())),
                Some(((1, blocks - 1), blocks as f64 - 1.0))
            );
            let (whole, last) = found.split_at(found.len() - 1);
            assert!(whole.iter().all(|column| column.blocks == columns.width()) && last[0].blocks <= columns.width());
        }
    }
}
