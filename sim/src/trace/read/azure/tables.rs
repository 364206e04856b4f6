//! The three files of Azure Functions 2019.

use super::PERCENTAGES;
use crate::trace::error::Fault;
use crate::trace::read::counts::{Cell, MAX_INTERVALS};
use crate::trace::read::header::{Header, has_rows};
use crate::trace::read::number::count;
use crate::trace::read::parser::Rows;
use crate::trace::read::records::listed;
use crate::trace::read::rows::{Row, RowSink};

/// What identifies a function: its own name is unique within its app only.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FunctionName {
    /// Empty where a file has no such column.
    pub app: String,
    pub function: String,
}

/// Reads a function's name.
struct NameColumns {
    app: Option<usize>,
    function: usize,
}

impl NameColumns {
    fn new(header: &Header) -> Result<Self, Fault> {
        Ok(Self { app: header.find("HashApp"), function: header.column("HashFunction")? })
    }

    fn read(&self, header: &Header, row: &Row<'_>) -> FunctionName {
        FunctionName { app: header.text(row, self.app), function: header.text(row, Some(self.function)) }
    }
}

/// invocations.csv: one column a minute.
#[derive(Default)]
pub(crate) struct InvocationRows {
    columns: Option<(Header, NameColumns)>,
    /// Minute and column, in order of the minutes.
    minutes: Vec<(u32, usize)>,
    functions: Vec<FunctionName>,
    cells: Vec<Cell>,
}

impl InvocationRows {
    /// The first and the last minute.
    pub(crate) fn minutes(&self) -> Option<(u32, u32)> {
        Some((self.minutes.first()?.0, self.minutes.last()?.0))
    }

    /// The functions and the cells that are not 0.
    pub(crate) fn into_parts(self) -> (Vec<FunctionName>, Vec<Cell>) {
        (self.functions, self.cells)
    }

    fn begin(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let header = Header::new(row);
        let named = header.names.iter().enumerate();
        self.minutes = named.filter_map(|(column, name)| Some((minute(name)?, column))).collect();
        self.minutes.sort_unstable();
        if self.minutes.is_empty() {
            return Err(Fault::new(listed(&header.names), "columns of minutes (480, 1_minute or minute_1)"));
        }
        if let Some(twice) = self.minutes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Fault::new(format!("two columns of minute {}", twice[0].0), "one column a minute"));
        }
        let names = NameColumns::new(&header)?;
        self.columns = Some((header, names));
        Ok(())
    }
}

impl RowSink for InvocationRows {
    fn row(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let Some((header, names)) = &self.columns else { return self.begin(row) };
        header.check_width(row)?;
        let (begin, index, first) = (self.cells.len(), self.functions.len() as u32, self.minutes[0].0);
        for &(minute, column) in &self.minutes {
            match count(row.cell(column)) {
                Ok(0) => {}
                Ok(count) => self.cells.push(Cell::new(minute - first, index, count)),
                Err(fault) => {
                    self.cells.truncate(begin);
                    return Err(fault.at_column(&header.names[column]));
                }
            }
        }
        self.functions.push(names.read(header, row));
        Ok(())
    }
}

impl Rows for InvocationRows {
    fn end(&mut self, _skipped: u64) -> Result<(), Fault> {
        has_rows(self.columns.is_some(), self.functions.len())
    }
}

/// The minute a column stands for: `480`, `1_minute` or `minute_1`.
fn minute(name: &str) -> Option<u32> {
    let digits = name.strip_suffix("_minute").or_else(|| name.strip_prefix("minute_")).unwrap_or(name);
    digits.parse().ok().filter(|minute| *minute < MAX_INTERVALS)
}

/// durations.csv: milliseconds.
#[derive(Default)]
pub(crate) struct DurationRows {
    columns: Option<DurationColumns>,
    pub rows: Vec<Durations>,
}

/// The durations of one function.
#[derive(Clone, Debug)]
pub(crate) struct Durations {
    pub name: FunctionName,
    /// Of the whole day.
    pub count: f64,
    pub average: f64,
    pub percentiles: [f64; 7],
}

struct DurationColumns {
    header: Header,
    name: NameColumns,
    count: usize,
    average: usize,
    percentiles: [usize; 7],
}

impl DurationColumns {
    fn new(row: &Row<'_>) -> Result<Self, Fault> {
        let header = Header::new(row);
        let mut percentiles = [0; 7];
        for (column, percentage) in percentiles.iter_mut().zip(PERCENTAGES) {
            *column = header.column(&format!("percentile_Average_{percentage}"))?;
        }
        let (count, average) = (header.column("Count")?, header.column("Average")?);
        Ok(Self { name: NameColumns::new(&header)?, count, average, percentiles, header })
    }

    fn read(&self, row: &Row<'_>) -> Result<Durations, Fault> {
        self.header.check_width(row)?;
        let number = |column| self.header.not_negative(row, column);
        let mut percentiles = [0.0; 7];
        for (i, &column) in self.percentiles.iter().enumerate() {
            percentiles[i] = number(column)?;
            if i > 0 && percentiles[i] < percentiles[i - 1] {
                let expected = format!("at least the percentile before, {}", percentiles[i - 1]);
                return Err(Fault::bad_cell(row.cell(column), expected).at_column(&self.header.names[column]));
            }
        }
        let name = self.name.read(&self.header, row);
        Ok(Durations { name, count: number(self.count)?, average: number(self.average)?, percentiles })
    }
}

impl RowSink for DurationRows {
    fn row(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        match &self.columns {
            Some(columns) => self.rows.push(columns.read(row)?),
            None => self.columns = Some(DurationColumns::new(row)?),
        }
        Ok(())
    }
}

impl Rows for DurationRows {
    fn end(&mut self, _skipped: u64) -> Result<(), Fault> {
        has_rows(self.columns.is_some(), self.rows.len())?;
        if self.rows.iter().any(|row| row.count > 0.0) {
            return Ok(());
        }
        Err(Fault::new("only counts of 0", "a function that ran").at_column("Count"))
    }
}

/// memory.csv: only its mean is reported.
#[derive(Default)]
pub(crate) struct MemoryRows {
    columns: Option<(Header, usize)>,
    rows: usize,
    sum_mb: f64,
}

impl MemoryRows {
    /// What a run says about it.
    pub(crate) fn note(&self) -> Option<String> {
        let mean = self.sum_mb / self.rows as f64;
        (self.rows > 0).then(|| format!("allocated memory: {mean:.0} MB, the mean of {} rows", self.rows))
    }
}

impl RowSink for MemoryRows {
    fn row(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let Some((header, column)) = &self.columns else {
            let header = Header::new(row);
            let column = header.column("AverageAllocatedMb")?;
            self.columns = Some((header, column));
            return Ok(());
        };
        header.check_width(row)?;
        self.sum_mb += header.not_negative(row, *column)?;
        self.rows += 1;
        Ok(())
    }
}

impl Rows for MemoryRows {
    fn end(&mut self, _skipped: u64) -> Result<(), Fault> {
        has_rows(self.columns.is_some(), self.rows)
    }
}
