// The simulator's side of a page: a module worker that owns the WebAssembly, lets time pass in slices of at most
// 8 ms and tells the page what there is to draw, one message a frame, when the page asks for one.

import * as view from "../pkg/wci_wasm.js";

const SLICE_MS = 8;
// Well below a millisecond: between two calls it looks at the clock.
const EVENTS_A_CALL = 1000;
// How many of the last slices are remembered, for whoever wants to know how long they were.
const SLICES_KEPT = 500;
// A tab that was asleep does not catch up with hours.
const LONGEST_STEP_MS = 100;
const LOG_EVERY_MS = 300;
// Several runs go on side by side: none gets further ahead of the others than this share of the whole.
const STRIDE = 1 / 400;

const state = {
  runs: [], // { simulator, columns, generation, waitsFrom, waitsWidth, decisions, isDone }
  clock: 0, // simulated ms up to which everything has happened or shall happen
  goal: null, // run as fast as possible up to there, then stop
  toDecision: false,
  speed: 1, // simulated seconds a second; null: as fast as possible
  isPlaying: false,
  lastWall: 0,
  horizon: 0,
  group: -1,
  isFrameWanted: false,
  isLogStale: true,
  logAt: 0,
  load: 0,
  order: 0,
  isLooping: false,
  slices: [], // when each of the last ones began, and how long it was
};

// The module in use: the small one, until a file is dropped that only the whole one can read.
let engine = view;
let queue = module("wci_wasm").then((module_or_path) => view.default({ module_or_path }));
const channel = new MessageChannel();
channel.port1.onmessage = () => loop();

// One message after the other, also when one has to wait for a module.
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

// A module lies compressed in the package; a server may have unpacked it on the way.
async function module(name) {
  const bytes = new Uint8Array(await (await packaged(`${name}_bg.wasm.gz`)).arrayBuffer());
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const unpacked = () => new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return isPacked ? new Response(unpacked()).arrayBuffer() : bytes;
}

// A text of the package, fetched once.
const texts = new Map();
async function text(file) {
  if (!texts.has(file)) texts.set(file, await (await packaged(file)).text());
  return texts.get(file);
}

async function scenario(name) {
  try {
    return await text(`scenarios/${encodeURIComponent(name)}.toml`);
  } catch {
    throw new Error(`there is no scenario called ${name}`);
  }
}

async function readFiles() {
  const whole = await import("../pkg/wci_wasm_files.js");
  await whole.default({ module_or_path: await module("wci_wasm_files") });
  engine = whole;
}

