// The simulator's side of the cluster's page: a module worker that owns the WebAssembly and lets time pass in slices of
// a few milliseconds. It speaks as the other pages' worker does, with one run and what that has to show.

import init, { Cluster } from "../pkg/wci_wasm_cluster.js";

const SLICE_MS = 8;
// A tab that was asleep does not catch up with hours.
const LONGEST_STEP_MS = 100;
// The first stretch of simulated time that is gone at once; then as long as a slice takes.
const FIRST_STRETCH_MS = 60_000;

const state = {
  cluster: null,
  clock: 0, // simulated ms up to which everything has happened
  goal: null, // run as fast as possible up to there, then stop
  toDecision: false,
  speed: 1, // simulated seconds a second; null: as fast as possible
  isPlaying: false,
  isOver: false,
  lastWall: 0,
  stretch: FIRST_STRETCH_MS,
  isFrameWanted: false,
  isLooping: false,
  lines: 0, // of the log, that the page has
  samples: -1, // of the timeline, that the page has
  load: 0,
  order: 0,
};

let queue = module().then((module_or_path) => init({ module_or_path }));
const channel = new MessageChannel();
channel.port1.onmessage = () => loop();

// One message after the other, also when one has to wait for the module.
self.onmessage = ({ data }) => {
  queue = queue.then(() => obey(data), (error) => fail(error, data.id));
};

async function obey(data) {
  try {
    if (data.order) state.order = data.order;
    await commands[data.cmd](data);
  } catch (error) {
    fail(error, data.id);
  }
  wake();
}

async function packaged(file) {
  const response = await fetch(new URL(`../pkg/${file}`, import.meta.url));
  if (!response.ok) throw new Error(`there is no ${file}`);
  return response;
}

// The module lies compressed in the package; a server may have unpacked it on the way.
async function module() {
  const bytes = new Uint8Array(await (await packaged("wci_wasm_cluster_bg.wasm.gz")).arrayBuffer());
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const unpacked = () => new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return isPacked ? new Response(unpacked()).arrayBuffer() : bytes;
}

const texts = new Map();
async function text(file) {
  if (!texts.has(file)) texts.set(file, await (await packaged(file)).text());
  return texts.get(file);
}

const SHIPPED = "auto-scaling.xml";

// The file that a scenario says its tasks stand in; null: none.
function named(scenario) {
  const found = /^[ \t]*"?definitions"?[ \t]*=[ \t]*(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)')/m.exec(scenario);
  if (!found) return null;
  return found[1] === undefined ? found[2] : JSON.parse(`"${found[1]}"`);
}

// What stands in it: for a file of one's own that is what came with it, or the shipped one if it names that alone.
async function definitionsOf(scenario, own) {
  const wanted = named(scenario);
  const name = wanted?.split(/[\\/]/).pop();
  const came = own?.xml !== undefined;
  if (came && name === own.xmlName) return own.xml;
  if (!came && name === SHIPPED) return text(`scenarios/cluster/${SHIPPED}`);
  if (wanted !== null) throw new Error(`${own.name}: definitions: found no ${wanted}; drop it too`);
  if (came) throw new Error(`${own.xmlName}: found task definitions that ${own.name} does not name`);
  return "";
}

const commands = {
  // A preset, or a scenario of one's own with the definitions that it names.
  async load({ id, preset, own, settings, hands, at }) {
    commands.pause();
    const file = own?.name ?? `${preset}.toml`;
    const scenario = own?.toml ?? (await text(`scenarios/cluster/${encodeURIComponent(preset)}.toml`));
    const definitions = await definitionsOf(scenario, own);
    const next = new Cluster(scenario, file, definitions, JSON.stringify(settings));
    state.cluster?.free();
    Object.assign(state, { cluster: next, clock: 0, goal: null, toDecision: false, isPlaying: false, isOver: false, load: id });
    Object.assign(state, { stretch: FIRST_STRETCH_MS, lines: 0, samples: -1 });
    for (const [when, kind, node] of hands) {
      next.advance(when - 1);
      next.act(node, kind);
    }
    look();
    state.goal = Math.max(at, state.clock);
    const about = { title: next.title, horizon: next.horizon, seed: next.seed, settings: JSON.parse(next.settings()) };
    post({ type: "loaded", id, ...about });
  },
  play({ speed }) {
    if (speed !== undefined) state.speed = speed;
    Object.assign(state, { isPlaying: true, goal: null, toDecision: false, lastWall: performance.now() });
  },
  speed({ speed }) {
    state.speed = speed;
  },
  pause() {
    Object.assign(state, { isPlaying: false, toDecision: false, goal: null, isFrameWanted: true });
  },
  goal({ at }) {
    Object.assign(state, { isPlaying: false, toDecision: false, goal: at });
  },
  // From where it is told to go already: quick steps add up.
  step({ by }) {
    const isOnTheWay = state.goal !== null && Number.isSafeInteger(state.goal + by);
    const from = isOnTheWay ? state.goal : state.clock;
    Object.assign(state, { isPlaying: false, toDecision: false, goal: from + by });
  },
  decision() {
    Object.assign(state, { isPlaying: false, goal: null, toDecision: true });
  },
  act({ id, change }) {
    const { cluster } = state;
    if (state.isOver) throw new Error("the run is over: nothing can happen in it any more");
    cluster.act(change.node, change.kind);
    const at = state.clock + 1;
    look();
    post({ type: "answer", id, value: at });
  },
  frame() {
    state.isFrameWanted = true;
  },
  toml({ id }) {
    post({ type: "answer", id, value: state.cluster.scenario_toml() });
  },
  summary({ id }) {
    post({ type: "answer", id, value: { digest: state.cluster.digest() } });
  },
};

