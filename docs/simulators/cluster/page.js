// Distributed tasks on a cluster: a player, nodes to click, buckets as coloured cells, and why each scan did what it
// did. Everything that is decided is decided in the WebAssembly, which a worker owns; this page draws.

import { ChartGroup, Table } from "../shared/charts.js";
import { download, h, setText } from "../shared/dom.js";
import { acceptDrops, picker } from "../shared/files.js";
import { clock, number } from "../shared/format.js";
import { playerBar } from "../shared/player-bar.js";
import { Player } from "../shared/player.js";

const PRESETS = {
  "auto-scaling": "Nothing happens",
  "node-joins": "A third node joins",
  "node-crashes": "A node crashes",
  "node-crashes-closed": "A node crashes, idle workers are closed",
  "flapping-node": "A node comes and goes",
  "failed-scan": "A reconciliation fails",
  "failed-scan-retried": "… and is tried again",
  "changed-definition": "A definition changes",
  "uneven-buckets": "Buckets of different size",
};
// Keys of the scenario with what they are; their values come out of the WebAssembly.
const SETTINGS = [
  ["work.buckets", "Buckets of each task"],
  ["work.bucket", "Time for a bucket"],
  ["scan.interval", "Time between scans"],
  ["scan.min_interval", "Minimum between reconciliations"],
  ["scan.max_interval", "Maximum between reconciliations"],
  ["timers.down_after", "Silence until marked DOWN"],
];
const SWITCHES = [
  ["scan.skip_initial", "The first scan only looks"],
  ["scan.retry_failed", "Try failed tasks again"],
  ["scan.close_done", "Close idle workers when all is done"],
  ["scan.follow_definitions", "Follow changed definitions"],
];
const HANDS = {
  up: [["leave", "shut down"], ["silent", "fall silent"], ["crash", "crash"]],
  silent: [["return", "be heard again"], ["crash", "crash"]],
  down: [["join", "start"]],
};
const COUNTERS = ["matched", "renamed", "adapted", "suspended", "created", "resumed", "closed_done"];
const BUCKETS = { ".": "not begun", r: "given back", d: "with a worker", c: "complete" };
const LONGEST_LINK = 2000;
// More buckets than these are a bar instead of cells.
const MOST_CELLS = 2000;
const LARGEST_FILE = 16 * 1024 * 1024;

const app = document.getElementById("app");
const link = readLink();
let written = null; // the fragment that this page wrote last
let about = null; // title, horizon, seed and settings of the run
let view = null;
let own = null; // a scenario of one's own: name, toml, xml, xmlName
let samples = [];
let shownLines = 0;
let rested = null; // the moment that the address names

const player = new Player(new URL("./worker.js", import.meta.url));
const bar = playerBar(player, { reset: () => restart({ hands: [], at: 0 }), seed: (seed) => restart({ seed }) });
const table = new Table(["t", "nodes_up", "nodes_working", "workers_running", "workers_idle", "begun", "complete"]);
const nodesBox = h("div.nodes");
const bucketsBox = h("div");
const latchBox = h("dl.tiles");
const scansBody = h("tbody");
const log = h("ol.decisions", { tabindex: "0", "aria-label": "What happened" });
const problem = h("p.notice.bad", { role: "alert", hidden: true });
const title = h("p.title.soft");
const chartBox = h("div.charts");
const linkField = h("textarea", { readOnly: true, rows: 3, "aria-label": "Text to copy", hidden: true });
const copiedNote = h("span.soft", { role: "status" });
const preset = h("select", { id: "preset", onchange: () => { own = null; restart({ preset: preset.value, settings: {}, hands: [], at: 0, seed: null }); } },
  ...Object.entries(PRESETS).map(([name, text]) => h("option", { value: name }, text)));
const newNode = h("input", { id: "new-node", value: "C", maxLength: 20, size: 6 });
const fields = new Map();
let charts;

build();
start().catch((error) => fail(error));

