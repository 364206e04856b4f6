// Two to four algorithms or settings on the same luck, side by side.

import { ChartGroup, Table } from "../shared/charts.js";
import { download, h, setText, uniqueId } from "../shared/dom.js";
import { acceptDrops, guessFormat, isSameFile, kindOf, LARGEST, nameFile, picker, sha256 } from "../shared/files.js";
import { duration, money, number, percent } from "../shared/format.js";
import { Player } from "../shared/player.js";
import { playerBar } from "../shared/player-bar.js";
import { read, write } from "../shared/url-state.js";

const INKS = ["blue", "orange", "green", "purple"];
const DASHES = ["solid", "dash", "dot", "dash"];
const PRESETS = ["lambda-burst", "demo-no-sync", "quick-start", "demo-backlog", "on-off", "bulk-enqueue", "demo-peak-rate", "demo-rate-based"];
const PROVIDERS = { "aws-lambda": "invoke", k8s: "worker set", "aws-ecs": "worker set" };
const FIRST = [
  { algorithm: "no-sync", provider: "aws-lambda", config: {} },
  { algorithm: "no-sync", provider: "aws-lambda", config: { scale_up_cooloff_ms: "5000" } },
  { algorithm: "rate-based", provider: "k8s", config: {} },
];

const LIVE = [
  ["backlog", (v) => number(v.total.backlog)],
  ["workers", (v) => number(v.total.starting + v.total.ready + v.total.draining)],
  ["p50", (v) => duration(v.total.p50_ms)],
  ["p95", (v) => duration(v.total.p95_ms)],
  ["p99", (v) => duration(v.total.p99_ms)],
  ["cost so far", (v) => money(v.total.cost_usd)],
];
const CENSORED = (q, name) => (q.censored.includes(name) ? "≥ " : "") + (q[name] === null ? (q.censored.includes(name) ? "∞" : "–") : duration(q[name]));
const FINAL = [
  ["tasks done", (s) => number(s.tasks.completed)],
  ["wait p50", (s) => CENSORED(s.schedule_to_start, "p50")],
  ["p95", (s) => CENSORED(s.schedule_to_start, "p95")],
  ["p99", (s) => CENSORED(s.schedule_to_start, "p99")],
  ["most waiting", (s) => number(s.backlog.max)],
  ["workers, mean", (s) => number(s.workers.mean)],
  ["most", (s) => number(s.workers.max)],
  ["started", (s) => number(s.workers.started)],
  ["never used", (s) => number(s.workers.never_used)],
  ["slots in use", (s) => percent(s.workers.utilization ?? Number.NaN)],
  ["cost", (s) => money(s.cost_usd.total)],
];

const player = new Player();
const app = document.getElementById("app");
let algorithms = [];
// `own` is a scenario that was dropped: { name, text }; `awaited` is the trace that a link wants.
const NOTHING = { preset: null, own: null, seed: null, changes: [], file: null, awaited: null };
let state = { ...NOTHING, preset: PRESETS[0], variants: FIRST };
let trace = null; // the file that was dropped: { name, size, sha256, bytes }
let tables = [];
let horizon = 0;
let workload = "";
let loads = 0;
let wantedAt = 0; // the moment that was asked for last
let group = "";
let written = null;
let summarised = "";

const notice = h("p.notice", { role: "status", "aria-live": "polite", hidden: true });
const title = h("h2.title", {}, " ");
const bar = playerBar(player, {
  reset: () => restart({ changes: [] }, 0),
  addTasks: (count) => addTasks(count).catch((error) => say(error.message, true)),
  seed: (seed) => restart({ seed }, player.time),
});
const presets = h("select", { id: "preset", onchange: () => choose(presets.value) });
const variants = h("div.variants");
const add = h("button", { type: "button", onclick: () => change([...state.variants, FIRST[0]]) }, "+ Another one");
const chartBox = h("div.charts");
const results = h("table", {}, h("caption.soft.small", {}, " "));
const zoomOut = h("button", { type: "button", hidden: true, onclick: () => charts.reset() }, "Show all again");
const charts = new ChartGroup(chartBox, () => {
  zoomOut.hidden = !charts.fixed;
});

