// A page of one algorithm: controls on one side, what happens on the other. What a page shows beyond that it says
// itself, see `no-sync/page.js`.

import { ChartGroup, Table } from "./charts.js";
import { Controls } from "./controls.js";
import { download, h, scrollTo, setText } from "./dom.js";
import { acceptDrops, guessFormat, isSameFile, kindOf, LARGEST, nameFile, picker, sha256 } from "./files.js";
import { clock } from "./format.js";
import { Player } from "./player.js";
import { playerBar } from "./player-bar.js";
import { read, write } from "./url-state.js";
import { DecisionLog, Tiles, Workers } from "./view.js";

const COMMON_CHARTS = ["workers", "rates", "waits"];

// What decides a run. `own` is a scenario that was dropped: { name, text }; `awaited` is the trace that a link wants.
const NOTHING = { preset: null, own: null, seed: null, at: 0, set: [], changes: [], file: null, awaited: null };

export function openPage(spec) {
  new Page(spec).start();
}

class Page {
  constructor(spec) {
    this.spec = spec;
    this.player = new Player();
    this.state = { ...NOTHING, preset: spec.preset };
    this.lacking = null; // a scenario that was dropped and refused: perhaps it needs a file that comes later
    this.files = []; // traces that were dropped: { name, size, sha256, bytes }
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
    addEventListener("hashchange", () => this.#attempt(this.#fromAddress()));
    await this.#attempt(this.#fromAddress());
  }

  #build() {
    const app = document.getElementById("app");
    this.notice = h("p.notice", { role: "status", "aria-live": "polite", hidden: true });
    this.title = h("h2.title", {}, " ");
    this.about = h("p.about", {}, " ");
    this.bar = playerBar(this.player, {
      reset: () => this.#attempt(this.#reset()),
      addTasks: (count) => this.#attempt(this.#act({ add_tasks: { workload: this.names.workload, count } })),
      seed: (seed) => this.#attempt(this.#restart({ seed })),
    });
    const controls = h("div.controls", { "aria-label": "Parameters" });
    this.controls = new Controls(controls, this.spec.controls, (...change) => this.#changed(...change), (paths) => this.player.ask("help", { paths }));
    this.tiles = h("dl.tiles");
    this.workers = h("div.workers");
    this.panel = h("section.panel", { hidden: !this.spec.panel });
    this.chartBox = h("div.charts");
    this.overTime = h("section", {}, h("h3", {}, "Over time"), this.#chartTools(), this.chartBox);
    this.log = h("section.log", {}, h("h3", {}, "Decisions, and why"));
    app.replaceChildren(
      this.#source(), this.notice, this.title, this.about, this.bar.root,
      h("div.columns", {},
        h("aside.side", {}, h("h3", {}, "Parameters"), h("p.soft.small", {}, "Changed while it runs, a parameter counts from that moment. Those marked “from the start” run everything again up to now. An emptied field goes back to its default."), controls,
          h("button", { type: "button", title: "All parameters as the scenario has them", onclick: () => this.#attempt(this.#defaults()) }, "Defaults")),
        h("div.stage", {},
          this.tiles,
          h("section", { "aria-label": "Workers and their slots" }, h("h3", {}, "Workers and their slots"), this.workers, legendOfWorkers()),
          this.panel,
          this.overTime,
          this.log)),
      this.#share(),
    );
    this.view = { tiles: new Tiles(this.tiles), workers: new Workers(this.workers), log: new DecisionLog(this.log, (line) => this.#jump(line)) };
    acceptDrops(document.body, (files) => this.#attempt(this.#take(files)));
  }

  // Which scenario, and files of one's own.
  #source() {
    this.presets = h("select", { id: "preset", onchange: () => this.#choose(this.presets.value) });
    this.groups = h("select", { id: "group", onchange: () => this.#showGroup() });
    this.groupField = h("span.inline", { hidden: true }, h("label", { for: "group" }, "Group"), this.groups);
    return h("div.source", {},
      h("span.inline", {}, h("label", { for: "preset" }, "Scenario"), this.presets),
      this.groupField,
      picker("Open a file of your own", (files) => this.#attempt(this.#take(files))),
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
      button("Download scenario", () => this.#downloadScenario()),
      button("Download CSV", async () => download("timeseries.csv", await this.player.ask("csv"), "text/csv")),
      button("Download picture", async () => download("charts.png", await this.charts.picture(this.title.textContent), "image/png"))));
  }

  // ---- what runs ----

  async #fromAddress() {
    if (this.isWriting === location.hash) return;
    const { problem, preset, seed, at, set, changes, file } = read(location.hash);
    const own = preset ? null : this.state.own;
    this.state = { ...NOTHING, own, preset: preset ?? (own ? null : this.spec.preset), seed, set, changes };
    const isHere = file && this.#have(file);
    this.state[isHere ? "file" : "awaited"] = file;
    this.#quiet();
    try {
      if (problem) throw new Error(problem);
      await this.#load(at);
      if (this.state.awaited === file && file && !isHere) this.#askFor(file);
    } catch (error) {
      // There is something to look at all the same.
      this.state = { ...NOTHING, preset: this.spec.preset };
      await this.#load(0);
      this.#say(`This link cannot be shown: ${error.message}\nHere is ${this.spec.preset} instead.`, true);
    }
  }

  #askFor(file) {
    this.#say(`This link replays the trace ${nameFile(file)}. Open that file to see it.`);
  }

  // The content that a link names may have come under another name: then it is called as the link calls it.
  #have(wanted) {
    const found = this.files.find((file) => isSameFile(file, wanted));
    if (found && found.name !== wanted.name) {
      this.files = [...this.files.filter((file) => file.name !== wanted.name), { ...found, name: wanted.name }];
    }
    return found !== undefined;
  }

  async #load(at) {
    const load = ++this.loads;
    this.wantedAt = at;
    const { preset, own, set, seed, changes, file } = this.state;
    const run = own ? { toml: own.text, name: own.name } : { preset };
    run.set = seed === null ? set : [...set, ["seed", String(seed)]];
    run.changes = changes;
    if (file) run.trace = file;
    const files = own ? this.files : this.files.filter(({ name }) => name === file?.name);
    const loaded = await this.player.load({ runs: [run], watch: this.watch, controls: this.controls.paths, files: files.map(({ name, bytes }) => ({ name, bytes })), at });
    if (load !== this.loads) return;
    this.#loaded(loaded, at);
  }

  #loaded({ runs: [run], horizon, columns }, at) {
    this.run = run;
    this.horizon = horizon;
    // The address is written anew where this one rests.
    this.idleAt = null;
    const { scenario } = run;
    this.names = { group: run.groups[0], workload: scenario.workload[0].name, queue: "0" };
    setText(this.title, scenario.title);
    setText(this.about, scenario.demo?.text ?? " ");
    this.bar.show({ seed: scenario.seed ?? 1, speed: scenario.demo?.speed ?? 60, horizon });
    this.controls.show(run.controls, this.#setByHands(scenario.change ?? [], this.wantedAt));
    this.#fillGroups(run.groups);
    this.tables.points = new Table([...columns, ...this.watch]);
    this.tables.waits.clear();
    this.#makeCharts();
    this.charts.follow(at / 1000, horizon / 1000);
    this.#fillPresets();
  }

  // What hands set up to a moment, by the paths of parameters: it counts in the fields.
  #setByHands(changes, until) {
    const shown = new Map();
    for (const change of changes) {
      if (milliseconds(change.at) > until) continue;
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
    const own = this.state.own ? [h("option", { value: "" }, this.state.own.name)] : [];
    this.presets.replaceChildren(...own, ...names.map((name) => h("option", { value: name }, name)));
    this.presets.value = this.state.own ? "" : this.state.preset;
  }

  #choose(preset) {
    if (preset) this.#attempt(this.#restart({ ...NOTHING, preset }, 0));
  }

  // Everything again with other values, up to the moment at which it was.
  async #restart(changes, at = this.player.time) {
    const before = this.state;
    this.state = { ...this.state, ...changes };
    this.#quiet();
    try {
      await this.#load(at);
    } catch (error) {
      // The run that was there rests, and can go on.
      this.state = before;
      this.#fillPresets();
      throw error;
    }
    this.#writeAddress(at);
  }

  // Does what a person asked for, or says why not; false then.
  async #attempt(done) {
    try {
      await done;
      return true;
    } catch (error) {
      this.#say(error.message, true);
      return false;
    }
  }

  // Tasks that hands added are forgotten; the values that they set hold from the start.
  #reset() {
    this.charts.reset();
    const shown = this.#setByHands(this.state.changes, this.player.time);
    const carried = [...shown].filter(([path]) => this.controls.fields.has(path));
    const set = this.state.set.filter(([path]) => !carried.some(([one]) => one === path));
    return this.#restart({ changes: [], set: [...set, ...carried.map(([path, value]) => [path, String(value)])] }, 0);
  }

  // All parameters as the scenario has them; added tasks stay.
  #defaults() {
    return this.#restart({ set: [], changes: this.state.changes.filter((change) => change.add_tasks) });
  }

  // A parameter was changed: a hand in this run, or another run.
  async #changed(control, text, field) {
    const isRunning = this.player.time > 0 && !this.player.isDone;
    // Emptied: as the scenario has it, or else the default.
    const isEmpty = text.trim() === "";
    const value = isEmpty ? control.default : text;
    const canAct = value !== undefined && value !== null;
    const change = isRunning && canAct && field.live?.(String(value), this.names, this.run.scenario, this.controls);
    if (change) return this.#act(change);
    const set = this.state.set.filter(([path]) => path !== control.path);
    const { time: at, isDone } = this.player;
    await this.#restart({ set: isEmpty ? set : [...set, [control.path, text]] });
    if (at === 0) return;
    const why = !field.isFromStart && isDone ? `The run was over, so “${field.label}” holds from the start` : `“${field.label}” belongs to the start of a run`;
    this.#say(`${why}: everything ran again from there, up to ${clock(at, this.horizon, 1)}, as if it had always been so.`);
  }

  async #act(change) {
    if (this.player.isDone) throw new Error("The run is over: nothing more happens in it. Reset begins it anew.");
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
    scrollTo(this.overTime);
  }

  // ---- the address ----

  #link(at) {
    const { preset, own, seed, set, changes, file, awaited } = this.state;
    if (own) return null;
    return write({ preset, seed, set, changes, file: file ?? awaited, at });
  }

