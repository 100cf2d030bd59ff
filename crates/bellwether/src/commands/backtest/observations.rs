//! The monthly observations of a backtest as CSV, for notebooks.

use std::io;
use std::path::Path;

use bellwether_backtest::evaluate::Observations;
use bellwether_backtest::months::name_of;
use bellwether_backtest::observe::ObservedCustomer;

/// Writes customer, month, health and whether it churned within the horizon.
pub fn write(observations: &Observations, customers: &[ObservedCustomer], path: &Path) -> io::Result<()> {
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record(["customer", "month", "segment", "health", "churned"])?;
    for row in &observations.rows {
        let customer = &customers[row.customer as usize];
        let (health, churned) = (f64::from(row.health_tenths) / 10.0, u8::from(row.is_positive()));
        let segment = customer.segment.as_deref().unwrap_or_default();
        writer.write_record([&*customer.id, &name_of(row.month), segment, &health.to_string(), &churned.to_string()])?;
    }
    writer.flush()
}