app.replaceChildren(
  h("div.source", {}, h("span.inline", {}, h("label", { for: "preset" }, "Scenario"), presets), picker("Open a file of your own", open), h("span.soft.small", {}, "or drop one here: a scenario or a trace")),
  notice, title, bar.root,
  h("h3", {}, "What is compared"), variants, add,
  h("section.paper", {}, h("h3", {}, "Results so far"), h("div.scroll", { tabindex: "0", role: "region", "aria-label": "Results" }, results)),
  h("section.paper", {}, h("div.row", {}, h("h3", {}, "Over time"), zoomOut), chartBox),
  h("section.share", {}, h("h3", {}, "Take it with you"), h("div.row", {},
    h("button", { type: "button", onclick: copyLink }, "Copy link to this moment"),
    h("button", { type: "button", onclick: async () => download("charts.png", await charts.picture(title.textContent), "image/png") }, "Download picture"))),
);
acceptDrops(document.body, open);
// For whoever looks from the console, and for the tests.
window.wciPlayer = player;
player.addEventListener("frame", ({ detail }) => frame(detail));
player.addEventListener("failed", ({ detail }) => say(detail.text, true));
addEventListener("hashchange", fromAddress);
algorithms = await player.ask("algorithms");
await fromAddress();

async function fromAddress() {
  if (written === location.hash) return;
  const { problem, preset, seed, at, changes, file, variants: wanted } = read(location.hash);
  const own = preset ? null : state.own;
  const isHere = file && trace && isSameFile(trace, file);
  state = { ...NOTHING, own, preset: preset ?? (own ? null : PRESETS[0]), seed, changes, variants: wanted.length ? wanted : FIRST };
  state[isHere ? "file" : "awaited"] = file;
  try {
    if (problem) throw new Error(problem);
    await load(at);
    if (state.awaited) say(`This link replays the trace ${nameFile(file)}. Open that file to see it.`);
  } catch (error) {
    // There is something to look at all the same.
    state = { ...NOTHING, preset: PRESETS[0], variants: FIRST };
    await load(0).catch(() => {});
    say(`This link cannot be shown: ${error.message}\nHere is ${PRESETS[0]} instead.`, true);
  }
}

async function addTasks(count) {
  if (player.isDone) throw new Error("The run is over: nothing more happens in it. Reset begins it anew.");
  state.changes.push(await player.act({ add_tasks: { workload, count } }));
  writeAddress();
}

async function load(at) {
  const wanted = ++loads;
  wantedAt = at;
  const { own, file } = state;
  const base = own ? { toml: own.text, name: own.name } : { preset: state.preset };
  // The content counts: it is called as the link calls it.
  const files = file ? [{ name: file.name, bytes: trace.bytes }] : [];
  if (file) base.trace = file;
  const [first] = await player.ask("look", { runs: [{ ...base, set: [], changes: [] }], files });
  if (wanted !== loads) return;
  [group] = first.groups;
  const seed = state.seed === null ? [] : [["seed", String(state.seed)]];
  const runs = state.variants.map((variant) => ({ ...base, set: [...settings(variant), ...seed], changes: state.changes }));
  const loaded = await player.load({ runs, files, at });
  if (wanted !== loads) return;
  const { scenario } = loaded.runs[0];
  horizon = loaded.horizon;
  workload = scenario.workload[0].name;
  setText(title, scenario.title);
  bar.show({ seed: scenario.seed ?? 1, speed: scenario.demo?.speed ?? 60, horizon });
  tables = state.variants.map(() => ({ points: new Table(loaded.columns), waits: new Table(["t_s", "p50", "p95", "p99"]) }));
  showVariants();
  showPresets();
  makeCharts();
  notice.hidden = true;
}

// The rule and the provider of a variant, as values of the scenario.
function settings({ algorithm, provider, config }) {
  const pairs = Object.entries(config).map(([key, value]) => `${key} = ${JSON.stringify(String(value))}`);
  const at = `spec.scaling_group_specs.${/^[\w-]+$/.test(group) ? group : JSON.stringify(group)}`;
  return [
    [`${at}.compute`, `{ provider_type = ${JSON.stringify(provider)} }`],
    [`${at}.scaling`, `{ scaling_algorithm = ${JSON.stringify(algorithm)}, config = { ${pairs.join(", ")} } }`],
  ];
}