async function start() {
  player.addEventListener("frame", ({ detail }) => show(detail));
  player.addEventListener("failed", ({ detail }) => fail(new Error(detail.text)));
  acceptDrops(document.body, (files) => take(files).catch((error) => fail(error)));
  await restart({});
  addEventListener("hashchange", () => {
    if (location.hash === written) return;
    own = null;
    restart(readLink());
  });
}

// Everything from the start, with what is different; hands act again at their moments. False: it is refused.
async function restart(change, files = own) {
  const was = { ...link };
  Object.assign(link, change);
  const settings = { ...link.settings, ...(link.seed === null ? {} : { seed: link.seed }) };
  const { preset: name, hands, at } = link;
  try {
    about = await player.load({ preset: name, own: files, settings, hands, at: Math.round(at) });
  } catch (error) {
    Object.assign(link, was);
    fail(error);
    if (about) writeAddress();
    return false;
  }
  own = files;
  problem.hidden = true;
  samples = [];
  shownLines = 0;
  rested = null;
  scansBody.replaceChildren();
  log.replaceChildren();
  setText(title, files ? `${about.title} (${files.name})` : about.title);
  preset.value = files ? "" : link.preset;
  fields.forEach((field, key) => field(about.settings[key]));
  bar.show({ horizon: about.horizon, seed: about.seed, speed: 10 });
  return true;
}

// Files of one's own: a scenario, task definitions, or both.
async function take(files) {
  const texts = {};
  let xmlName;
  let called = null;
  for (const file of files) {
    const kind = /\.(toml|xml)$/i.exec(file.name)?.[1].toLowerCase();
    if (!kind) throw new Error(`${file.name}: expected a scenario (.toml) or task definitions (.xml)`);
    if (file.size > LARGEST_FILE) throw new Error(`${file.name}: found ${file.size} bytes, expected at most ${LARGEST_FILE}`);
    texts[kind] = await file.text();
    if (kind === "xml") xmlName = file.name;
    if (kind === "toml" || called === null) called = file.name;
  }
  if (called === null) return;
  // Definitions alone run on two nodes to which nothing happens, as on the command line. JSON's texts are TOML's.
  const alone = () => `format = 1\ntitle = ${JSON.stringify(called)}\ndefinitions = ${JSON.stringify(called)}\nnodes = ["A", "B"]\n`;
  const chosen = { name: called, toml: texts.toml ?? alone(), xml: texts.xml, xmlName };
  await restart({ settings: {}, hands: [], at: 0, seed: null }, chosen);
}

async function act(kind, node) {
  try {
    link.hands.push([await player.act({ kind, node }), kind, node]);
  } catch (error) {
    fail(error);
  }
}

function show({ t, isDone, isIdle, runs: [run] }) {
  view = run.view;
  bar.time(t, isDone);
  showNodes();
  showBuckets();
  showLatch();
  if (run.log) showLines(run.log, run.from);
  if (run.timeline) samples = JSON.parse(run.timeline);
  showCharts();
  if (isIdle && rested !== t) {
    rested = t;
    link.at = t;
    writeAddress();
  }
}

const stateOf = (node) => (!node.is_working ? "down" : node.is_silent ? "silent" : "up");

