//! What theory says, computed without the simulator: closed forms and stationary distributions of Markov chains.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Share of refused requests with `servers` servers and no queue (Erlang B, by its recursion).
pub fn erlang_b(servers: u32, load: f64) -> f64 {
    (1..=servers).fold(1.0, |b, n| load * b / (f64::from(n) + load * b))
}

/// Chance of waiting in M/M/c (Erlang C).
pub fn erlang_c(servers: u32, load: f64) -> f64 {
    let (b, utilization) = (erlang_b(servers, load), load / f64::from(servers));
    b / (1.0 - utilization * (1.0 - b))
}

/// Mean wait in M/M/c with service rate 1.
pub fn mean_wait(servers: u32, load: f64) -> f64 {
    erlang_c(servers, load) / (f64::from(servers) - load)
}

/// Limit of the chance of waiting with `load + beta * sqrt(load)` servers as the load grows (Halfin, Whitt 1981).
pub fn halfin_whitt(beta: f64) -> f64 {
    let normal = 0.5 * libm::erfc(-beta * FRAC_1_SQRT_2);
    let density = libm::exp(-beta * beta / 2.0) / (2.0 * PI).sqrt();
    1.0 / (1.0 + beta * normal / density)
}

/// Mean wait in M/G/1 with mean service 1 and this squared coefficient of variation (Pollaczek, Khinchine).
pub fn pollaczek_khinchine(utilization: f64, squared_cv: f64) -> f64 {
    utilization / (1.0 - utilization) * (1.0 + squared_cv) / 2.0
}

/// Mean sojourn in M/M/1 with service rate 1, an exponential setup and the server off when idle (Welch 1964).
pub fn welch(arrival_rate: f64, setup: f64) -> f64 {
    1.0 / (1.0 - arrival_rate) + setup
}

/// Means of M/M/k with setup.
#[derive(Clone, Copy, Debug)]
pub struct SetupMeans {
    pub sojourn: f64,
    pub in_setup: f64,
    pub on: f64,
}

/// M/M/k with setup (Gandhi et al. 2013), service rate 1: one setup a waiting job, surplus setups cancelled, an idle
/// server off after an exponential time of mean `delayed_off`, at once if that is 0.
pub fn setup(servers: usize, arrival_rate: f64, setup: f64, delayed_off: f64) -> SetupMeans {
    /// No more jobs are let in: far beyond what the chains here reach.
    const MOST_JOBS: usize = 600;
    let phases = servers + 1;
    let state = |jobs: usize, on: usize| jobs * phases + on;
    let setups = |jobs: usize, on: usize| servers.min(jobs).saturating_sub(on);
    let chain = |from: usize, to: &mut dyn FnMut(usize, f64)| {
        let (jobs, on) = (from / phases, from % phases);
        if delayed_off == 0.0 && on > jobs {
            // Never entered; a way out keeps the elimination free of divisions by 0.
            return to(state(jobs, on - 1), 1.0);
        }
        if jobs < MOST_JOBS {
            to(state(jobs + 1, on), arrival_rate);
        }
        if setups(jobs, on) > 0 {
            to(state(jobs, on + 1), setups(jobs, on) as f64 / setup);
        }
        if on > jobs {
            to(state(jobs, on - 1), (on - jobs) as f64 / delayed_off);
        }
        if jobs > 0 && on > 0 {
            let goes_off = delayed_off == 0.0 && on == jobs;
            to(state(jobs - 1, on - usize::from(goes_off)), on.min(jobs) as f64);
        }
    };
    let chances = stationary((MOST_JOBS + 1) * phases, phases + 1, chain);
    let mean = |of: &dyn Fn(usize, usize) -> usize| -> f64 {
        chances.iter().enumerate().map(|(s, p)| p * of(s / phases, s % phases) as f64).sum()
    };
    SetupMeans {
        sojourn: mean(&|jobs, _| jobs) / arrival_rate,
        in_setup: mean(&|jobs, on| setups(jobs, on)),
        on: mean(&|_, on| on),
    }
}

/// Means of a platform that starts an instance for each request that finds none idle.
#[derive(Clone, Copy, Debug)]
pub struct PlatformMeans {
    pub cold: f64,
    pub instances: f64,
    pub running: f64,
}

/// Exponential warm and cold services (s) and an exponential expiry of idle instances.
pub fn per_request(arrival_rate: f64, warm: f64, cold: f64, expiry: f64) -> PlatformMeans {
    /// Far beyond what the chains here reach.
    const MOST: [usize; 3] = [30, 18, 16];
    let [idle_step, warm_step] = [(MOST[1] + 1) * (MOST[2] + 1), MOST[2] + 1];
    let parts = |state: usize| [state / idle_step, state % idle_step / warm_step, state % warm_step];
    let state = |[i, w, c]: [usize; 3]| i * idle_step + w * warm_step + c;
    let chain = |from: usize, to: &mut dyn FnMut(usize, f64)| {
        let [i, w, c] = parts(from);
        let mut go = |n: usize, to_parts: [usize; 3], rate: f64| {
            // What goes beyond the limits does not happen.
            if n > 0 && to_parts.iter().zip(MOST).all(|(part, most)| *part <= most) {
                to(state(to_parts), n as f64 * rate);
            }
        };
        if i > 0 {
            go(1, [i - 1, w + 1, c], arrival_rate);
            go(i, [i - 1, w, c], 1.0 / expiry);
        } else {
            go(1, [0, w, c + 1], arrival_rate);
        }
        go(w, [i + 1, w.wrapping_sub(1), c], 1.0 / warm);
        go(c, [i + 1, w, c.wrapping_sub(1)], 1.0 / cold);
    };
    let chances = stationary((MOST[0] + 1) * idle_step, idle_step, chain);
    let mean = |of: &dyn Fn([usize; 3]) -> usize| -> f64 {
        chances.iter().enumerate().map(|(s, p)| p * of(parts(s)) as f64).sum()
    };
    PlatformMeans {
        cold: mean(&|[i, _, _]| usize::from(i == 0)),
        instances: mean(&|[i, w, c]| i + w + c),
        running: mean(&|[_, w, c]| w + c),
    }
}

/// The stationary distribution of a Markov chain with states 0 to `states` - 1 whose transitions lead at most `band`
/// states away. `chain` names the transitions out of a state with their rates.
///
/// By the algorithm of Grassmann, Taksar and Heyman (1985): it eliminates one state after the other and never
/// subtracts, so it loses no digits.
fn stationary(states: usize, band: usize, chain: impl Fn(usize, &mut dyn FnMut(usize, f64))) -> Vec<f64> {
    let width = 2 * band + 1;
    let mut rates = vec![0.0; states * width];
    let at = |from: usize, to: usize| from * width + to + band - from;
    for from in 0..states {
        chain(from, &mut |to, rate| rates[at(from, to)] += rate);
    }
    for gone in (1..states).rev() {
        let near = gone.saturating_sub(band)..gone;
        let out: f64 = near.clone().map(|to| rates[at(gone, to)]).sum();
        for from in near.clone() {
            let share = rates[at(from, gone)] / out;
            rates[at(from, gone)] = share;
            if share > 0.0 {
                near.clone().for_each(|to| rates[at(from, to)] += share * rates[at(gone, to)]);
            }
        }
    }
    let mut chances = vec![1.0; states];
    for state in 1..states {
        let near = state.saturating_sub(band)..state;
        chances[state] = near.map(|from| chances[from] * rates[at(from, state)]).sum();
    }
    let total: f64 = chances.iter().sum();
    chances.iter().map(|chance| chance / total).collect()
}
