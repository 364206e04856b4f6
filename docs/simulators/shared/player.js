// The page's side of the simulator: starts the worker, sends it what a person wants, and asks it for a frame whenever
// the browser is about to draw one.

export class Player extends EventTarget {
  #worker;
  #waiting = new Map();
  #next = 1;
  #load = 0; // the last that was asked for
  #loaded = 0; // the last that came
  #isFrameAsked = false;
  #order = 0;
  isPlaying = false;
  isReady = false;
  speed = 1;
  time = 0;
  isDone = false;

  // A page may have a worker of its own that speaks as the shared one does.
  constructor(worker = new URL("./worker.js", import.meta.url)) {
    super();
    this.#worker = new Worker(worker, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#take(data);
    this.#worker.onerror = (event) => this.#emit("failed", { text: event.message ?? "the simulator cannot be loaded" });
    const tick = () => {
      this.#askForFrame();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  // Loads one run or several; the promise fails with the text of what is wrong, and the old runs rest where they are.
  async load(message) {
    this.isPlaying = false;
    this.isReady = false;
    this.#emit("state");
    const answer = this.#ask("load", message);
    const mine = this.#next - 1;
    this.#load = mine;
    try {
      return await answer;
    } catch (error) {
      if (this.#load === mine) {
        this.#load = this.#loaded;
        this.isReady = this.#loaded > 0;
      }
      throw error;
    }
  }

  ask(what, message = {}, transfer = []) {
    return this.#ask(what, message, transfer);
  }

  play() {
    this.isPlaying = true;
    this.#worker.postMessage({ cmd: "play", speed: this.speed, order: ++this.#order });
    this.#emit("state");
  }

  pause() {
    this.isPlaying = false;
    this.#worker.postMessage({ cmd: "pause", order: ++this.#order });
    this.#emit("state");
  }

  // Pauses, and waits until what is shown is where it rests.
  rest() {
    this.pause();
    const order = this.#order;
    return new Promise((resolve) => {
      const look = ({ detail }) => {
        if (!detail.isIdle || detail.order < order) return;
        this.removeEventListener("frame", look);
        resolve(detail.t);
      };
      this.addEventListener("frame", look);
    });
  }

  setSpeed(speed) {
    this.speed = speed;
    this.#worker.postMessage({ cmd: "speed", speed });
  }

  runTo(at) {
    this.isPlaying = false;
    this.#worker.postMessage({ cmd: "goal", at, order: ++this.#order });
    this.#emit("state");
  }

  step(by) {
    this.isPlaying = false;
    this.#worker.postMessage({ cmd: "step", by, order: ++this.#order });
    this.#emit("state");
  }

  toDecision() {
    this.isPlaying = false;
    this.#worker.postMessage({ cmd: "decision", order: ++this.#order });
    this.#emit("state");
  }

  // A hand acts; the answer is the change with its time.
  act(change) {
    return this.#ask("act", { change });
  }

  showGroup(group) {
    this.#worker.postMessage({ cmd: "group", group });
  }

  #ask(cmd, message, transfer = []) {
    const id = this.#next++;
    this.#worker.postMessage({ cmd, id, ...message }, transfer);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #askForFrame() {
    if (this.#isFrameAsked || !this.isReady) return;
    this.#isFrameAsked = true;
    this.#worker.postMessage({ cmd: "frame" });
  }

  #take(data) {
    const waiting = this.#waiting.get(data.id);
    this.#waiting.delete(data.id);
    if (data.type === "error") {
      if (waiting) waiting.reject(new Error(data.text));
      else this.#emit("failed", { text: data.text });
    } else if (data.type === "loaded") {
      this.#loaded = data.id;
      this.isReady = data.id === this.#load;
      if (this.isReady) this.isDone = false;
      this.#isFrameAsked = false;
      waiting?.resolve(data);
    } else if (data.type === "answer") {
      waiting?.resolve(data.value);
    } else if (data.type === "frame") {
      this.#isFrameAsked = false;
      if (data.load === this.#load) this.#frame(data);
    }
  }

  #frame(frame) {
    this.time = frame.t;
    this.isDone = frame.isDone;
    // A frame that was on its way when a person pressed play knows nothing of it yet.
    const hasStopped = this.isPlaying && frame.isIdle && frame.order === this.#order;
    if (hasStopped) this.isPlaying = false;
    for (const run of frame.runs) {
      run.view = JSON.parse(run.view);
      run.log = run.log && JSON.parse(run.log);
    }
    this.#emit("frame", frame);
    if (hasStopped) this.#emit("state");
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