function showNodes() {
  const cards = view.nodes.map((node) => {
    const state = stateOf(node);
    const record = node.is_up ? (node.is_alive ? "recorded as UP" : "recorded as UP, not heard of") : "recorded as DOWN";
    const really = { up: "works", silent: "works in silence", down: "does not work" }[state];
    const workers = view.tasks.flatMap((task) => task.workers.filter((worker) => (worker.node ?? worker.group) === node.name));
    return { key: JSON.stringify([node.name, state, record, workers.map((w) => [w.state, w.bucket, w.is_scavenger])]), node, state, record, really, workers };
  });
  const key = cards.map((card) => card.key).join();
  if (nodesBox.dataset.key === key) return;
  nodesBox.dataset.key = key;
  const focused = document.activeElement?.dataset?.hand;
  nodesBox.replaceChildren(...cards.map(({ node, state, record, really, workers }) =>
    h(`section.node.${state}`, { "aria-label": `Node ${node.name}` },
      h("h3", {}, node.name, " ", h("span.soft.small", {}, `${really}, ${record}`)),
      h("ul.crew", {}, ...workers.map((worker) => h(`li.${worker.state}`, { title: worker.name },
        worker.is_scavenger ? "scavenger" : "worker", " ", h("span.soft", {}, worker.state === "running" ? (worker.bucket === null ? "waits" : `bucket ${worker.bucket + 1}`) : worker.state)))),
      h("div.row", {}, ...HANDS[state].map(([kind, text]) =>
        h("button", { type: "button", "data-hand": `${node.name} ${kind}`, onclick: () => act(kind, node.name) }, text))))));
  if (focused) nodesBox.querySelector(`[data-hand="${CSS.escape(focused)}"]`)?.focus();
}

function showBuckets() {
  const key = view.tasks.map((task) => task.buckets).join("|");
  if (bucketsBox.dataset.key === key) return;
  bucketsBox.dataset.key = key;
  bucketsBox.replaceChildren(...view.tasks.map((task) => {
    const count = (letter) => task.buckets.split(letter).length - 1;
    const counts = Object.entries(BUCKETS).map(([letter, name]) => `${count(letter)} ${name}`);
    const caption = h("figcaption", {}, h("strong", {}, task.name), " ", h("span.soft.small", {}, counts.join(", ")));
    if (task.buckets.length > MOST_CELLS) {
      return h("figure.task", {}, caption, h("progress", { max: task.buckets.length, value: count("c"), "aria-label": counts.join(", ") }));
    }
    const cells = [...task.buckets].map((letter, i) => h(`span.cell.${{ ".": "new", r: "back", d: "taken", c: "done" }[letter]}`, { title: `bucket ${i + 1}: ${BUCKETS[letter]}` }));
    return h("figure.task", {}, caption,
      h("div.buckets", { role: "img", "aria-label": counts.join(", ") }, ...cells));
  }));
}

function showLatch() {
  const at = (s) => (s === null || s === undefined ? "–" : clock(s * 1000, about.horizon, 0));
  const { totals } = view;
  const tiles = [
    ["Latch", view.pending === null ? "not asked yet" : view.pending ? "put off" : "nothing pending", view.known_up.length ? `nodes at the last change: ${view.known_up.join(", ")}` : ""],
    ["Next scan", view.is_over ? "–" : at(view.next_scan_s), `last reconciliation: ${at(view.last_reconciliation_s)}`],
    ["Scans", number(totals.scans), `${totals.reconciliations} reconciled all, ${totals.partial_reconciliations} some; ${totals.put_off} put off`],
    ["Workers made", number(totals.workers_created), `${totals.workers_suspended} suspended, ${totals.workers_resumed} resumed`],
    ["Wasted work", `${number(totals.wasted_work_s)} s`, `${totals.buckets_given_back} buckets given back`],
    ["Marked DOWN", number(totals.nodes_marked_down), "by the other nodes"],
  ];
  if (!latchBox.children.length) latchBox.append(...tiles.map(([name]) => h("div.tile", {}, h("dt", {}, name), h("dd"), h("dd.more"))));
  tiles.forEach(([, value, more], i) => {
    const [, first, second] = latchBox.children[i].children;
    setText(first, value);
    setText(second, more);
  });
}

function showLines(news, from) {
  // Lines that are there already come again where a frame was asked for twice.
  for (const line of news.slice(Math.max(0, shownLines - from))) {
    const when = clock(line.t_s * 1000, about.horizon, 0);
    if (line.verdict !== null) scansBody.prepend(...scanRows(when, line));
    if (line.verdict === "nothing") continue;
    log.prepend(h("li", {}, h("span.when", {}, when), " ", line.text));
  }
  shownLines = from + news.length;
}