  #writeAddress(at) {
    const fragment = this.#link(at);
    if (fragment === null) return;
    this.isWriting = fragment;
    history.replaceState(null, "", fragment);
  }

  async #copyLink() {
    const at = await this.player.rest();
    const fragment = this.#link(at);
    if (fragment === null) {
      this.#say(this.state.own ? "A scenario of your own goes as a file, not as a link:" : "This run is too long for a link; it goes as a file:");
      return this.notice.append(h("button", { type: "button", onclick: () => this.#downloadScenario() }, "Download the scenario"));
    }
    this.#writeAddress(at);
    await this.#copy(new URL(fragment, location.href).href, "The link is copied: it shows this very moment.");
  }

  async #downloadScenario() {
    download("scenario.toml", await this.player.ask("toml"), "application/toml");
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
      return this.#takeOwn({ name: file.name.replace(/\.toml$/i, ""), text: await file.text() });
    }
    if (of("trace").length) await this.#replay(of("trace")[0]);
  }

  async #takeOwn(own) {
    try {
      await this.#restart({ ...NOTHING, own }, 0);
    } catch (error) {
      this.lacking = own;
      throw error;
    }
    this.lacking = null;
    history.replaceState(null, "", location.pathname + location.search);
  }

  async #addTrace(file) {
    const bytes = await file.arrayBuffer();
    const found = { name: file.name, size: file.size, sha256: await sha256(bytes), bytes };
    this.files = [...this.files.filter((one) => one.name !== file.name), found];
  }

  async #replay(file) {
    const { awaited } = this.state;
    const { bytes: _, ...found } = this.files.find((one) => one.name === file.name);
    if (awaited) {
      if (this.#have(awaited)) return this.#restart({ file: awaited, awaited: null }, this.wantedAt);
      this.#say(`${nameFile(found)} is not the file of the link, which is ${nameFile(awaited)}. Open that one, or `, true);
      return this.notice.append(h("button", { type: "button", onclick: () => this.#attempt(this.#replayAs(file, found)) }, "replay this one as it is"));
    }
    // A scenario of one's own that names this file needs nothing more.
    const naming = [this.lacking, this.state.own].find((own) => own?.text.includes(file.name));
    if (naming) return this.#takeOwn(naming);
    return this.#replayAs(file, found);
  }

  async #replayAs(file, found) {
    const formats = await this.player.ask("formats");
    const format = await guessFormat(file, formats);
    const attempt = (chosen) => this.#restart({ file: { ...found, format: chosen }, awaited: null, set: [], changes: [] }, 0);
    const choice = h("select", { "aria-label": "Format of the trace", onchange: () => this.#attempt(attempt(choice.value)) },
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
