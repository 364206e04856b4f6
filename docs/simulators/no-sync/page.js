// The page of `no-sync`: one more worker for every task that found none waiting.

import { openPage } from "../shared/page.js";
import { commonControls, scaling } from "../shared/parameters.js";

openPage({
  preset: "demo-no-sync",
  presets: ["quick-start", "lambda-burst", "bulk-enqueue", "lambda-light", "outage", "overload", "rate-limited"],
  controls: [
    { title: "Rule", fields: [
      scaling("scale_up_cooloff_ms", "Creation throttle (cooldown), ms"),
      scaling("metrics_poll_interval_ms", "Check interval, ms"),
      scaling("scale_up_backlog_threshold", "Backlog threshold"),
      scaling("scale_up_dispatch_rate_epsilon", "Precision (epsilon)"),
      scaling("max_worker_lifetime_ms", "Refresh after, ms"),
    ] },
    ...commonControls({ invokes: true }),
  ],
});