function scanRows(when, line) {
  const rows = Math.max(1, line.tasks.length);
  const first = [h("td", { rowSpan: rows }, when), h("td", { rowSpan: rows }, h("strong", {}, line.verdict)), h("td.why", { rowSpan: rows }, line.text)];
  const kind = line.verdict.replace(/ /g, "-");
  if (line.tasks.length === 0) return [h(`tr.${kind}`, {}, ...first, h("td"), h("td"))];
  return line.tasks.map((task, i) => h(`tr.${kind}`, {}, ...(i === 0 ? first : []), h("td.why", {}, task.task), h("td.why", {}, what(task))));
}

function what(task) {
  if (task.left_alone) return `left alone, because ${task.left_alone}`;
  const counts = COUNTERS.filter((name) => task[name] > 0).map((name) => `${task[name]} ${name.split("_")[0]}`);
  return (counts.join(", ") || "no workers") + (task.message ? `; then: ${task.message}` : "");
}

// How things stood holds until the next sample: two points at each, so that lines are steps.
function showCharts() {
  const values = (s) => [s.nodes_up, s.nodes_working, s.workers_running, s.workers_running + s.workers_idle, s.buckets_complete + s.buckets_delegated, s.buckets_complete];
  const rows = samples.flatMap((sample, i) => [
    ...(i ? [sample.t_s, ...values(samples[i - 1])] : []),
    sample.t_s, ...values(sample)]);
  const last = samples.at(-1);
  if (last && last.t_s < view.t_s) rows.push(view.t_s, ...values(last));
  table.clear();
  table.append(new Float64Array(rows));
  charts.follow(view.t_s, view.t_s);
  charts.draw();
}

function build() {
  const settings = h("fieldset", {}, h("legend", {}, "Settings"), h("p.soft.small", {}, "A change runs everything again up to the same moment."));
  for (const [key, name] of SETTINGS) {
    const input = h("input", { id: key, placeholder: "none", onchange: () => setting(key, input.value.trim()) });
    fields.set(key, (value) => { input.value = value; });
    settings.append(h("div.field", {}, h("label", { for: key }, name), input));
  }
  for (const [key, name] of SWITCHES) {
    const input = h("input", { id: key, type: "checkbox", onchange: () => setting(key, String(input.checked)) });
    fields.set(key, (value) => { input.checked = value === "true"; });
    settings.append(h("label.check", { for: key }, input, name));
  }
  const side = h("aside.side", { "aria-label": "Settings" }, settings);
  const legend = h("p.soft.small.key", {}, ...[["new", "not begun"], ["back", "given back"], ["taken", "with a worker"], ["done", "complete"]]
    .flatMap(([name, text]) => [h(`span.cell.${name}`, { "aria-hidden": "true" }), ` ${text} `]));
  const join = h("div.row", {}, h("label", { for: "new-node" }, "Another node"), newNode,
    h("button", { type: "button", onclick: () => newNode.value.trim() && act("join", newNode.value.trim()) }, "join"));
  const head = ["Time", "Verdict", "Why", "Task", "What it did"];
  const stage = h("div.stage", {},
    latchBox,
    h("section", {}, h("h2", {}, "Nodes"), nodesBox, join),
    h("section", {}, h("h2", {}, "Buckets"), bucketsBox, legend),
    h("section", {}, h("h2", {}, "Why each scan did what it did"),
      h("div.scroll.scans", { tabIndex: 0, role: "region", "aria-label": "Scans" }, h("table", {}, h("thead", {}, h("tr", {}, ...head.map((name) => h("th", { scope: "col" }, name)))), scansBody))),
    h("section", {}, h("h2", {}, "Over time"), chartBox),
    h("section", {}, h("h2", {}, "What happened"), log));
  const share = h("div.share.tools.row", {},
    h("button", { type: "button", onclick: copyLink }, "Copy link to this moment"),
    h("button", { type: "button", onclick: async () => copy(await player.ask("toml"), "The scenario is copied.") }, "Copy scenario"),
    h("button", { type: "button", onclick: async () => download("scenario.toml", await player.ask("toml"), "text/plain") }, "Download scenario"),
    copiedNote, linkField);
  app.replaceChildren(problem, h("div.source", {}, h("span.inline", {}, h("label", { for: "preset" }, "What happens"), preset),
    picker("Open a file of your own", (files) => take(files).catch((error) => fail(error))),
    h("span.soft.small", {}, "or drop it here: a scenario (TOML), task definitions (XML), or both")), title,
    bar.root, h("div.columns", {}, side, stage), share);
  charts = new ChartGroup(chartBox, () => view && showCharts());
  const line = (name, label, ink, more = {}) => ({ table, name, label, ink, ...more });
  charts.add({ title: "Nodes", height: 120, series: [line("nodes_up", "recorded as UP", "orange", { dash: "dash" }), line("nodes_working", "working", "blue")] });
  charts.add({ title: "Workers", height: 130, series: [line("workers_idle", "all that have not ended", "orange", { dash: "dash" }), line("workers_running", "running", "blue")] });
  charts.add({ title: "Buckets", height: 150, series: [line("begun", "begun", "sky", { dash: "dash" }), line("complete", "complete", "green", { fill: true })] });
}

