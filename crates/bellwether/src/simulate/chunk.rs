//! Some of the customers, lived through day by day: memory holds them, one day of events, and what is still on its way.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use super::calendar::{Day, day_at};
use super::customer::Customer;
use super::delivery::{Delivery, deliver};
use super::world::{Costs, World};

/// Lives through the log with customers of these numbers, and hands over what arrives in the order of the log. `costs` are those of the
/// company, which come with one chunk.
pub fn live_through(
    numbers: Range<u32>,
    mut costs: Option<Costs>,
    world: &World,
    put: &mut dyn FnMut(&Delivery) -> io::Result<()>,
) -> io::Result<Vec<Customer>> {
    let mut customers: Vec<Customer> = numbers.map(|number| Customer::draw(number, world)).collect();
    let mut on_the_way: BTreeMap<Day, Vec<Delivery>> = BTreeMap::new();
    let mut happened = Vec::new();
    let mut deliveries = Vec::new();
    for today in world.first_day..world.log_end {
        let mut arrivals = on_the_way.remove(&today).unwrap_or_default();
        let mut send = |deliveries: &mut Vec<Delivery>| {
            for delivery in deliveries.drain(..) {
                match day_at(delivery.arrival) {
                    day if day == today => arrivals.push(delivery),
                    day => on_the_way.entry(day).or_default().push(delivery),
                }
            }
        };
        if let Some(costs) = &mut costs {
            costs.live(today, world, &mut happened);
            deliveries.extend(happened.drain(..).map(|event| Delivery { arrival: event.time, event, copy: 0 }));
            send(&mut deliveries);
        }
        for customer in &mut customers {
            customer.live(today, world, &mut happened);
            for event in happened.drain(..) {
                deliver(event, world, &mut customer.delivery, &mut deliveries);
            }
            send(&mut deliveries);
        }
        arrivals.sort_unstable_by_key(Delivery::key);
        arrivals.iter().try_for_each(&mut *put)?;
    }
    Ok(customers)
}
