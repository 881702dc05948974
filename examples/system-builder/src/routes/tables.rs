//! Footprints as tables.

use efootprint::footprint::{Footprint, OverTime};
use efootprint::printable;
use std::io::Write;

pub(super) fn objects_csv(footprint: &Footprint, out: &mut dyn Write) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    let columns = [
        "id",
        "name",
        "class",
        "category",
        "manufacturing_kg",
        "use_kg",
    ];
    table.write_record(columns)?;
    for object in &footprint.objects {
        table.serialize((
            cell(&object.id),
            cell(&object.name),
            object.class,
            object.category,
            object.manufacturing,
            object.r#use,
        ))?;
    }
    Ok(table.flush()?)
}

/// A text that no spreadsheet takes for a formula, and no terminal for more than text.
fn cell(text: &str) -> String {
    let text = printable(text);
    match text.trim_start().starts_with(['=', '+', '-', '@']) {
        true => format!("'{text}"),
        false => text.into_owned(),
    }
}

pub(super) fn series_csv(over_time: &OverTime, out: &mut dyn Write) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    let columns = over_time.series.iter();
    let columns = columns.map(|column| format!("{:?} {:?} kg", column.category, column.phase));
    table.write_record(std::iter::once("start_utc".to_owned()).chain(columns))?;
    for (row, start) in over_time.starts.iter().enumerate() {
        let values = over_time
            .series
            .iter()
            .map(|column| column.values[row].to_string());
        table.write_record(std::iter::once(start.clone()).chain(values))?;
    }
    Ok(table.flush()?)
}
