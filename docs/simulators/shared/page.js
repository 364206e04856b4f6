// A page of one algorithm: controls on one side, what happens on the other. What a page shows beyond that it says
// itself, see `no-sync/page.js`.

import { ChartGroup, Table } from "./charts.js";
import { Controls } from "./controls.js";
import { download, h, setText } from "./dom.js";
import { acceptDrops, guessFormat, kindOf, LARGEST, picker, sha256 } from "./files.js";
import { clock } from "./format.js";
import { Player } from "./player.js";
import { playerBar } from "./player-bar.js";
import { read, write } from "./url-state.js";
import { DecisionLog, Tiles, Workers } from "./view.js";

const COMMON_CHARTS = ["workers", "rates", "waits"];

export function openPage(spec) {
  new Page(spec).start();
}

class Page {
  constructor(spec) {
    this.spec = spec;
    this.player = new Player();
    this.state = { preset: spec.preset, seed: null, at: 0, set: [], changes: [], file: null };
    this.own = null; // a scenario's text that was dropped
    this.files = []; // traces that were dropped: { name, bytes }
    this.names = { group: "", workload: "", queue: "0" };
    this.watch = spec.watch ?? [];
    this.tables = { points: new Table(["t_s"]), waits: new Table(["t_s", "p50", "p95", "p99"]) };
    this.horizon = 0;
    this.loads = 0;
  }