const commands = {
  async load(message) {
    // Where the new runs cannot be had, the old ones rest, and go on when they are told to.
    commands.pause();
    const runs = await openAll(message);
    const described = runs.map((run) => describe(run, message.controls ?? []));
    state.runs.forEach((run) => run.simulator.free());
    Object.assign(state, { runs, clock: 0, goal: null, toDecision: false, isPlaying: false, load: message.id });
    state.horizon = Math.max(...state.runs.map((run) => run.simulator.horizon()));
    state.group = message.group ?? -1;
    state.isLogStale = true;
    post({ type: "loaded", id: message.id, runs: described, horizon: state.horizon, columns: engine.Simulator.columns() });
    if (message.at > 0) state.goal = message.at;
  },
  // What a run would be, without touching those that are there.
  async look({ id, ...message }) {
    const runs = await openAll(message);
    const described = runs.map((run) => describe(run, message.controls ?? []));
    runs.forEach((run) => run.simulator.free());
    post({ type: "answer", id, value: described });
  },
  algorithms({ id }) {
    post({ type: "answer", id, value: JSON.parse(engine.Simulator.algorithms()) });
  },
  play({ speed }) {
    if (speed !== undefined) state.speed = speed;
    state.isPlaying = true;
    state.goal = null;
    state.lastWall = performance.now();
  },
  speed({ speed }) {
    state.speed = speed;
  },
  pause() {
    Object.assign(state, { isPlaying: false, toDecision: false, isLogStale: true });
    state.clock = furthest();
    state.goal = state.clock;
    // The page sees at once where it rests.
    state.isFrameWanted = true;
  },
  slices({ id }) {
    post({ type: "answer", id, value: state.slices });
  },
  goal({ at }) {
    state.isPlaying = false;
    state.goal = at;
  },
  // From where it is told to go already: quick steps add up.
  step({ by }) {
    const isOnTheWay = state.goal !== null && Number.isSafeInteger(state.goal + by);
    const isMoving = state.isPlaying || state.toDecision || state.goal !== null;
    const from = isOnTheWay ? state.goal : isMoving ? furthest() : state.clock;
    Object.assign(state, { isPlaying: false, toDecision: false, goal: from + by });
  },
  decision() {
    state.isPlaying = false;
    state.goal = null;
    state.toDecision = true;
  },
  act({ id, change }) {
    // All runs to the same whole millisecond, so that the hand acts at the same time in each.
    const now = furthest();
    state.runs.forEach((run) => {
      while (!advance(run, now));
    });
    state.clock = Math.max(state.clock, now);
    if (state.runs.some((run) => run.isDone)) throw new Error("the run is over: nothing can be changed in it any more");
    const text = JSON.stringify(change);
    const done = state.runs.map((run) => JSON.parse(run.simulator.apply_change(text)));
    // Where it rests, it goes on to the moment at which the change is there to be seen.
    const at = Number.parseInt(done[0].at, 10);
    if (!state.isPlaying && !state.toDecision) state.goal = Math.max(state.goal ?? at, at);
    post({ type: "answer", id, value: done[0] });
  },
  frame() {
    state.isFrameWanted = true;
  },
  group({ group }) {
    state.group = group;
    for (const run of state.runs) {
      run.simulator.rewind();
      run.generation = -1;
    }
  },
  toml({ id, run = 0 }) {
    post({ type: "answer", id, value: state.runs[run].simulator.scenario_toml() });
  },
  csv({ id, run = 0 }) {
    post({ type: "answer", id, value: state.runs[run].simulator.csv() });
  },
  summary({ id, run = 0 }) {
    post({ type: "answer", id, value: JSON.parse(state.runs[run].simulator.summary()) });
  },
  async formats({ id }) {
    const { TraceFormat } = JSON.parse(await text("schema.json")).$defs;
    post({ type: "answer", id, value: TraceFormat.oneOf?.map((one) => one.const) ?? TraceFormat.enum });
  },
  // What parameters are for: the texts come with the schema, when a person asks for the first one.
  async help({ id, paths }) {
    const schema = await text("schema.json");
    post({ type: "answer", id, value: JSON.parse(state.runs[0].simulator.help(JSON.stringify(paths), schema)) });
  },
  async journal({ id, bytes }) {
    await readFiles();
    const journal = new engine.Journal();
    journal.feed(new Uint8Array(bytes));
    const incident = JSON.parse(journal.finish());
    const points = journal.points();
    journal.free();
    post({ type: "answer", id, value: { incident, points, columns: engine.Simulator.columns() } }, [points.buffer]);
  },
  bench({ id, toml }) {
    const simulator = new engine.Simulator(toml, "bench.toml");
    simulator.begin();
    const began = performance.now();
    while (!simulator.step_until(Number.MAX_VALUE, 1_000_000));
    const seconds = (performance.now() - began) / 1000;
    const { tasks, digest } = JSON.parse(simulator.summary());
    simulator.free();
    post({ type: "answer", id, value: { seconds, completed: tasks.completed, digest } });
  },
};

// All runs of a message, or none.
async function openAll(message) {
  if (message.files?.length) await readFiles();
  const texts = await Promise.all(message.runs.map((wanted) => wanted.toml ?? scenario(wanted.preset)));
  const runs = [];
  try {
    for (const [i, wanted] of message.runs.entries()) runs.push(open(texts[i], wanted, message));
  } catch (error) {
    runs.forEach((run) => run.simulator.free());
    throw error;
  }
  return runs;
}

