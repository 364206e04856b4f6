// The page of `pid`: a control loop and its three terms.

import { openPage } from "../shared/page.js";
import { commonControls, scaling } from "../shared/parameters.js";

openPage({
  preset: "demo-pid",
  controls: [
    { title: "Rule", fields: [
      scaling("set_point", "Set point, tasks"),
      scaling("kp", "kp, workers a task"),
      scaling("ki", "ki, workers a task-second"),
      scaling("kd", "kd, workers for a task/s"),
      scaling("max_count", "Most workers"),
      scaling("min_count", "Fewest workers"),
      scaling("metrics_poll_interval_ms", "Interval, ms"),
    ] },
    ...commonControls({ invokes: false }),
  ],
  watch: ["proportional_term", "integral_term", "derivative_term", "control_output", "error"],
  charts: (table) => [
    { title: "The three terms, and what they ask for (workers)", series: [
      { table, name: "proportional_term", label: "proportional", ink: "orange", dash: "dash", format: "workers", step: true },
      { table, name: "integral_term", label: "integral", ink: "blue", format: "workers", step: true },
      { table, name: "derivative_term", label: "derivative", ink: "green", dash: "dot", format: "workers", step: true },
      { table, name: "control_output", label: "sum", ink: "purple", format: "workers", step: true },
      { table, name: "desired_workers", label: "decided", ink: "vermillion", format: "workers", step: true },
    ] },
  ],
});
