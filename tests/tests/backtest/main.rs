//! Backtests against independent computations, and their HTML in a browser; models against those of scikit-learn.

mod browser;
mod figures;
mod fit;
mod leakage;
mod rows;
mod samples;
mod shares;
mod support;
mod whole;