function open(toml, wanted, { files = [], watch = [] }) {
  const simulator = new engine.Simulator(toml, `${wanted.name ?? wanted.preset ?? "scenario"}.toml`);
  try {
    for (const { name, bytes } of files) {
      simulator.open_input(name);
      simulator.feed(new Uint8Array(bytes));
      simulator.close_input();
    }
    if (wanted.trace) simulator.replay_trace(wanted.trace.name, wanted.trace.format);
    if (wanted.set?.length) simulator.set(JSON.stringify(wanted.set));
    if (wanted.changes?.length) simulator.add_changes(JSON.stringify(wanted.changes));
    simulator.watch(JSON.stringify(watch));
    simulator.begin();
  } catch (error) {
    simulator.free();
    throw error;
  }
  return { simulator, generation: -1, waitsFrom: 0, waitsWidth: 0, decisions: -1, isDone: false };
}

function describe({ simulator }, controls) {
  const scenario = JSON.parse(simulator.scenario_json());
  const fill = (path) => {
    const names = { group: groupNames(simulator)[0], workload: scenario.workload[0]?.name, queue: "0" };
    return path.replace(/\{(\w+)\}/g, (_, name) => quoted(names[name] ?? ""));
  };
  const paths = controls.map(fill);
  const described = JSON.parse(simulator.controls(JSON.stringify(paths)));
  const templates = new Map(paths.map((path, i) => [path, controls[i]]));
  return {
    scenario,
    groups: groupNames(simulator),
    controls: described.map((control) => ({ ...control, template: templates.get(control.path) })),
  };
}

function groupNames(simulator) {
  return JSON.parse(simulator.snapshot()).groups.map((group) => group.name);
}

function quoted(name) {
  return /^[\w-]+$/.test(name) ? name : JSON.stringify(name);
}

function isBusy() {
  return (state.isPlaying || state.goal !== null || state.toDecision) && state.runs.length > 0;
}

function wake() {
  if (!state.isLooping && (isBusy() || state.isFrameWanted)) {
    state.isLooping = true;
    channel.port2.postMessage(0);
  }
}

function loop() {
  state.isLooping = false;
  let isAhead = false;
  try {
    isAhead = isBusy() ? timed(slice) : true;
  } catch (error) {
    state.isPlaying = false;
    state.goal = null;
    state.toDecision = false;
    fail(error);
  }
  if (state.isFrameWanted && state.runs.length > 0) sendFrame();
  if (!isBusy()) return;
  if (isAhead) {
    // In step with the clock: nothing to do for a moment.
    state.isLooping = true;
    setTimeout(loop, 4);
  } else {
    wake();
  }
}

function timed(work) {
  const began = performance.now();
  const result = work();
  state.slices.push({ began: performance.timeOrigin + began, ms: performance.now() - began });
  if (state.slices.length > SLICES_KEPT) state.slices.shift();
  return result;
}

// Lets time pass for at most one slice. True: everything up to the wanted time has happened.
function slice() {
  const began = performance.now();
  const target = wantedTime(began);
  const deadline = began + SLICE_MS;
  if (state.toDecision) return stepToDecision(deadline);
  for (;;) {
    const open = state.runs.filter((run) => !run.isDone);
    if (open.length === 0) return finish();
    const stride = Math.min(target, Math.floor(slowest(open) + Math.max(1, state.horizon * STRIDE)));
    const until = open.length > 1 ? stride : target;
    let isReached = true;
    for (const run of open) {
      while (!advance(run, until)) {
        if (performance.now() >= deadline) return false;
      }
    }
    isReached = until >= target;
    if (isReached) break;
    if (performance.now() >= deadline) return false;
  }
  // Time ends with the run, however far it was told to go.
  if (state.runs.every((run) => run.isDone)) return finish();
  if (state.goal !== null) {
    state.clock = state.goal;
    state.goal = null;
    state.isLogStale = true;
  }
  return true;
}

