// Files that a person drops on a page or picks: scenarios, journals and traces. They never leave the page.

import { h } from "./dom.js";

export const LARGEST = 512 * 1024 * 1024;

// Makes the whole page a place to drop files on.
export function acceptDrops(target, onFiles) {
  let depth = 0;
  const mark = (isOver) => target.classList.toggle("dropping", isOver);
  target.addEventListener("dragenter", (event) => {
    event.preventDefault();
    depth += 1;
    mark(true);
  });
  target.addEventListener("dragleave", () => {
    depth -= 1;
    mark(depth > 0);
  });
  target.addEventListener("dragover", (event) => event.preventDefault());
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    mark(false);
    onFiles([...event.dataTransfer.files]);
  });
}

export function picker(label, onFiles) {
  const input = h("input", { type: "file", multiple: true, hidden: true, "aria-label": label, onchange: () => onFiles([...input.files]) });
  return h("span", {}, h("button", { type: "button", onclick: () => input.click() }, label), input);
}

// What a file is: "scenario", "journal" or "trace".
export async function kindOf(file) {
  const head = await new Blob([file.slice(0, 4096)]).text();
  if (/^\s*\{\s*"journal"\s*:/.test(head)) return "journal";
  if (/\.toml$/i.test(file.name)) return "scenario";
  return "trace";
}

// Whether two files have the same content; their names do not matter, as long as there is a better way to tell.
export function isSameFile(one, other) {
  const isKnown = one.sha256 !== "unknown" && other.sha256 !== "unknown";
  return one.size === other.size && (isKnown ? one.sha256 === other.sha256 : one.name === other.name);
}

// How a link names a file, for people.
export function nameFile({ name, size, sha256 }) {
  return `${name} (${size} bytes, SHA-256 ${sha256.slice(0, 12)}…)`;
}

export async function sha256(bytes) {
  // Pages that are not served securely have no such function: then name and size have to do.
  if (!globalThis.crypto?.subtle) return "unknown";
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The beginning of a file's text, unpacked if it is packed.
async function headOf(file) {
  if (!file.name.endsWith(".gz")) return new Blob([file.slice(0, 2000)]).text();
  const reader = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    return new TextDecoder().decode((await reader.read()).value);
  } catch {
    // The reader of traces says what is wrong with it.
    return "";
  } finally {
    reader.cancel().catch(() => {});
  }
}

// A good guess of a trace's format from its name and first line; a person can choose another.
export async function guessFormat(file, formats) {
  const head = await headOf(file);
  const first = head.split("\n", 1)[0].toLowerCase();
  const hints = [
    ["azure-llm", /contexttokens/],
    ["burstgpt", /request tokens/],
    ["azure-functions-2021", /end_timestamp/],
    ["mooncake", /"hash_ids"|"output_length"/],
    ["prometheus", /"resulttype"|"status"\s*:\s*"success"/],
    ["nab", /^timestamp,value/],
  ];
  const byContent = hints.find(([name, hint]) => hint.test(first) && formats.includes(name))?.[0];
  const byName = [["swf", /\.swf/], ["swim", /swim|fb-20/i], ["servegen", /chunk-/], ["azure-functions-2019", /invocations|durations/]];
  return byContent ?? byName.find(([name, hint]) => hint.test(file.name) && formats.includes(name))?.[0] ?? "csv";
}
