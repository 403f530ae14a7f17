//! Baselines and measurements.
