// The page of `backlog`: up while work waits, down when none did for a while.

import { openPage } from "../shared/page.js";
import { commonControls, scaling } from "../shared/parameters.js";

openPage({
  preset: "demo-backlog",
  presets: ["on-off"],
  controls: [
    { title: "Rule", fields: [
      scaling("max_count", "Most workers"),
      scaling("min_count", "Fewest workers"),
      scaling("scale_up_cooldown_ms", "Cooldown up, ms"),
      scaling("scale_down_cooldown_ms", "Cooldown down, ms"),
      scaling("empty_backlog_ms", "Empty before down, ms"),
      scaling("metrics_poll_interval_ms", "Check interval, ms"),
    ] },
    ...commonControls({ invokes: false }),
  ],
  watch: ["empty_ms", "empty_backlog_ms"],
  charts: (table) => [
    { title: "Time without a backlog, and how much is enough", series: [
      { table, name: "empty_ms", label: "empty for", ink: "green", format: "ms", step: true },
      { table, name: "empty_backlog_ms", label: "enough", ink: "grey", dash: "dash", format: "ms", step: true },
    ] },
  ],
});
