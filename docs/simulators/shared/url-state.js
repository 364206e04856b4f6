// The run in the address: preset, differences, seed, moment and every hand action. Nothing else decides a run, so a
// link shows the very same moment to whoever opens it.
//
//   #p=demo-no-sync&seed=7&t=63500&s=group.workers.worker.slots%3D8&c=61000;add;tasks;300
//
// A change is `time in ms;what;..`; what the short forms do not know is written as JSON.

export const LONGEST = 2000;

export function read(fragment) {
  const state = { preset: null, seed: null, at: 0, set: [], changes: [], file: null, variants: [], problem: null };
  const take = (key, value) => {
    if (key === "p") state.preset = value;
    else if (key === "seed") state.seed = /^\d+$/.test(value) ? value : null;
    else if (key === "t") state.at = /^\d+$/.test(value) ? Number(value) : null;
    else if (key === "s") state.set.push(splitOnce(value, "="));
    else if (key === "c") state.changes.push(decodeChange(value));
    else if (key === "v") state.variants.push(decodeVariant(value));
    else if (key === "f") state.file = decodeFile(value);
  };
  for (const [key, value] of new URLSearchParams(fragment.replace(/^#/, ""))) {
    take(key, value);
    const isBad = { seed: state.seed === null, t: state.at === null, f: state.file === null, s: !(state.set.at(-1)?.length > 1), c: state.changes.at(-1) === null }[key];
    if (isBad) state.problem ??= `${key}=${value} cannot be read`;
  }
  return state;
}

// The fragment with its `#`, or null if it would be longer than a link should be.
export function write(state) {
  const parts = [];
  const add = (key, value) => parts.push(`${key}=${encode(value)}`);
  if (state.preset) add("p", state.preset);
  if (state.file) add("f", encodeFile(state.file));
  if (state.seed !== null && state.seed !== undefined) add("seed", state.seed);
  state.set?.forEach(([path, text]) => add("s", `${path}=${text}`));
  state.variants?.forEach((variant) => add("v", encodeVariant(variant)));
  state.changes?.forEach((change) => add("c", encodeChange(change)));
  if (state.at) add("t", Math.round(state.at));
  const fragment = `#${parts.join("&")}`;
  return fragment.length <= LONGEST ? fragment : null;
}

// What a fragment may hold as it is stays readable.
function encode(value) {
  return encodeURIComponent(value).replace(/%(3B|2C|3A|40|2F|20)/gi, (code) => (code === "%20" ? "+" : decodeURIComponent(code)));
}

function splitOnce(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function encodeChange(change) {
  const at = milliseconds(change.at);
  const { add_tasks: add, arrival_rate: arrival, rate_factor: factor, service, scaling } = change;
  const isPlain = (name) => !/[;,=]/.test(name);
  if (add && isPlain(add.workload)) return [at, "add", add.workload, add.count].join(";");
  if (arrival && isPlain(arrival.workload)) return [at, "rate", arrival.workload, arrival.rate].join(";");
  if (factor && isPlain(factor.workload)) return [at, "factor", factor.workload, factor.factor].join(";");
  if (service?.times?.kind === "uniform" && isPlain(service.workload)) {
    return [at, "work", service.workload, service.times.min, service.times.max].join(";");
  }
  const entries = Object.entries(scaling?.config ?? {});
  const isSimple = entries.every(([key, value]) => isPlain(key) && typeof value === "number");
  if (scaling && !scaling.scaling_algorithm && isSimple && isPlain(scaling.group)) {
    return [at, "set", scaling.group, entries.map(([key, value]) => `${key}=${value}`).join(",")].join(";");
  }
  const { at: _, ...rest } = change;
  return `${at};json;${JSON.stringify(rest)}`;
}

function decodeChange(text) {
  const [at, what, ...rest] = text.split(";");
  if (!/^\d+$/.test(at)) return null;
  const when = { at: `${at}ms` };
  switch (what) {
    case "add":
      return { ...when, add_tasks: { workload: rest[0], count: Number(rest[1]) } };
    case "rate":
      return { ...when, arrival_rate: { workload: rest[0], rate: Number(rest[1]) } };
    case "factor":
      return { ...when, rate_factor: { workload: rest[0], factor: Number(rest[1]) } };
    case "work":
      return { ...when, service: { workload: rest[0], times: { kind: "uniform", min: rest[1], max: rest[2] } } };
    case "set": {
      const entries = (rest[1] ?? "").split(",").map((pair) => splitOnce(pair, "="));
      const config = Object.fromEntries(entries.map(([key, value]) => [key, Number(value)]));
      return { ...when, scaling: { group: rest[0], config } };
    }
    case "json":
      try {
        return { ...JSON.parse(rest.join(";")), ...when };
      } catch {
        return null;
      }
    default:
      return null;
  }
}

// A hand acts at whole milliseconds; the simulator writes them as "63501ms" or "1m3.501s".
function milliseconds(span) {
  const sizes = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  let sum = 0;
  for (const [, value, unit] of String(span).matchAll(/([\d.]+)(ms|d|h|m|s)/g)) sum += Number(value) * sizes[unit];
  return Math.round(sum);
}

function encodeVariant({ algorithm, provider, config }) {
  return [algorithm, provider, Object.entries(config).map(([key, value]) => `${key}=${value}`).join(",")].join(";");
}

function decodeVariant(text) {
  const [algorithm, provider, pairs = ""] = text.split(";");
  const config = Object.fromEntries(pairs.split(",").filter(Boolean).map((pair) => splitOnce(pair, "=")));
  return { algorithm, provider, config };
}

function encodeFile({ name, size, sha256, format }) {
  return [name, size, sha256, format ?? ""].join(";");
}

function decodeFile(text) {
  const [format, sha256, size, ...name] = text.split(";").reverse();
  if (name.length === 0 || !/^\d+$/.test(size) || !/^([0-9a-f]{64}|unknown)$/.test(sha256)) return null;
  return { name: name.reverse().join(";"), size: Number(size), sha256, format };
}
