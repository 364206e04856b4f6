// Numbers and times the way people read them.

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1000], ["ms", 1]];

export function duration(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  if (ms === 0) return "0 ms";
  const [unit, size] = UNITS.find(([, size]) => Math.abs(ms) >= size * 0.9995) ?? UNITS.at(-1);
  return `${digits(ms / size)} ${unit}`;
}

export function number(x) {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  // A zero has no sign.
  return Number.isInteger(x) ? (x + 0).toLocaleString("en") : digits(x);
}

export function money(usd) {
  if (usd === null || usd === undefined || Number.isNaN(usd)) return "–";
  if (usd === 0) return "$0";
  return usd >= 1 ? `$${usd.toFixed(2)}` : `$${usd.toPrecision(2).replace(/e.*$/, (e) => e)}`;
}

export function percent(x) {
  return x === null || x === undefined || Number.isNaN(x) ? "–" : `${digits(100 * x)} %`;
}

// About three digits that matter.
function digits(x) {
  const size = Math.abs(x);
  const places = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.01 || size === 0 ? 2 : 4;
  return x.toLocaleString("en", { maximumFractionDigits: places });
}

// Simulated time as a clock: 1:02:03.4, with as many parts as the whole run needs.
export function clock(ms, wholeMs = ms, places = 1) {
  const whole = Math.max(0, ms);
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor(whole / 60_000) % 60;
  const seconds = (Math.floor((whole % 60_000) / 10 ** (3 - places)) / 10 ** places).toFixed(places);
  const width = places ? 3 + places : 2;
  const rest = `${String(minutes).padStart(2, "0")}:${seconds.padStart(width, "0")}`;
  return wholeMs >= 3_600_000 || hours ? `${hours}:${rest}` : rest;
}

// "1m30s", "800ms" or a number of seconds to milliseconds; NaN if it is none.
export function parseDuration(text) {
  const sizes = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, ns: 0.000001 };
  const parts = [...String(text).trim().matchAll(/([\d.]+)\s*(ms|us|ns|d|h|m|s)/g)];
  if (parts.length === 0) return Number.NaN;
  return parts.reduce((sum, [, value, unit]) => sum + Number(value) * sizes[unit], 0);
}
