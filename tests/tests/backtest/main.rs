//! Backtests against independent computations, and their HTML in a browser.

mod browser;
mod figures;
mod support;
