//! Numbers and tables that are pleasant to read.

/// A number with three significant digits, or all of its integer part in groups of three.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 99.95 {
        grouped(&format!("{value:.0}"))
    } else if size >= 9.995 {
        format!("{value:.1}")
    } else if size >= 0.005 {
        format!("{value:.2}")
    } else {
        "0".into()
    }
}

/// A whole number, its digits in groups of three.
pub fn count(value: f64) -> String {
    grouped(&format!("{value:.0}"))
}

/// How many times better one figure is than another, such as `12.3×`.
pub fn gain(times: f64) -> String {
    if times.is_finite() {
        format!("{}×", number(times))
    } else {
        "–".into()
    }
}

/// Nanoseconds in a unit that fits.
pub fn nanoseconds(ns: f64) -> String {
    let (value, unit) = match ns {
        ns if ns >= 1e9 => (ns / 1e9, "s"),
        ns if ns >= 1e6 => (ns / 1e6, "ms"),
        ns if ns >= 1e3 => (ns / 1e3, "µs"),
        ns => (ns, "ns"),
    };
    format!("{} {unit}", number(value))
}

/// Puts a comma before every third digit of an integer.
fn grouped(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let mut text = String::from(sign);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A table whose first column is text and whose other columns are figures, lined up on the right.
#[derive(Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Adds a row; all rows have the same number of cells.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                if column == 0 {
                    line += &format!("  {cell:<width$}", width = widths[0]);
                } else {
                    line += &format!("   {cell:>width$}", width = widths[column]);
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let cases = [
            (0.0, "0"),
            (-0.004, "0"),
            (0.654, "0.65"),
            (7.612, "7.61"),
            (9.996, "10.0"),
            (76.12, "76.1"),
            (99.96, "100"),
            (761.2, "761"),
            (1_234_567.8, "1,234,568"),
            (-1234.0, "-1,234"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(count(6.0), "6");
        assert_eq!(count(1002.0), "1,002");
        assert_eq!(gain(12.34), "12.3×");
        assert_eq!(gain(f64::INFINITY), "–");
    }

    #[test]
    fn times() {
        assert_eq!(nanoseconds(430.0), "430 ns");
        assert_eq!(nanoseconds(7_612.0), "7.61 µs");
        assert_eq!(nanoseconds(11_250_000.0), "11.2 ms");
        assert_eq!(nanoseconds(2e9), "2.00 s");
    }

    #[test]
    fn tables_line_up() {
        let mut table = Table::default();
        table.row(["", "native", "µs"]);
        table.row(["threads", "1,002", "6"]);
        assert_eq!(
            table.to_string(),
            "            native   µs\n  threads    1,002    6\n"
        );
    }
}
