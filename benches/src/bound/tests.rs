use std::sync::LazyLock;

use super::*;

/// Streams that a release build runs through in some seconds.
const OPTIONS: Options = Options {
    max_wrong: 0.02,
    seeds: 200,
    requests: 4_000,
    entries: 100,
};

/// Every world is run once for all tests.
static REPORT: LazyLock<Report> = LazyLock::new(|| run(&OPTIONS));

#[test]
fn the_bound_holds_in_every_world_with_95_percent_confidence() {
    for world in &REPORT.worlds {
        assert!(world.interval.1 <= OPTIONS.max_wrong, "{world:?}");
    }
}

#[test]
fn it_holds_in_nearly_every_single_stream_of_a_world_whose_prior_is_right() {
    for world in [World::Calibrated, World::BadEntries] {
        let summary = REPORT
            .worlds
            .iter()
            .find(|found| found.world == world.as_str());
        assert!(
            summary.is_some_and(|found| found.seeds_within >= 0.95),
            "{summary:?}"
        );
    }
}

#[test]
fn it_serves_more_than_the_best_static_threshold_of_the_same_error() {
    for world in &REPORT.worlds {
        assert!(world.hit_rate > world.static_hit_rate_at_same, "{world:?}");
    }
}

#[test]
fn a_seed_gives_the_same_stream_and_the_same_decisions() {
    let once = simulate(World::BadEntries, &OPTIONS, 7);
    assert_eq!(once, simulate(World::BadEntries, &OPTIONS, 7));
    assert_ne!(once, simulate(World::BadEntries, &OPTIONS, 8));
}

#[test]
fn the_best_static_threshold_is_the_most_generous_one_allowed() {
    let truth = [
        (3.0, true),
        (2.0, true),
        (1.0, false),
        (0.5, true),
        (0.1, false),
    ];
    assert_eq!(best_static(&truth, 0.0), 2);
    assert_eq!(best_static(&truth, 0.25), 4);
    assert_eq!(best_static(&truth, 0.4), 5);
    assert_eq!(best_static(&[], 0.4), 0);
}