  async start() {
    this.#build();
    // For whoever looks from the console, and for the tests.
    window.wciPlayer = this.player;
    window.wciPage = { frame: (detail) => this.#frame(detail), points: () => this.tables.points.length };
    this.player.addEventListener("frame", ({ detail }) => window.wciPage.frame(detail));
    this.player.addEventListener("failed", ({ detail }) => this.#say(detail.text, true));
    addEventListener("hashchange", () => this.#fromAddress());
    await this.#fromAddress();
  }

  #build() {
    const app = document.getElementById("app");
    this.notice = h("p.notice", { role: "status", "aria-live": "polite", hidden: true });
    this.title = h("h2.title", {}, " ");
    this.about = h("p.about", {}, " ");
    this.bar = playerBar(this.player, {
      reset: () => this.#reset(),
      addTasks: (count) => this.#act({ add_tasks: { workload: this.names.workload, count } }),
      seed: (seed) => this.#restart({ seed }),
    });
    const controls = h("div.controls", { "aria-label": "Parameters" });
    this.controls = new Controls(controls, this.spec.controls, (...change) => this.#changed(...change), (paths) => this.player.ask("help", { paths }));
    this.tiles = h("dl.tiles");
    this.workers = h("div.workers");
    this.panel = h("section.panel", { hidden: !this.spec.panel });
    this.chartBox = h("div.charts");
    this.log = h("section.log", {}, h("h3", {}, "Decisions, and why"));
    app.replaceChildren(
      this.#source(), this.notice, this.title, this.about, this.bar.root,
      h("div.columns", {},
        h("aside.side", {}, h("h3", {}, "Parameters"), h("p.soft.small", {}, "Changed while it runs, a parameter counts from that moment. Those marked “from the start” run everything again up to now."), controls),
        h("div.stage", {},
          this.tiles,
          h("section", { "aria-label": "Workers and their slots" }, h("h3", {}, "Workers and their slots"), this.workers, legendOfWorkers()),
          this.panel,
          h("section", {}, h("h3", {}, "Over time"), this.#chartTools(), this.chartBox),
          this.log)),
      this.#share(),
    );
    this.view = { tiles: new Tiles(this.tiles), workers: new Workers(this.workers), log: new DecisionLog(this.log, (line) => this.#jump(line)) };
    acceptDrops(document.body, (files) => this.#take(files).catch((error) => this.#say(error.message, true)));
  }

  // Which scenario, and files of one's own.
  #source() {
    this.presets = h("select", { id: "preset", onchange: () => this.#choose(this.presets.value) });
    this.groups = h("select", { id: "group", onchange: () => this.#showGroup() });
    this.groupField = h("span.inline", { hidden: true }, h("label", { for: "group" }, "Group"), this.groups);
    return h("div.source", {},
      h("span.inline", {}, h("label", { for: "preset" }, "Scenario"), this.presets),
      this.groupField,
      picker("Open a file of your own", (files) => this.#take(files).catch((error) => this.#say(error.message, true))),
      h("span.soft.small", {}, "or drop one here: a scenario, a trace, a controller's journal"));
  }

  #chartTools() {
    const choices = [["", "whole run"], ["60", "last minute"], ["300", "last 5 min"], ["1800", "last 30 min"]];
    this.window = h("select", { id: "window", onchange: () => this.#window() }, ...choices.map(([value, name]) => h("option", { value }, name)));
    this.reset = h("button", { type: "button", hidden: true, onclick: () => this.charts.reset() }, "Show all again");
    return h("div.row.tools", {}, h("span.inline", {}, h("label", { for: "window" }, "Show"), this.window), this.reset, h("span.soft.small", {}, "Drag over a chart to zoom in. Marks at the edge: ▲ asked for more workers, ▼ for fewer."));
  }

  #share() {
    const button = (name, onclick) => h("button", { type: "button", onclick }, name);
    return h("section.share", {}, h("h3", {}, "Take it with you"), h("div.row", {},
      button("Copy link to this moment", () => this.#copyLink()),
      button("Copy scenario", async () => this.#copy(await this.player.ask("toml"), "The scenario is copied: save it as run.toml and run `wci run run.toml`.")),
      button("Download scenario", async () => download("scenario.toml", await this.player.ask("toml"), "application/toml")),
      button("Download CSV", async () => download("timeseries.csv", await this.player.ask("csv"), "text/csv")),
      button("Download picture", async () => download("charts.png", await this.charts.picture(this.title.textContent), "image/png"))));
  }

  // ---- what runs ----

  async #fromAddress() {
    if (this.isWriting === location.hash) return;
    const state = read(location.hash);
    state.preset ??= this.own ? null : this.spec.preset;
    this.state = { ...this.state, ...state };
    if (state.file && !this.files.some((file) => file.name === state.file.name)) {
      this.#say(`This link replays the trace ${state.file.name} (${state.file.size} bytes, SHA-256 ${state.file.sha256.slice(0, 12)}…). Open that file to see it.`);
      this.state.awaited = state.file;
      this.state.file = null;
    }
    await this.#load(state.at);
  }

  async #load(at) {
    const load = ++this.loads;
    this.wantedAt = at;
    const { preset, set, seed, changes, file } = this.state;
    const run = this.own ? { toml: this.own.text, name: this.own.name } : { preset };
    run.set = seed === null ? set : [...set, ["seed", String(seed)]];
    run.changes = changes;
    if (file) run.trace = file;
    let loaded;
    try {
      loaded = await this.player.load({ runs: [run], watch: this.watch, controls: this.controls.paths, files: this.files, at });
    } catch (error) {
      if (load === this.loads) this.#say(error.message, true);
      throw error;
    }
    if (load !== this.loads) return;
    this.#loaded(loaded, at);
  }

  #loaded({ runs: [run], horizon, columns }, at) {
    this.run = run;
    this.horizon = horizon;
    const { scenario } = run;
    this.names = { group: run.groups[0], workload: scenario.workload[0].name, queue: "0" };
    setText(this.title, scenario.title);
    setText(this.about, scenario.demo?.text ?? " ");
    this.bar.show({ seed: scenario.seed ?? 1, speed: scenario.demo?.speed ?? 60, horizon });
    this.controls.show(run.controls, this.#shownByHands(scenario));
    this.#fillGroups(run.groups);
    this.tables.points = new Table([...columns, ...this.watch]);
    this.tables.waits.clear();
    this.#makeCharts();
    this.charts.follow(at / 1000, horizon / 1000);
    this.#fillPresets();
  }

  // What hands changed up to now counts in the fields.
  #shownByHands(scenario) {
    const shown = new Map();
    for (const change of scenario.change ?? []) {
      if (milliseconds(change.at) > this.wantedAt) continue;
      const workload = `workload.${change.arrival_rate?.workload ?? change.service?.workload}`;
      if (change.arrival_rate) shown.set(`${workload}.arrival.rate`, change.arrival_rate.rate);
      for (const [key, value] of Object.entries(change.service?.times ?? {})) shown.set(`${workload}.service.${key}`, value);
      for (const [key, value] of Object.entries(change.scaling?.config ?? {})) {
        shown.set(`spec.scaling_group_specs.${change.scaling.group}.scaling.config.${key}`, value);
      }
    }
    return shown;
  }

  #fillGroups(groups) {
    this.groupField.hidden = groups.length < 2;
    this.groups.replaceChildren(h("option", { value: "-1" }, "all together"), ...groups.map((name, i) => h("option", { value: String(i) }, name)));
  }

  async #fillPresets() {
    if (!this.presetNames) {
      this.presetNames = [this.spec.preset, ...(this.spec.presets ?? [])];
    }
    const names = [...this.presetNames];
    if (this.state.preset && !names.includes(this.state.preset)) names.push(this.state.preset);
    const own = this.own ? [h("option", { value: "" }, this.own.name)] : [];
    this.presets.replaceChildren(...own, ...names.map((name) => h("option", { value: name }, name)));
    this.presets.value = this.own ? "" : this.state.preset;
  }

  #choose(preset) {
    if (!preset) return;
    this.own = null;
    this.state = { preset, seed: null, at: 0, set: [], changes: [], file: null };
    this.#restart({}, 0);
  }

  // Everything again with other values, up to the moment at which it was.
  async #restart(changes, at = this.player.time) {
    const before = this.state;
    this.state = { ...this.state, ...changes };
    this.#quiet();
    try {
      await this.#load(at);
    } catch (error) {
      this.state = before;
      await this.#load(at).catch(() => {});
      throw error;
    }
    this.#writeAddress(at);
  }

  #reset() {
    // Hands act anew: what they did in this run is forgotten.
    this.state.changes = [];
    this.charts.reset();
    return this.#restart({}, 0);
  }

  // A parameter was changed: a hand in this run, or another run.
  async #changed(control, text, field) {
    const isRunning = this.player.time > 0 && !this.player.isDone;
    const change = isRunning && field.live?.(text, this.names, this.run.scenario, this.controls);
    if (change) return this.#act(change);
    const set = this.state.set.filter(([path]) => path !== control.path);
    const at = this.player.time;
    await this.#restart({ set: [...set, [control.path, text]] });
    if (at > 0) this.#say(`“${field.label}” belongs to the start of a run: everything ran again from there, up to ${clock(at, this.horizon, 1)}, as if it had always been so.`);
  }

  async #act(change) {
    const done = await this.player.act(change);
    this.state.changes.push(done);
    this.#writeAddress(this.player.time);
  }

  // ---- what is seen ----

  #makeCharts() {
    this.charts?.clear();
    this.charts ??= new ChartGroup(this.chartBox, () => {
      this.reset.hidden = !this.charts.fixed;
    });
    const { points, waits } = this.tables;
    const own = this.spec.charts?.(points) ?? [];
    for (const chart of [...COMMON_CHARTS.map((name) => commonChart(name, points, waits)), ...own]) this.charts.add(chart);
  }

  #frame({ t, isDone, isIdle, runs: [run] }) {
    this.#append(run);
    const group = Number(this.groups.value || -1);
    const shown = group >= 0 ? run.view.groups[group] : run.view.total;
    this.view.tiles.show(shown);
    this.view.workers.show(group >= 0 ? shown.workers : run.view.groups.flatMap((one) => one.workers));
    if (run.log) this.view.log.show(run.log, this.horizon);
    this.spec.panel?.(this.panel, run.view.groups[Math.max(0, group)], this);
    this.bar.time(t, isDone, isIdle);
    this.charts.follow(t / 1000, this.horizon / 1000);
    this.charts.draw();
    if (isIdle && this.idleAt !== t) {
      this.idleAt = t;
      this.#writeAddress(t);
    }
  }

  #append(run) {
    if (run.isReset) this.tables.points.clear();
    this.tables.points.append(run.points);
    if (run.waits.isReset) this.tables.waits.clear();
    this.tables.waits.append(run.waits.points);
  }