function setting(key, value) {
  const settings = { ...link.settings, [key]: value };
  if (value === "") delete settings[key];
  restart({ settings, at: player.time });
}

// The run in the address: preset, settings, seed, moment and every hand action.
function readLink() {
  const state = { preset: "node-joins", seed: null, at: 0, settings: {}, hands: [] };
  for (const [key, value] of new URLSearchParams(location.hash.slice(1))) {
    if (key === "p" && value in PRESETS) state.preset = value;
    if (key === "seed" && /^\d+$/.test(value)) state.seed = value;
    if (key === "t" && /^\d+$/.test(value)) state.at = Number(value);
    if (key === "s") state.settings[value.split("=", 1)[0]] = value.slice(value.indexOf("=") + 1);
    if (key === "c" && /^\d+;[a-z]+;.+/.test(value)) {
      const [at, kind, ...node] = value.split(";");
      state.hands.push([Number(at), kind, node.join(";")]);
    }
  }
  return state;
}

// The fragment of what is shown, or null if it would be longer than a link should be.
function fragment() {
  // A file of one's own is in no link.
  if (own) return null;
  const parts = new URLSearchParams({ p: link.preset });
  if (link.seed !== null) parts.append("seed", link.seed);
  Object.entries(link.settings).forEach(([key, value]) => parts.append("s", `${key}=${value}`));
  link.hands.forEach((hand) => parts.append("c", hand.join(";")));
  parts.append("t", String(Math.round(player.time)));
  const text = `#${parts}`;
  return text.length > LONGEST_LINK ? null : text;
}

function writeAddress() {
  const text = fragment();
  if (text === null) return;
  history.replaceState(null, "", text);
  written = location.hash;
}

async function copyLink() {
  await player.rest();
  if (own) return fail(new Error("a link cannot hold a file of your own: download the scenario"));
  if (fragment() === null) return fail(new Error("too many hands for a link: download the scenario"));
  writeAddress();
  return copy(location.href, "The link is copied: it shows this very moment.");
}

async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    linkField.hidden = true;
    setText(copiedNote, said);
  } catch {
    setText(copiedNote, "The browser does not let a page copy here. This is the text:");
    linkField.hidden = false;
    linkField.value = text;
    linkField.select();
  }
}

function fail(error) {
  problem.hidden = false;
  problem.textContent = String(error?.message ?? error);
}

// For whoever compares this run with the command line's.
globalThis.wciPlayer = player;