async function restart(changes, at) {
  const before = state;
  state = { ...state, ...changes };
  try {
    await load(at);
    writeAddress(at);
    return true;
  } catch (error) {
    // The runs that were there rest, and can go on.
    state = before;
    showVariants();
    showPresets();
    say(error.message, true);
    return false;
  }
}

function change(list) {
  return restart({ variants: list }, player.time);
}

function choose(preset) {
  if (preset) restart({ ...NOTHING, preset }, 0);
}

function nameOf({ algorithm, provider, config }) {
  const pairs = Object.entries(config).map(([key, value]) => `${key} ${value}`);
  return `${algorithm} on ${provider}${pairs.length ? `, ${pairs.join(", ")}` : ""}`;
}

function showVariants() {
  variants.replaceChildren(...state.variants.map(card));
  add.hidden = state.variants.length >= 4;
}

function card(variant, i) {
  const set = (changes) => change(state.variants.map((one, j) => (i === j ? { ...one, ...changes } : one)));
  const kind = algorithms.find((one) => one.name === variant.algorithm);
  const fitting = (name) => Object.keys(PROVIDERS).filter((provider) => algorithms.find((one) => one.name === name).strategies.includes(PROVIDERS[provider]));
  const [rule, provider] = [uniqueId("rule"), uniqueId("provider")];
  const choices = h("select", { id: rule, onchange: () => set({ algorithm: choices.value, provider: fitting(choices.value).includes(variant.provider) ? variant.provider : fitting(choices.value)[0], config: {} }) },
    ...algorithms.map(({ name }) => h("option", { value: name, selected: name === variant.algorithm }, name)));
  const providers = h("select", { id: provider, onchange: () => set({ provider: providers.value }) },
    ...fitting(variant.algorithm).map((name) => h("option", { value: name, selected: name === variant.provider }, name)));
  const fields = kind.keys.map((doc) => {
    const id = uniqueId("key");
    const input = h("input", {
      id, type: "number", step: "any", title: doc.help, placeholder: String(doc.default ?? ""), value: String(variant.config[doc.key] ?? ""),
      onchange: () => {
        const { [doc.key]: _, ...rest } = variant.config;
        set({ config: input.value === "" ? rest : { ...rest, [doc.key]: input.value } });
      },
    });
    return h("div.field", {}, h("label", { for: id }, `${doc.key}${doc.unit ? ` (${doc.unit})` : ""}`), input);
  });
  const isChanged = Object.keys(variant.config).length > 0;
  return h(`div.variant.${INKS[i]}`, {},
    h("div.field", {}, h("label", { for: rule }, "Rule"), choices),
    h("div.field", {}, h("label", { for: provider }, "Provider"), providers),
    h("details", { open: isChanged }, h("summary", {}, "Settings"), h("div.fields", {}, ...fields)),
    state.variants.length > 2 && h("button", { type: "button", onclick: () => change(state.variants.filter((_, j) => j !== i)) }, "Leave out"));
}

function showPresets() {
  const names = [...new Set([...PRESETS, ...(state.preset ? [state.preset] : [])])];
  const { own } = state;
  presets.replaceChildren(...(own ? [h("option", { value: "" }, own.name)] : []), ...names.map((name) => h("option", { value: name }, name)));
  presets.value = own ? "" : state.preset;
}

function makeCharts() {
  charts.clear();
  charts.follow(0, horizon / 1000);
  const series = (name, format, which = "points", step = false) => tables.map((one, i) => ({
    table: one[which], name, label: nameOf(state.variants[i]), ink: INKS[i], dash: DASHES[i], format, step,
  }));
  const all = (table, row) => table.column("starting")[row] + table.column("ready")[row] + table.column("draining")[row];
  charts.add({ title: "Backlog", series: series("backlog", "count") });
  charts.add({ title: "Workers", series: series(all, "workers", "points", true) });
  charts.add({ title: "Schedule-to-start p95", log: true, series: series("p95", "ms", "waits") });
  charts.add({ title: "Cost so far", series: series("cost_usd", "usd") });
}

