//! A seeded stream of goals: popularity by Zipf's law, drifting.

/// The stream of requests.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Different goals that are popular at one moment.
    pub goals: usize,
    /// Requests in all.
    pub requests: usize,
    /// Exponent of Zipf's law: the goal of rank r is asked in proportion to r to the minus this.
    pub exponent: f64,
    /// Requests after which the most popular goal falls to the end and all others move up by one; 0 for never.
    pub drift: u64,
    /// How many times as much as the cheapest the dearest goal costs; 1 for equal costs.
    pub cost_spread: f64,
    /// What the draws follow from.
    pub seed: u64,
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) goal: u64,
    /// What the upstream takes for it, in millionths of a dollar: 20 and more, most of them little.
    pub(super) micro_usd: u64,
}

impl Trace {
    pub(super) fn calls(&self) -> impl Iterator<Item = Call> {
        let mut sum = 0.0;
        let upto: Vec<f64> = (1..=self.goals)
            .map(|rank| {
                sum += (rank as f64).powf(-self.exponent);
                sum
            })
            .collect();
        let (goals, drift, spread) = (self.goals as u64, self.drift, self.cost_spread);
        let mut state = self.seed;
        (0..self.requests as u64).map(move |request| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let draw = unit(mix(state)) * sum;
            let rank = upto.partition_point(|upto| *upto < draw) as u64;
            let goal = (rank + request.checked_div(drift).unwrap_or(0)) % goals;
            // Log-uniform.
            let micro_usd = 20.0 * spread.powf(unit(mix(goal ^ 0x5EED)));
            Call {
                goal,
                micro_usd: micro_usd as u64,
            }
        })
    }
}

/// Uniform in [0, 1).
fn unit(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// The finaliser of splitmix64 (Steele, Lea and Flood, 2014).
pub(super) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
