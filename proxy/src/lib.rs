//! The edge proxy: protocols, lookup, policy, upstreams, admin and commands.