function frame({ t, isDone, isIdle, runs }) {
  if (runs.length !== tables.length) return;
  runs.forEach((run, i) => {
    const { points, waits } = tables[i];
    if (run.isReset) points.clear();
    points.append(run.points);
    if (run.waits.isReset) waits.clear();
    waits.append(run.waits.points);
  });
  bar.time(t, isDone, isIdle);
  charts.follow(t / 1000, horizon / 1000);
  charts.draw();
  const key = `${loads} ${t}`;
  if (!isIdle) showLive(runs);
  else if (key !== summarised) {
    summarised = key;
    writeAddress(t);
    showSummaries();
  }
}

function showLive(runs) {
  fill("While it runs; the full table comes when it rests.", LIVE, runs.map((run) => run.view));
}

async function showSummaries() {
  // While others are loaded, the rules are not those of the runs that are there.
  const mine = tables;
  const all = await Promise.all(mine.map((_, run) => player.ask("summary", { run }))).catch((error) => {
    if (mine === tables) throw error;
  });
  if (mine === tables && !player.isPlaying) fill("As `wci run` counts: up to this moment, committed lifetimes billed in full.", FINAL, all);
}

function fill(caption, columns, rows) {
  results.replaceChildren(
    h("caption.soft.small", {}, caption),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Rule"), ...columns.map(([name]) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...rows.map((row, i) => h("tr", {},
      h("th", { scope: "row" }, h(`span.bullet.${INKS[i]}`, { "aria-hidden": "true" }), nameOf(state.variants[i])),
      ...columns.map(([, text]) => h("td", {}, text(row)))))),
  );
}

function writeAddress(at = player.time) {
  const fragment = link(at);
  if (fragment === null) return;
  written = fragment;
  history.replaceState(null, "", fragment);
}

// Null where it cannot be one.
function link(at) {
  return state.own ? null : write({ ...state, file: state.file ?? state.awaited, at });
}

async function copyLink() {
  const at = await player.rest();
  if (link(at) === null) return say(state.own ? "A scenario of your own goes as a file, not as a link: give that file, and tell which rules are compared." : "This comparison is too long for a link.");
  writeAddress(at);
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link is copied: it shows this very moment.");
  } catch {
    say(`The browser does not let a page copy here. The address holds it all: ${location.href}`);
  }
}

function open(files) {
  return take(files).catch((error) => say(error.message, true));
}

async function take([file]) {
  if (!file) return undefined;
  if (file.size > LARGEST) throw new Error(`${file.name}: found ${file.size} bytes, expected at most ${LARGEST}`);
  const kind = await kindOf(file);
  if (kind === "trace") return replay(file);
  if (kind === "journal") return say(`${file.name} is a journal: drop it on the page of an algorithm.`, true);
  const own = { name: file.name.replace(/\.toml$/i, ""), text: await file.text() };
  if (!(await restart({ ...NOTHING, own }, 0))) return undefined;
  return history.replaceState(null, "", location.pathname + location.search);
}

// All of them on the arrivals of a trace, in place of the scenario's own.
async function replay(file) {
  const bytes = await file.arrayBuffer();
  const found = { name: file.name, size: file.size, sha256: await sha256(bytes) };
  const { awaited } = state;
  if (awaited && !isSameFile(found, awaited)) {
    say(`${nameFile(found)} is not the file of the link, which is ${nameFile(awaited)}. Open that one, or `, true);
    const anyway = () => replayAs(file, found, bytes).catch((error) => say(error.message, true));
    return notice.append(" ", h("button", { type: "button", onclick: anyway }, "replay this one as it is"));
  }
  if (!awaited) return replayAs(file, found, bytes);
  trace = { ...found, bytes };
  return restart({ file: awaited, awaited: null }, wantedAt);
}

async function replayAs(file, found, bytes) {
  const formats = await player.ask("formats");
  const format = await guessFormat(file, formats);
  const attempt = async (chosen) => {
    const before = trace;
    trace = { ...found, bytes };
    const isRead = await restart({ file: { ...found, format: chosen }, awaited: null, changes: [] }, 0);
    if (isRead) say(`${file.name} replayed as `);
    else trace = before;
    const choice = h("select", { "aria-label": "Format of the trace", onchange: () => attempt(choice.value) },
      ...formats.map((name) => h("option", { value: name, selected: name === chosen }, name)));
    notice.append(" ", choice);
  };
  return attempt(format);
}

function say(text, isBad = false) {
  notice.hidden = false;
  notice.classList.toggle("bad", isBad);
  setText(notice, text);
}
