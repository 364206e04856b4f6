// Charts over simulated time. Points are thinned to pixel columns (the smallest and the largest of each) before uPlot
// draws them, so that a chart costs the same however long the run is.

import { clock, duration, number } from "./format.js";
import { h, uniqueId } from "./dom.js";

// The library comes minified, as a script of its own that has run before this module: half the size of its module.
const { uPlot } = globalThis;

// Colours that eyes of every kind tell apart (Okabe and Ito, 2008), on light and on dark.
const INKS = {
  blue: ["#0072b2", "#4db1ea"],
  orange: ["#b87600", "#f0b030"],
  green: ["#00805d", "#2fc79a"],
  vermillion: ["#c25000", "#ff8a4d"],
  purple: ["#a8558a", "#e298c3"],
  sky: ["#2f8fc7", "#8fd0f5"],
  grey: ["#6b747e", "#98a2ad"],
};
const DASHES = { solid: undefined, dash: [8, 4], dot: [2, 3] };

const isDark = matchMedia("(prefers-color-scheme: dark)");
export const ink = (name) => INKS[name][isDark.matches ? 1 : 0];

// Numbers of a run by column: rows are appended and never change, until all are taken anew.
export class Table {
  constructor(names) {
    this.names = names;
    this.clear();
  }

  clear() {
    this.length = 0;
    this.columns = this.names.map(() => new Float64Array(1024));
    this.version = (this.version ?? 0) + 1;
  }

  append(flat) {
    const width = this.names.length;
    const rows = flat.length / width;
    if (rows === 0) return;
    const needed = this.length + rows;
    if (needed > this.columns[0].length) {
      const size = Math.max(needed, 2 * this.columns[0].length);
      this.columns = this.columns.map((old) => {
        const grown = new Float64Array(size);
        grown.set(old);
        return grown;
      });
    }
    for (let c = 0; c < width; c++) {
      const column = this.columns[c];
      for (let r = 0; r < rows; r++) column[this.length + r] = flat[r * width + c];
    }
    this.length = needed;
    this.version++;
  }

  column(name) {
    return this.columns[this.names.indexOf(name)];
  }

  // The first row at or after a time.
  from(seconds) {
    const time = this.columns[0];
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (time[middle] < seconds) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

// The rows of a stretch of time, thinned: [times, ...series], NaN turned to null (a gap).
export function thin(table, names, [least, most], columns) {
  const first = Math.max(0, table.from(least) - 1);
  const last = Math.min(table.length, table.from(most) + 1);
  const count = last - first;
  const time = table.columns[0];
  const sources = names.map((name) => (typeof name === "function" ? name : table.column(name)));
  const value = (source, row) => (typeof source === "function" ? source(table, row) : source[row]);
  if (count <= 2 * columns) {
    const rows = Array.from({ length: Math.max(0, count) }, (_, i) => first + i);
    return [rows.map((row) => time[row]), ...sources.map((source) => rows.map((row) => orGap(value(source, row))))];
  }
  const out = [[], ...names.map(() => [])];
  const span = (time[last - 1] - time[first]) / columns;
  for (let from = first; from < last; ) {
    let to = from;
    const end = time[from] + span;
    while (to < last && time[to] < end) to++;
    if (to === from) to++;
    out[0].push(time[from], time[to - 1]);
    for (let s = 0; s < sources.length; s++) pushExtremes(out[s + 1], (row) => value(sources[s], row), from, to);
    from = to;
  }
  return out;
}

// Both extremes, in the order in which they came.
function pushExtremes(out, value, from, to) {
  let low = from;
  let high = from;
  for (let row = from; row < to; row++) {
    const x = value(row);
    if (!(x >= value(low))) low = x < value(low) || Number.isNaN(value(low)) ? row : low;
    if (!(x <= value(high))) high = x > value(high) || Number.isNaN(value(high)) ? row : high;
  }
  out.push(orGap(value(Math.min(low, high))), orGap(value(Math.max(low, high))));
}

const orGap = (x) => (Number.isFinite(x) ? x : null);

// Steps of the time axis, in seconds.
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000];
// An axis goes at least up to 1, where 1 is a little: a dollar is not.
const LEAST_TOP = { usd: 0.0001 };
// Waits on a logarithmic axis: what is less than a millisecond lies at its foot.
const FOOT = 1;

const FORMATS = { count: number, workers: number, rate: (x) => `${number(x)}/s`, ms: duration, usd: (x) => `$${number(x)}` };

// One chart: { title, series: [{ table, name, label, ink, dash, format, step, fill }], log, height, markers }.
// All series of a chart come from the same table of a run, or from one table for each run.
export class Chart {
  constructor(root, spec, group) {
    this.spec = spec;
    this.group = group;
    this.box = h("div.plot");
    this.legend = h("ul.legend");
    this.root = h("figure.chart", { "aria-label": spec.title }, h("figcaption", {}, h("span.name", {}, spec.title), this.legend), this.box);
    root.append(this.root);
    this.#legend();
    this.drawn = "";
    isDark.addEventListener("change", () => this.#build());
    new ResizeObserver(() => this.#resize()).observe(this.box);
    this.#build();
  }

  #legend() {
    this.values = this.spec.series.map(() => h("span.value"));
    this.spec.series.forEach((series, i) => {
      const swatch = h(`span.swatch.${series.ink}.${series.dash ?? "solid"}`, { "aria-hidden": "true" });
      this.legend.append(h("li", {}, swatch, series.label, this.values[i]));
    });
  }

  #size() {
    return { width: Math.max(200, this.box.clientWidth), height: this.spec.height ?? 170 };
  }