// Where the run stands now.
function look() {
  state.view = state.cluster.view();
  const { t_s, is_over } = JSON.parse(state.view);
  Object.assign(state, { clock: Math.round(t_s * 1000), isOver: is_over });
}

function isBusy() {
  return state.cluster !== null && (state.isPlaying || state.goal !== null || state.toDecision);
}

function wake() {
  if (!state.isLooping && (isBusy() || (state.isFrameWanted && state.cluster))) {
    state.isLooping = true;
    channel.port2.postMessage(0);
  }
}

function loop() {
  state.isLooping = false;
  let isAhead = true;
  try {
    if (isBusy()) isAhead = slice();
  } catch (error) {
    commands.pause();
    fail(error);
  }
  if (state.isFrameWanted && state.cluster) sendFrame();
  if (!isBusy()) return;
  if (isAhead) {
    // In step with the clock: nothing to do for a moment.
    state.isLooping = true;
    setTimeout(loop, 4);
  } else {
    wake();
  }
}

// Lets time pass for about one slice. True: everything up to the wanted time has happened.
function slice() {
  const { cluster } = state;
  const end = cluster.horizon;
  if (state.toDecision) {
    cluster.to_next_verdict();
    state.toDecision = false;
    look();
    return true;
  }
  const target = Math.min(end, state.goal ?? wanted(performance.now()));
  const began = performance.now();
  while (state.clock < target && !state.isOver && performance.now() - began < SLICE_MS) {
    const before = performance.now();
    cluster.advance(Math.min(target, state.clock + state.stretch));
    look();
    // Stretches as long as half a slice, so that the page is never without an answer for long.
    const took = performance.now() - before;
    state.stretch = Math.max(1, Math.min(end, Math.round(state.stretch * (took < SLICE_MS / 2 ? 2 : 0.5))));
  }
  if (state.isOver || state.clock >= end) return finish();
  if (state.clock < target) return false;
  state.goal = null;
  return true;
}

function wanted(wall) {
  if (!state.isPlaying) return state.clock;
  if (state.speed === null) return state.cluster.horizon;
  const passed = Math.floor(Math.min(wall - state.lastWall, LONGEST_STEP_MS) * state.speed);
  // Whole milliseconds: what a link can name. The rest of a step is kept for the next one.
  if (passed > 0) state.lastWall = Math.max(state.lastWall + passed / state.speed, wall - LONGEST_STEP_MS);
  return state.clock + passed;
}

function finish() {
  Object.assign(state, { isPlaying: false, goal: null });
  return true;
}

function sendFrame() {
  const { cluster } = state;
  const { log_length } = JSON.parse(state.view);
  const log = log_length === state.lines ? undefined : cluster.lines(state.lines);
  const from = state.lines;
  state.lines = log_length;
  const samples = cluster.samples;
  const timeline = samples === state.samples ? undefined : cluster.timeline();
  state.samples = samples;
  state.isFrameWanted = false;
  const run = { view: state.view, log, from, timeline };
  post({ type: "frame", load: state.load, order: state.order, t: state.clock, isIdle: !isBusy(), isDone: state.isOver, runs: [run] });
}

function fail(error, id) {
  const isTrap = error instanceof WebAssembly.RuntimeError;
  const text = isTrap ? `the simulator stopped: ${error.message}; reload the page` : (error?.message ?? String(error));
  post({ type: "error", id, text });
}

function post(message) {
  self.postMessage(message);
}
