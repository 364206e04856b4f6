// The page of `peak-rate`: what each number of workers has carried at best.

import { h } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { openPage } from "../shared/page.js";
import { commonControls, scaling } from "../shared/parameters.js";

let shown = "";

openPage({
  preset: "demo-peak-rate",
  controls: [
    { title: "Rule", fields: [
      scaling("scale_down_threshold_pct", "Threshold, %"),
      scaling("max_count", "Most workers"),
      scaling("min_count", "Fewest workers"),
      scaling("scale_up_cooldown_ms", "Cooldown up, ms"),
      scaling("scale_down_cooldown_ms", "Cooldown down, ms"),
      scaling("metrics_poll_interval_ms", "Check interval, ms"),
    ] },
    ...commonControls({ invokes: false }),
  ],
  watch: ["dispatch_rate", "peak_rate", "threshold_rate"],
  charts: (table) => [
    { title: "The rate, and below which a worker leaves", series: [
      { table, name: (t, row) => t.columns[t.names.lastIndexOf("dispatch_rate")][row], label: "taken, as polled", ink: "green", format: "rate", step: true },
      { table, name: "peak_rate", label: "peak of one fewer", ink: "grey", dash: "dot", format: "rate", step: true },
      { table, name: "threshold_rate", label: "threshold", ink: "vermillion", dash: "dash", format: "rate", step: true },
    ] },
  ],
  panel(root, group) {
    const current = group.state.worker_count ?? 0;
    const key = JSON.stringify([group.peaks, current]);
    if (key === shown) return;
    shown = key;
    const rows = group.peaks.map(([workers, rate]) =>
      h(`tr${workers === current ? ".current" : ""}`, {}, h("th", { scope: "row" }, number(workers)), h("td", {}, `${number(rate)}/s`)));
    root.replaceChildren(h("h3", {}, "Peak rates by number of workers"),
      h("div.scroll.peaks", { tabindex: "0", role: "region", "aria-label": "Peak rates" },
        h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "workers"), h("th", { scope: "col" }, "carried at best"))),
          h("tbody", {}, rows.length ? rows : h("tr", {}, h("td", { colspan: "2" }, "nothing seen yet"))))));
  },
});