  #build() {
    this.plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const soft = style.getPropertyValue("--soft").trim();
    const line = style.getPropertyValue("--line").trim();
    const font = "12px system-ui, sans-serif";
    const scales = [...new Set(this.spec.series.map((series) => series.format ?? "count"))];
    const isDecade = (x) => Number.isInteger(Math.round(Math.log10(x) * 1e6) / 1e6);
    const decades = this.spec.log ? { filter: (_, ticks) => ticks.map((x) => (isDecade(x) ? x : null)) } : {};
    const axis = { stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const fine = { stroke: line, width: 1, ...decades };
    this.plot = new uPlot({
      ...this.#size(),
      legend: { show: false },
      cursor: { sync: { key: this.group.name, setSeries: false }, drag: { x: true, y: false }, points: { size: 6 } },
      scales: {
        x: { time: false, range: () => this.group.range },
        ...Object.fromEntries(scales.map((scale) => [scale, this.spec.log
          ? { distr: 3, range: (_, low, high) => [FOOT, 10 ** Math.ceil(Math.log10(Math.max(high ?? 1000, 1000)))] }
          : { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(LEAST_TOP[scale] ?? 1, (high ?? 1) * 1.08)] }])),
      },
      axes: [
        { ...axis, size: 26, space: 80, incrs: STEPS, values: (_, ticks) => ticks.map((t) => clock(t * 1000, this.group.range[1] * 1000, this.group.range[1] - this.group.range[0] < 6 ? 1 : 0)) },
        ...scales.map((scale, i) => ({
          ...axis,
          scale,
          side: i === 0 ? 3 : 1,
          size: 62,
          space: 28,
          grid: { show: i === 0, ...fine },
          values: (_, ticks) => ticks.map((x) => (x === null ? "" : this.spec.log ? (x < 1000 ? `${x} ms` : `${x / 1000} s`) : FORMATS[scale](x))),
          ...decades,
          ticks: fine,
        })),
        ...(scales.length === 1 ? [{ ...axis, scale: scales[0], side: 1, size: 62, values: () => [], grid: { show: false }, ticks: { show: false } }] : []),
      ],
      series: [{}, ...this.spec.series.map((series) => ({
        scale: series.format ?? "count",
        stroke: ink(series.ink),
        width: 1.75,
        dash: DASHES[series.dash ?? "solid"],
        fill: series.fill ? `${ink(series.ink)}30` : undefined,
        paths: series.step ? uPlot.paths.stepped({ align: -1 }) : uPlot.paths.linear(),
        points: { show: false },
        spanGaps: series.step ?? false,
      }))],
      hooks: { draw: [(plot) => this.#marks(plot)], setSelect: [(plot) => this.#zoom(plot)], setCursor: [(plot) => this.#read(plot)] },
    }, [[], ...this.spec.series.map(() => [])], this.box);
    // A canvas says nothing to a screen reader: the figure's caption and the numbers above do.
    this.plot.root.setAttribute("aria-hidden", "true");
    this.plot.over.addEventListener("dblclick", () => this.group.reset());
    this.drawn = "";
    this.update();
  }

  #resize() {
    const { width, height } = this.#size();
    if (width !== this.plot.width || height !== this.plot.height) {
      this.plot.setSize({ width, height });
      this.drawn = "";
    }
  }

  // Draws if there is anything new.
  update() {
    const { range, markedAt } = this.group;
    const tables = [...new Set(this.spec.series.map((series) => series.table))];
    const key = [...range, markedAt, this.plot.width, ...tables.map((table) => table.version)].join();
    if (key === this.drawn) return;
    this.drawn = key;
    const columns = Math.max(100, this.plot.width - 124);
    const parts = tables.map((table) => {
      const series = this.spec.series.filter((one) => one.table === table);
      return thin(table, series.map((one) => one.name), range, columns);
    });
    const data = parts.length === 1 ? parts[0] : uPlot.join(parts);
    if (this.spec.log) {
      for (let i = 1; i < data.length; i++) data[i] = data[i].map((x) => (typeof x === "number" && x < FOOT ? FOOT : x));
    }
    this.plot.setData(data, false);
    this.plot.setScale("x", { min: range[0], max: range[1] });
    this.#read(this.plot);
  }

  #zoom(plot) {
    if (plot.select.width < 4) return;
    const from = plot.posToVal(plot.select.left, "x");
    const to = plot.posToVal(plot.select.left + plot.select.width, "x");
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.group.zoom(from, to);
  }