function wantedTime(wall) {
  if (state.goal !== null) return state.goal;
  if (!state.isPlaying) return state.clock;
  if (state.speed === null) return Number.MAX_SAFE_INTEGER;
  const passed = Math.min(wall - state.lastWall, LONGEST_STEP_MS) * state.speed;
  // Whole milliseconds: what a link can name. The rest of a step is kept for the next one.
  const clock = Math.floor(state.clock + passed);
  if (clock > state.clock) {
    state.lastWall += (clock - state.clock) / state.speed;
    if (wall - state.lastWall > LONGEST_STEP_MS) state.lastWall = wall;
  }
  // What could not be simulated in time is not waited for: the clock stays with the run.
  const behind = slowest(state.runs.filter((run) => !run.isDone));
  state.clock = Math.min(clock, Math.floor(behind + LONGEST_STEP_MS * state.speed) + 1);
  return state.clock;
}

function slowest(runs) {
  return runs.length ? Math.min(...runs.map((run) => run.simulator.now())) : state.clock;
}

function advance(run, until) {
  const isReached = run.simulator.step_until(until, EVENTS_A_CALL);
  if (isReached) run.isDone = run.simulator.is_done();
  return isReached;
}

function stepToDecision(deadline) {
  const [first] = state.runs;
  while (!first.simulator.step_to_decision(Number.MAX_SAFE_INTEGER, EVENTS_A_CALL)) {
    if (performance.now() >= deadline) return false;
  }
  first.isDone = first.simulator.is_done();
  state.toDecision = false;
  // To the end of the millisecond: a link names this moment, and there it is the same.
  state.clock = Math.ceil(first.simulator.now());
  state.goal = state.clock;
  return false;
}

// The first whole millisecond that no run is beyond.
function furthest() {
  return Math.max(0, ...state.runs.map((run) => Math.ceil(run.simulator.now())));
}

function finish() {
  state.clock = furthest();
  state.isPlaying = false;
  state.goal = null;
  state.isLogStale = true;
  return true;
}

function sendFrame() {
  const now = performance.now();
  const isIdle = !isBusy();
  const wantsLog = state.isLogStale || now - state.logAt >= LOG_EVERY_MS;
  const transfer = [];
  const runs = state.runs.map((run) => {
    const { simulator } = run;
    const view = simulator.snapshot();
    const generation = simulator.generation();
    const points = simulator.points(state.group);
    const waits = newWaits(run);
    transfer.push(points.buffer, waits.points.buffer);
    const isReset = generation !== run.generation;
    run.generation = generation;
    const decisions = JSON.parse(view).decisions;
    let log;
    if (wantsLog && (decisions !== run.decisions || state.isLogStale)) {
      run.decisions = decisions;
      log = simulator.decisions();
    }
    return { view, points, isReset, waits, log };
  });
  if (wantsLog) state.logAt = now;
  if (wantsLog && isIdle) state.isLogStale = false;
  state.isFrameWanted = false;
  const t = state.isPlaying || state.goal !== null ? slowest(state.runs.filter((run) => !run.isDone)) : state.clock;
  post({ type: "frame", load: state.load, order: state.order, t, isIdle, isDone: state.runs.every((run) => run.isDone), runs }, transfer);
}

function newWaits(run) {
  let points = run.simulator.waits(run.waitsFrom);
  const isReset = points[0] !== run.waitsWidth;
  if (isReset) {
    run.waitsWidth = points[0];
    points = run.simulator.waits(0);
    run.waitsFrom = 0;
  }
  points = points.slice(1);
  run.waitsFrom += points.length / 4;
  return { isReset, points };
}

function fail(error, id) {
  const isTrap = error instanceof WebAssembly.RuntimeError;
  const text = isTrap ? `the simulator stopped: ${error.message}; reload the page` : (error?.message ?? String(error));
  post({ type: "error", id, text });
}

function post(message, transfer = []) {
  self.postMessage(message, transfer);
}
