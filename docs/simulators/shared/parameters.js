// The parameters that pages share. A path's {group}, {workload} and {queue} are those of the scenario that is shown.
// Limits, defaults and help come out of the WebAssembly; here stands only what a label says and how a hand changes it.

// A setting of the group's rule.
export function scaling(key, label) {
  return {
    path: `spec.scaling_group_specs.{group}.scaling.config.${key}`,
    label,
    live: (text, { group }) => ({ scaling: { group, config: { [key]: Number(text) } } }),
  };
}

const fromStart = (path, label) => ({ path, label, isFromStart: true });

function service(key, label) {
  return {
    path: `workload.{workload}.service.${key}`,
    label,
    // All of the times, with this one changed.
    live: (text, { workload }, scenario, controls) => {
      const times = { ...scenario.workload[0].service };
      for (const name of Object.keys(times)) {
        const input = controls.fields.get(`workload.${workload}.service.${name}`)?.input;
        if (input) times[name] = typeof times[name] === "number" ? Number(input.value) : input.value;
      }
      return { service: { workload, times } };
    },
  };
}

export function commonControls({ invokes }) {
  return [
    { title: "Work", fields: [
      {
        path: "workload.{workload}.arrival.rate",
        label: "Arrival rate, tasks/s",
        live: (text, { workload }) => ({ arrival_rate: { workload, rate: Number(text) } }),
      },
      service("min", "Work takes at least"),
      service("max", "Work takes at most"),
      service("median", "Work, median"),
      service("p99", "Work, 99th percentile"),
      service("mean", "Work, mean"),
      fromStart("task_queue.{queue}.max_dispatch_rate", "Maximum dispatch rate, tasks/s"),
    ] },
    { title: "Workers", fields: [
      fromStart("group.{group}.worker.slots", "Slots a worker"),
      fromStart("group.{group}.worker.cold_start", "Cold start"),
      fromStart("group.{group}.worker.lifetime", "Lifespan of a worker"),
      fromStart("group.{group}.provider.failure_probability", "Chance that a start fails, 0 to 1"),
      ...(invokes ? [fromStart("group.{group}.provider.concurrency", "Most workers (concurrency)")] : []),
    ] },
  ];
}
