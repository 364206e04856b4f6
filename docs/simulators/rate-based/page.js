// The page of `rate-based`: planned against ready workers, the averages, and the two staffing candidates.

import { openPage } from "../shared/page.js";
import { commonControls, scaling } from "../shared/parameters.js";

openPage({
  preset: "demo-rate-based",
  presets: ["ecs-batch", "k8s-day"],
  watch: ["arrival_rate", "ewma_arrival_rate", "ewma_dispatch_rate", "utilization_workers", "halfin_whitt_workers", "capacity"],
  controls: [
    { title: "Rule", fields: [
      scaling("metrics_poll_interval_ms", "Check interval, ms"),
      scaling("max_count", "Most workers"),
      scaling("min_count", "Fewest workers"),
      scaling("ewma_alpha", "Weight of the newest sample"),
      scaling("utilization_target", "Target utilisation"),
      scaling("halfin_whitt_beta", "Safety (beta)"),
      scaling("target_backlog_drain_rate", "Drain a backlog at, tasks/s"),
      scaling("initial_per_consumer_capacity", "A worker carries at first, tasks/s"),
      scaling("material_backlog_threshold", "Backlog that counts"),
      scaling("max_scale_up_step", "Most workers a step up"),
      scaling("scale_up_cooldown_ms", "Cooldown up, ms"),
      scaling("scale_down_cooldown_ms", "Cooldown down, ms"),
      scaling("no_sync_quiet_ms", "Quiet before down, ms"),
    ] },
    ...commonControls({ invokes: false }),
  ],
  charts: (table) => [
    { title: "Planned, ready, and the two candidates", series: [
      { table, name: "desired_workers", label: "planned", ink: "purple", format: "workers", step: true },
      { table, name: "ready", label: "ready", ink: "blue", format: "workers", step: true },
      { table, name: "utilization_workers", label: "by utilisation", ink: "orange", dash: "dash", format: "workers", step: true },
      { table, name: "halfin_whitt_workers", label: "by Halfin–Whitt", ink: "green", dash: "dot", format: "workers", step: true },
    ] },
    { title: "What the rule averages (tasks a second)", series: [
      { table, name: (t, row) => t.columns[t.names.lastIndexOf("arrival_rate")][row], label: "arriving, as polled", ink: "grey", dash: "dot", format: "rate", step: true },
      { table, name: "ewma_arrival_rate", label: "arriving, averaged", ink: "purple", format: "rate", step: true },
      { table, name: "ewma_dispatch_rate", label: "taken, averaged", ink: "green", dash: "dash", format: "rate", step: true },
      { table, name: "capacity", label: "a worker carries", ink: "blue", format: "rate", step: true },
    ] },
  ],
});
