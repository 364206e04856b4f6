// A journal of a controller: what it saw, what it decided and why, and whether this build decides the same. It is
// played like a run: the clock moves, and charts, numbers and decisions follow it.

import { ChartGroup, Table } from "./charts.js";
import { h, scrollTo } from "./dom.js";
import { clock, number } from "./format.js";
import { playerBar } from "./player-bar.js";
import { DecisionLog, Tiles } from "./view.js";

const LOG_EVERY_MS = 300;

// What the bar of buttons moves: a clock over a journal that has been replayed as a whole.
class Replay extends EventTarget {
  isPlaying = false;
  isDone = false;
  speed = 1;
  time = 0;
  #wall = 0;

  // `actions` are the times at which decisions acted, in order.
  constructor(whole, actions) {
    super();
    this.whole = whole;
    this.actions = actions;
    const tick = (wall) => {
      if (this.isPlaying) this.#show(this.speed === null ? this.whole : this.time + (wall - this.#wall) * this.speed);
      this.#wall = wall;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  play() {
    if (this.isDone) this.#show(0);
    this.#set(true);
  }

  pause() {
    this.#set(false);
    // The log follows a playing clock in steps; where it rests all of it is shown.
    this.#show(this.time);
  }

  setSpeed(speed) {
    this.speed = speed;
  }

  runTo(at) {
    this.#set(false);
    this.#show(at);
  }

  step(by) {
    this.runTo(this.time + by);
  }

  toDecision() {
    this.runTo(this.actions.find((at) => at > this.time) ?? this.whole);
  }

  #set(isPlaying) {
    this.isPlaying = isPlaying;
    this.dispatchEvent(new CustomEvent("state"));
  }

  #show(time) {
    this.time = Math.max(0, Math.min(time, this.whole));
    this.isDone = this.time >= this.whole;
    if (this.isDone && this.isPlaying) this.#set(false);
    this.dispatchEvent(new CustomEvent("frame"));
  }
}

export async function showIncident(player, file, app) {
  player.pause();
  const bytes = await file.arrayBuffer();
  const { incident, points, columns } = await player.ask("journal", { bytes }, [bytes]);
  const whole = Math.max(1, incident.end_ms - incident.start_ms);
  const times = Array.from({ length: points.length / columns.length }, (_, row) => points[row * columns.length] * 1000);
  const acted = ["actions_up", "actions_down"].map((name) => columns.indexOf(name));
  const actions = incident.log.lines.filter((line) => line.acted).map((line) => line.t_ms)
    .concat(times.filter((_, row) => acted.some((column) => points[row * columns.length + column] > 0)));
  const replay = new Replay(whole, [...new Set(actions)].sort((a, b) => a - b));
  const bar = playerBar(replay, { reset: () => replay.runTo(0) });
  const charts = h("div.charts");
  const tiles = h("dl.tiles");
  const log = h("section.log", {}, h("h3", {}, "Decisions, and why"));
  app.replaceChildren(
    h("h2.title", {}, `Incident: ${file.name}`),
    verdict(incident),
    h("p", {}, `${incident.deployment_name} ${incident.build_id}, `, Object.entries(incident.groups).map(([name, algorithm]) => `${name}: ${algorithm}`).join("; "),
      `. From ${new Date(incident.start_ms).toISOString()}, ${clock(whole, whole, 0)} long, ${number(incident.entries)} inputs.`),
    h("p", {}, h("a", { href: location.pathname }, "Back to the simulator")),
    bar.root,
    h("div.stage", {}, tiles, h("section", {}, h("h3", {}, "Over time"), charts), log),
  );
  const shown = new Shown({ replay, bar, incident, whole, table: new Table(columns), points, times, tiles, charts, log });
  bar.show({ seed: 0, speed: nearestSpeed(whole), horizon: whole });
  // At first all of it is seen; from the start on it is played.
  replay.addEventListener("frame", () => shown.frame());
  window.wciIncident = replay;
  replay.runTo(whole);
}

// A speed at which the incident takes about a minute.
const nearestSpeed = (whole) => Math.min(1000, Math.max(1, whole / 60_000));

// What is seen of the journal up to the clock.
class Shown {
  constructor(parts) {
    Object.assign(this, parts, { rows: 0, lines: -1, logAt: 0 });
    this.group = new ChartGroup(this.charts, () => this.draw());
    const { table } = this;
    this.group.add({ title: "Workers and backlog", height: 210, markers: table, series: [
      { table, name: "backlog", label: "backlog", ink: "vermillion", fill: true },
      { table, name: "ready", label: "ready", ink: "blue", format: "workers", step: true },
      { table, name: "starting", label: "starting", ink: "orange", dash: "dash", format: "workers", step: true },
      { table, name: "desired_workers", label: "decided", ink: "purple", dash: "dot", format: "workers", step: true },
    ] });
    this.group.add({ title: "Tasks a second, as the statistics said", series: [
      { table, name: "arrival_rate", label: "arriving", ink: "purple", format: "rate", step: true },
      { table, name: "dispatch_rate", label: "taken by workers", ink: "green", dash: "dash", format: "rate", step: true },
    ] });
    this.view = { tiles: new Tiles(this.tiles, ["backlog", "workers", "slots", "rates"]), log: new DecisionLog(this.log, (line) => this.jump(line)) };
  }

  frame() {
    const { time, isDone } = this.replay;
    this.#rowsUpTo(time);
    const last = Math.max(0, this.rows - 1);
    const { table } = this;
    this.view.tiles.show(Object.fromEntries(table.names.map((name, i) => [name, this.rows ? table.columns[i][last] : Number.NaN])));
    this.bar.time(time, isDone);
    this.#showLog(time, isDone);
    this.draw();
  }

  draw() {
    this.group.follow(this.whole / 1000, this.whole / 1000);
    this.group.draw();
  }

  jump(line) {
    this.group.jump(line.t_ms / 1000, Math.min(60, this.whole / 4000));
    scrollTo(this.charts.parentElement);
  }

  // The clock may go back: then all is taken anew.
  #rowsUpTo(time) {
    const width = this.table.names.length;
    let rows = this.times.findIndex((at) => at > time);
    if (rows < 0) rows = this.times.length;
    if (rows < this.rows) {
      this.table.clear();
      this.rows = 0;
    }
    this.table.append(this.points.subarray(this.rows * width, rows * width));
    this.rows = rows;
  }

  #showLog(time, isDone) {
    const now = performance.now();
    const lines = this.incident.log.lines.filter((line) => line.t_ms <= time);
    if (lines.length === this.lines || (this.replay.isPlaying && now - this.logAt < LOG_EVERY_MS)) return;
    Object.assign(this, { lines: lines.length, logAt: now });
    this.view.log.show(isDone ? this.incident.log : { total: lines.length, lines, counts: [] }, this.whole);
  }
}

function verdict({ different_steps: different, entries, decisions, differences }) {
  if (different === 0) {
    return h("p.verdict", {}, `Replayed: all ${number(decisions)} decisions on ${number(entries)} inputs come out the same.`);
  }
  return h("div.verdict.bad", {}, h("p", {}, `Replayed: ${number(different)} of ${number(entries)} steps come out differently with this build.`),
    h("ul", {}, ...differences.map((text) => h("li", {}, text))));
}
