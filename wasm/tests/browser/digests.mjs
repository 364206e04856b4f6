// Runs scenarios with a built package and compares their digests with the golden results, which native builds with
// everything optional wrote: `node digests.mjs PACKAGE SCENARIOS`. One line each: `ok NAME` or `FAIL NAME: why`.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const [pkg, scenarios] = process.argv.slice(2);
// Services: exponential, log-normal, uniform, gamma, Pareto; arrivals: Poisson, on-off, bursts, bulk, sinusoidal.
const NAMES = ["bench-mm50", "demo-no-sync", "demo-pid", "demo-peak-rate", "lambda-burst", "on-off", "k8s-day", "outage", "bulk-enqueue", "heavy-tails"];

for (const module of ["wci_wasm", "wci_wasm_files"]) {
  const source = readFileSync(join(pkg, `${module}.js`), "utf8");
  const { default: init, Simulator } = await import(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`).catch(
    () => import(pathToFileURL(join(pkg, `${module}.js`)).href),
  );
  await init({ module_or_path: gunzipSync(readFileSync(join(pkg, `${module}_bg.wasm.gz`))) });
  for (const name of NAMES) {
    try {
      const simulator = new Simulator(readFileSync(join(scenarios, `${name}.toml`), "utf8"), `${name}.toml`);
      simulator.begin();
      while (!simulator.step_until(Number.MAX_VALUE, 1_000_000));
      const { digest } = JSON.parse(simulator.summary());
      simulator.free();
      const golden = JSON.parse(readFileSync(join(scenarios, "golden", `${name}.json`), "utf8"));
      console.log(digest === golden.digest ? `ok ${module}: digest of ${name}` : `FAIL ${module}: digest of ${name}: native ${golden.digest}, found ${digest}`);
    } catch (error) {
      console.log(`FAIL ${module}: digest of ${name}: ${error.message}`);
    }
  }
}
