//! Numbers and tables for people: the same for the terminal and for the documents.

/// A rate, with three significant digits and a unit prefix.
pub(crate) fn rate(value: f64) -> String {
    let (value, unit) = match value {
        value if value >= 1e6 => (value / 1e6, " M"),
        value if value >= 1e3 => (value / 1e3, " k"),
        value => (value, ""),
    };
    format!("{}{unit}", digits(value))
}

/// Three significant digits, never in scientific notation.
pub(crate) fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 0.095 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

/// A Markdown table with aligned columns: the first to the left, all others to the right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells
            .chain([head[column].chars().count(), 3])
            .max()
            .unwrap_or(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::from("|");
        for (column, (cell, width)) in cells.zip(&widths).enumerate() {
            let cell = if column == 0 {
                format!(" {cell:<width$} |")
            } else {
                format!(" {cell:>width$} |")
            };
            line.push_str(&cell);
        }
        line.push('\n');
        line
    };
    let rule = widths.iter().enumerate().map(|(column, width)| {
        if column == 0 {
            format!("{:-<width$}", "")
        } else {
            format!("{:->width$}", ":")
        }
    });
    let rule: Vec<String> = rule.collect();
    let mut text = line(&mut head.iter().copied());
    text.push_str(&line(&mut rule.iter().map(String::as_str)));
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_kept_at_every_size() {
        let values = [0.0123, 0.0987, 1.234, 12.34, 123.4, 1234.0];
        assert_eq!(
            values.map(digits),
            ["0.012", "0.10", "1.23", "12.3", "123", "1234"]
        );
        assert_eq!(
            [999.0, 45_123.0, 1_680_000.0].map(rate),
            ["999", "45.1 k", "1.68 M"]
        );
    }

    #[test]
    fn columns_of_a_table_line_up() {
        let text = table(
            &["peer", "µs"],
            &[
                vec!["tonic".into(), "11.5".into()],
                vec!["tcp".into(), "1".into()],
            ],
        );

        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "| peer  |   µs |",
                "| ----- | ---: |",
                "| tonic | 11.5 |",
                "| tcp   |    1 |"
            ]
        );
    }
}
