//! The edge proxy: protocols, lookup, policy, upstreams, admin and commands.
//!
//! In the order a request meets them: [`service`] is called by Pingora, [`protocol`] reads the request,
//! [`identity`] and [`frame`] say who asks what, [`lookup`] decides, [`exchange`] answers or asks an
//! [`upstream`] that [`policy`] chose, and [`decisions`] remembers why. [`app`] holds the long-lived parts together.

pub mod admin;
pub mod app;
pub mod cli;
pub mod commands;
pub mod controls;
pub mod decisions;
pub mod error;
pub mod exchange;
pub mod frame;
pub mod identity;
pub mod ids;
pub mod lookup;
pub mod policy;
pub mod protocol;
pub mod service;
pub mod telemetry;
pub mod upstream;