  #window() {
    this.charts.window = Number(this.window.value) || null;
    this.charts.reset();
  }

  #showGroup() {
    this.tables.points.clear();
    this.player.showGroup(Number(this.groups.value));
  }

  #jump(line) {
    this.charts.jump(line.t_ms / 1000, Math.min(60, this.horizon / 4000));
    this.chartBox.scrollIntoView({ block: "nearest" });
  }

  // ---- the address ----

  #link(at) {
    const { preset, seed, set, changes, file } = this.state;
    if (this.own) return null;
    return write({ preset, seed, set, changes, file: file ?? this.state.awaited, at });
  }

  #writeAddress(at) {
    const fragment = this.#link(at);
    if (fragment === null) return;
    this.isWriting = fragment;
    history.replaceState(null, "", fragment);
  }

  async #copyLink() {
    this.player.pause();
    const fragment = this.#link(this.player.time);
    if (fragment === null) return this.#say("This run is too long for a link: use “Download scenario”, and give the file instead.");
    this.#writeAddress(this.player.time);
    await this.#copy(new URL(fragment, location.href).href, "The link is copied: it shows this very moment.");
  }

  async #copy(text, said) {
    try {
      await navigator.clipboard.writeText(text);
      this.#say(said);
    } catch {
      this.#say("The browser does not let a page copy here. This is the text:");
      this.notice.append(h("textarea", { readonly: true, rows: 4, "aria-label": "Text to copy" }, text));
    }
  }

  // ---- files of one's own ----

  async #take(files) {
    for (const file of files) {
      if (file.size > LARGEST) throw new Error(`${file.name}: found ${file.size} bytes, expected at most ${LARGEST}`);
    }
    const kinds = await Promise.all(files.map(kindOf));
    const of = (kind) => files.filter((_, i) => kinds[i] === kind);
    for (const file of of("journal")) {
      const { showIncident } = await import("./incident.js");
      return showIncident(this.player, file, document.getElementById("app"));
    }
    for (const file of of("trace")) await this.#addTrace(file);
    for (const file of of("scenario")) {
      this.own = { name: file.name.replace(/\.toml$/i, ""), text: await file.text() };
      this.state = { preset: null, seed: null, at: 0, set: [], changes: [], file: null };
      history.replaceState(null, "", location.pathname + location.search);
      return this.#restart({}, 0);
    }
    if (of("trace").length) await this.#replay(of("trace")[0]);
  }

  async #addTrace(file) {
    this.files = [...this.files.filter((one) => one.name !== file.name), { name: file.name, bytes: await file.arrayBuffer() }];
  }

  async #replay(file) {
    // A scenario of one's own that names this file needs nothing more.
    if (this.own) return this.#restart({}, 0);
    const formats = await this.player.ask("formats");
    const { bytes } = this.files.find((one) => one.name === file.name);
    const found = { name: file.name, size: file.size, sha256: await sha256(bytes) };
    const { awaited } = this.state;
    if (awaited && awaited.name === file.name) {
      if (awaited.sha256 !== found.sha256) this.#say(`${file.name} is not the file of the link: its SHA-256 is ${found.sha256.slice(0, 12)}…`, true);
      this.state.awaited = undefined;
      return this.#restart({ file: awaited }, this.wantedAt);
    }
    const format = await guessFormat(file, formats);
    const attempt = (chosen) => this.#restart({ file: { ...found, format: chosen }, set: [], changes: [] }, 0);
    const choice = h("select", { "aria-label": "Format of the trace", onchange: () => attempt(choice.value).catch((error) => this.#say(error.message, true)) },
      ...formats.map((name) => h("option", { value: name, selected: name === format }, name)));
    try {
      await attempt(format);
      this.#say(`${file.name} replayed as `);
    } catch (error) {
      this.#say(`${file.name} cannot be read as ${format}: ${error.message} Another format: `, true);
    }
    this.notice.append(choice);
  }

  #say(text, isBad = false) {
    this.notice.hidden = false;
    this.notice.classList.toggle("bad", isBad);
    this.notice.replaceChildren(text, " ");
  }

  #quiet() {
    this.notice.hidden = true;
  }
}