  // Where decisions acted, as ticks at the edge; and the moment that was asked for.
  #marks(plot) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio || 1;
    ctx.save();
    for (const [name, color, isUp] of this.spec.markers ? [["actions_up", ink("green"), true], ["actions_down", ink("vermillion"), false]] : []) {
      const table = this.spec.markers;
      const column = table.column(name);
      const [from, to] = this.group.range;
      ctx.fillStyle = color;
      let last = -1;
      for (let row = table.from(from); row < table.length && table.columns[0][row] <= to; row++) {
        if (column[row] === 0) continue;
        const x = Math.round(plot.valToPos(table.columns[0][row], "x", true));
        if (x - last < 2 * ratio) continue;
        last = x;
        triangle(ctx, x, isUp ? bbox.top + bbox.height : bbox.top, (isUp ? -1 : 1) * 6 * ratio);
      }
    }
    if (this.group.markedAt !== null) {
      const x = plot.valToPos(this.group.markedAt, "x", true);
      ctx.strokeStyle = ink("purple");
      ctx.lineWidth = 2 * ratio;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  // The numbers beside the names: at the cursor, or the latest.
  #read(plot) {
    const index = plot.cursor.idx ?? plot.data[0].length - 1;
    this.spec.series.forEach((series, i) => {
      let at = index;
      const values = plot.data[i + 1];
      while (at > 0 && (values[at] === null || values[at] === undefined)) at--;
      const isFoot = this.spec.log && values[at] === FOOT;
      const text = values[at] === undefined || values[at] === null ? "–" : isFoot ? "< 1 ms" : FORMATS[series.format ?? "count"](values[at]);
      if (this.values[i].textContent !== text) this.values[i].textContent = text;
    });
  }
}

function triangle(ctx, x, y, size) {
  ctx.beginPath();
  ctx.moveTo(x, y + size);
  ctx.lineTo(x - Math.abs(size) * 0.6, y);
  ctx.lineTo(x + Math.abs(size) * 0.6, y);
  ctx.fill();
}

// Charts that share one stretch of time and one cursor.
export class ChartGroup {
  name = uniqueId("charts");
  charts = [];
  range = [0, 60];
  markedAt = null;
  window = null; // seconds that are followed; null: everything
  fixed = null; // a stretch that a person chose

  constructor(root, onZoom = () => {}) {
    this.root = root;
    this.onZoom = onZoom;
  }

  add(spec) {
    const chart = new Chart(this.root, spec, this);
    this.charts.push(chart);
    return chart;
  }

  clear() {
    this.charts.forEach((chart) => chart.plot.destroy());
    this.charts = [];
    this.root.replaceChildren();
  }

  // Everything up to `end`, or the last seconds before `now`, unless a person chose a stretch.
  follow(now, end) {
    if (this.fixed) this.range = this.fixed;
    else if (this.window) this.range = [Math.max(0, now - this.window), Math.max(now, this.window)];
    else this.range = [0, Math.max(end, now, 1)];
  }

  zoom(from, to) {
    this.fixed = [Math.max(0, from), Math.max(to, from + 0.2)];
    this.range = this.fixed;
    this.onZoom();
    this.draw();
  }

  reset() {
    this.fixed = null;
    this.markedAt = null;
    this.onZoom();
  }

  // Shows a moment: a line there, and a stretch around it.
  jump(seconds, around) {
    this.markedAt = seconds;
    this.zoom(seconds - around / 2, seconds + around / 2);
  }

  draw() {
    this.charts.forEach((chart) => chart.update());
  }

  // All charts in one picture.
  async picture(title) {
    const canvases = this.charts.map((chart) => chart.plot.ctx.canvas);
    const ratio = devicePixelRatio || 1;
    const style = getComputedStyle(document.documentElement);
    const width = Math.max(...canvases.map((canvas) => canvas.width));
    const caption = 26 * ratio;
    const height = canvases.reduce((sum, canvas) => sum + canvas.height + caption, caption * 1.5);
    const all = h("canvas", { width, height });
    const ctx = all.getContext("2d");
    ctx.fillStyle = style.getPropertyValue("--paper");
    ctx.fillRect(0, 0, width, height);
    ctx.fillStyle = style.getPropertyValue("--text");
    ctx.font = `bold ${15 * ratio}px system-ui, sans-serif`;
    ctx.fillText(title, 12 * ratio, caption);
    let y = caption * 1.5;
    this.charts.forEach((chart, i) => {
      let x = 12 * ratio;
      ctx.font = `bold ${12 * ratio}px system-ui, sans-serif`;
      ctx.fillStyle = style.getPropertyValue("--text");
      ctx.fillText(chart.spec.title, x, y + caption * 0.7);
      x += ctx.measureText(chart.spec.title).width + 16 * ratio;
      ctx.font = `${12 * ratio}px system-ui, sans-serif`;
      for (const series of chart.spec.series) {
        ctx.fillStyle = ink(series.ink);
        ctx.fillText(series.label, x, y + caption * 0.7);
        x += ctx.measureText(series.label).width + 14 * ratio;
      }
      ctx.drawImage(canvases[i], 0, y + caption);
      y += canvases[i].height + caption;
    });
    return new Promise((resolve) => all.toBlob(resolve, "image/png"));
  }
}
