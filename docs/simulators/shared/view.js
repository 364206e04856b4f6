// What is true right now: numbers, workers with their slots, and the log of decisions.

import { ink } from "./charts.js";
import { h, setText } from "./dom.js";
import { clock, duration, money, number, percent } from "./format.js";

const TILES = [
  ["backlog", "Backlog", (v) => number(v.backlog), (v) => `oldest ${duration(v.backlog_age_ms)}`],
  ["workers", "Workers", (v) => number(v.starting + v.ready + v.draining), (v) => `${number(v.starting)} starting, ${number(v.ready)} ready, ${number(v.draining)} draining`],
  ["slots", "Slots in use", (v) => percent(v.slots ? v.busy_slots / v.slots : Number.NaN), (v) => `${number(v.busy_slots)} of ${number(v.slots)}`],
  ["rates", "Arriving", (v) => `${number(v.arrival_rate)}/s`, (v) => `taken ${number(v.dispatch_rate)}/s`],
  ["waits", "Schedule-to-start p95", (v) => duration(v.p95_ms), (v) => `p50 ${duration(v.p50_ms)}, p99 ${duration(v.p99_ms)}`],
  ["cost", "Cost so far", (v) => money(v.cost_usd), () => "as it accrues"],
];

// The numbers.
export class Tiles {
  constructor(root, names = TILES.map(([key]) => key)) {
    this.tiles = TILES.filter(([key]) => names.includes(key)).map(([key, name, value, more]) => {
      const [big, small] = [h("dd"), h("dd.more")];
      root.append(h("div.tile", { "data-tile": key }, h("dt", {}, name), big, small));
      return { big, small, value, more };
    });
  }

  show(levels) {
    for (const { big, small, value, more } of this.tiles) {
      setText(big, value(levels));
      setText(small, more(levels));
    }
  }
}

const STATES = ["starting", "ready", "draining"];

// Each worker a box with its slots: full ones are busy. Starting ones are outlined with dashes, draining ones crossed.
export class Workers {
  constructor(root) {
    this.canvas = h("canvas", { role: "img" });
    this.none = h("p.none", {}, "No workers.");
    root.append(this.canvas, this.none);
    this.box = root;
    this.key = "";
  }

  show(workers) {
    const width = this.box.clientWidth;
    const key = `${width} ${workers.join(" ")} ${devicePixelRatio} ${ink("blue")}`;
    if (key === this.key) return;
    this.key = key;
    this.none.hidden = workers.length > 0;
    const counts = STATES.map((name, state) => `${workers.filter((worker) => worker[1] === state).length} ${name}`);
    this.canvas.setAttribute("aria-label", `Workers: ${counts.join(", ")}`);
    this.#draw(workers, width, this.box.clientHeight);
  }

  #draw(workers, width, height) {
    const ratio = devicePixelRatio || 1;
    const { canvas } = this;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    const layout = fit(workers, width, height);
    workers.forEach(([, state, running, slots], i) => {
      const x = (i % layout.perRow) * layout.width + 1;
      const y = Math.floor(i / layout.perRow) * layout.height + 1;
      drawWorker(ctx, x, y, layout, state, running, slots);
    });
  }
}

// The largest cells with which all workers fit.
function fit(workers, width, height) {
  const slots = Math.max(1, ...workers.map((worker) => worker[3]));
  const rows = Math.max(1, Math.round(Math.sqrt(slots / 4)));
  const columns = Math.ceil(slots / rows);
  for (let cell = 12; ; cell -= 1) {
    const box = { cell, columns, width: columns * cell + 10, height: rows * cell + 10 };
    box.perRow = Math.max(1, Math.floor(width / box.width));
    if (cell <= 2 || Math.ceil(workers.length / box.perRow) * box.height <= height) return box;
  }
}

function drawWorker(ctx, x, y, { cell, columns, width, height }, state, running, slots) {
  const color = [ink("orange"), ink("blue"), ink("grey")][state];
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.5;
  ctx.setLineDash(state === 0 ? [3, 3] : []);
  ctx.strokeRect(x + 0.5, y + 0.5, width - 5, height - 5);
  ctx.setLineDash([]);
  for (let slot = 0; slot < slots; slot++) {
    const left = x + 3 + (slot % columns) * cell;
    const top = y + 3 + Math.floor(slot / columns) * cell;
    const size = Math.max(1, cell - 2);
    if (slot < running) {
      ctx.fillStyle = color;
      ctx.fillRect(left, top, size, size);
    } else if (cell > 4) {
      ctx.lineWidth = 0.75;
      ctx.strokeRect(left + 0.5, top + 0.5, size - 1, size - 1);
    }
  }
  if (state === 2) {
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.moveTo(x + 0.5, y + height - 4.5);
    ctx.lineTo(x + width - 4.5, y + 0.5);
    ctx.stroke();
  }
}

// Why it did what it did.
export class DecisionLog {
  constructor(root, onJump) {
    this.onJump = onJump;
    this.list = h("ol.decisions", { tabindex: "0", "aria-label": "Decisions, newest first" });
    this.count = h("p.soft");
    this.onlyActed = h("input", { type: "checkbox", onchange: () => this.#render() });
    this.counts = h("ul.counts");
    root.append(
      h("div.row", {}, this.count, h("label.check", {}, this.onlyActed, " only those that acted")),
      this.list,
      h("details", {}, h("summary", {}, "How often each kind spoke"), this.counts),
    );
    this.log = { total: 0, lines: [], counts: [] };
  }

  show(log, wholeMs) {
    this.log = log;
    this.wholeMs = wholeMs;
    this.#render();
  }

  #render() {
    const { lines, total, counts } = this.log;
    const shown = this.onlyActed.checked ? lines.filter((line) => line.acted) : lines;
    const more = total > lines.length ? `; listed are the first, the last and the most telling ${lines.length}` : "";
    setText(this.count, `${number(total)} decisions${more}`);
    this.list.replaceChildren(...shown.toReversed().map((line) => this.#line(line)));
    this.counts.replaceChildren(...counts.map((one) => h("li", {}, h("strong", {}, `${number(one.count)}×`), ` ${one.acted ? "acted" : "did nothing"}: ${one.text}`)));
  }

  #line(line) {
    const arrow = line.acted ? { up: "▲", down: "▼", set: "■" }[line.direction] : "·";
    return h(`li.${line.acted ? line.direction : "none"}`, {},
      h("button", { type: "button", onclick: () => this.onJump(line), title: "Show this moment in the charts" },
        h("span.when", {}, clock(line.t_ms, this.wholeMs, 1)),
        h("span.arrow", { "aria-hidden": "true" }, arrow),
        h("span.what", {}, line.outcome),
        h("span.why", {}, line.why)));
  }
}