function legendOfWorkers() {
  return h("p.soft.small", {}, "Dashed: starting. Blue: ready, its full squares are busy slots. Crossed: draining.");
}

function commonChart(name, points, waits) {
  switch (name) {
    case "workers":
      return { title: "Workers and backlog", height: 210, markers: points, series: [
        { table: points, name: "backlog", label: "backlog", ink: "vermillion", format: "count", fill: true },
        { table: points, name: "ready", label: "ready", ink: "blue", format: "workers", step: true },
        { table: points, name: "starting", label: "starting", ink: "orange", dash: "dash", format: "workers", step: true },
        { table: points, name: "draining", label: "draining", ink: "grey", dash: "dot", format: "workers", step: true },
      ] };
    case "rates":
      return { title: "Tasks a second", series: [
        { table: points, name: "arrival_rate", label: "arriving", ink: "purple", format: "rate" },
        { table: points, name: "dispatch_rate", label: "taken by workers", ink: "green", dash: "dash", format: "rate" },
      ] };
    default:
      return { title: "Schedule-to-start", log: true, series: [
        { table: waits, name: "p50", label: "p50", ink: "sky", dash: "dot", format: "ms" },
        { table: waits, name: "p95", label: "p95", ink: "blue", format: "ms" },
        { table: waits, name: "p99", label: "p99", ink: "vermillion", dash: "dash", format: "ms" },
      ] };
  }
}

function milliseconds(span) {
  const sizes = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  return [...String(span).matchAll(/([\d.]+)(ms|d|h|m|s)/g)].reduce((sum, [, value, unit]) => sum + Number(value) * sizes[unit], 0);
}
