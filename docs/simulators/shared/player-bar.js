// The bar of buttons: start, pause, step, reset, speed, seed, next decision, tasks by hand. Keys: space, arrow right,
// n and r. What is replayed has no seed and takes no tasks: then `seed` and `addTasks` are left out.

import { h, setText } from "./dom.js";
import { clock } from "./format.js";

const SPEEDS = [1, 2, 5, 10, 20, 60, 120, 300, 600, 1000];

let keys = null;

// Whether the browser itself, or a field, has a use for this key where the focus is.
function isForBrowser({ key, target }) {
  const isIn = (what) => Boolean(target.closest?.(what));
  if (isIn("input:not([type=checkbox]), select, textarea")) return true;
  if (key === " ") return isIn("button, summary, a, input");
  return key === "ArrowRight" && isIn(".scroll");
}

export function playerBar(player, { reset, addTasks, seed }) {
  const button = (name, title, onclick) => h("button", { type: "button", title, onclick }, name);
  const toggle = () => (player.isPlaying ? player.pause() : player.play());
  const step = () => player.step(1000);
  const play = button("Start", "Start or pause (space)", toggle);
  play.classList.add("primary");
  const speed = h("select", { id: "speed", onchange: () => player.setSpeed(Number(speed.value) || null) },
    ...SPEEDS.map((x) => h("option", { value: String(x) }, `${x}×`)), h("option", { value: "" }, "fastest"));
  const seedField = h("input", { id: "seed", type: "number", min: "0", step: "1", required: true, onchange: newSeed });
  let shownSeed = "";
  async function newSeed() {
    // 1e3 is a number, too; what is too large for one is refused in words by the simulator.
    const text = /^\d+$/.test(seedField.value) ? seedField.value : String(Number(seedField.value));
    const isTaken = seedField.checkValidity() && (await seed(text));
    if (isTaken === false) seedField.value = shownSeed;
  }
  const count = h("input", { id: "count", type: "number", min: "1", max: "100000", step: "1", value: "300", "aria-label": "How many tasks to add" });
  const add = button("+ Add tasks", "Add tasks at once, now", () => count.checkValidity() && addTasks(Number(count.value)));
  const time = h("output", { id: "time", "aria-label": "Simulated time" }, "00:00.0");
  const whole = h("span.soft");
  const done = h("span.badge", { hidden: true }, "run is over");
  const progress = h("progress", { max: 1, value: 0, "aria-label": "Simulated time of the whole run" });
  const root = h("div.player", { role: "group", "aria-label": "Player" },
    h("div.row", {}, play,
      button("Step 1 s", "One simulated second (arrow right)", step),
      button("Next decision", "To the next decision that acts (n)", () => player.toDecision()),
      button("Run to the end", "As fast as possible", () => player.runTo(Number.MAX_SAFE_INTEGER)),
      button("Reset", "From the start, with the parameters as they are now, without the tasks that were added (r)", reset),
      h("span.inline", {}, h("label", { for: "speed" }, "Speed"), speed),
      seed && h("span.inline", {}, h("label", { for: "seed" }, "Seed"), seedField),
      addTasks && h("span.inline.add", {}, add, count)),
    h("div.row.clock", {}, time, whole, done, progress));
  // Where another bar has taken this one's place, that one listens.
  keys?.abort();
  keys = new AbortController();
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isForBrowser(event)) return;
    const act = { " ": toggle, ArrowRight: step, n: () => player.toDecision(), r: reset }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }, { signal: keys.signal });
  const showState = () => setText(play, player.isPlaying ? "Pause" : "Start");
  player.addEventListener("state", showState);
  let horizon = 0;
  return {
    root,
    show(about) {
      horizon = about.horizon;
      shownSeed = String(about.seed);
      seedField.value = shownSeed;
      if (!speed.dataset.chosen) {
        const nearest = SPEEDS.reduce((best, x) => (Math.abs(x - about.speed) < Math.abs(best - about.speed) ? x : best));
        speed.value = String(nearest);
        player.setSpeed(nearest);
      }
      setText(whole, `of ${clock(horizon, horizon, 0)}`);
      showState();
    },
    time(t, isDone) {
      setText(time, clock(t, horizon, 1));
      done.hidden = !isDone;
      progress.value = horizon ? Math.min(1, t / horizon) : 0;
    },
  };
}
