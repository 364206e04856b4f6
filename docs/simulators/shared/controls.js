// The parameters of a page: which ones is the page's choice, everything else about them comes out of the WebAssembly.

import { h, setText, uniqueId } from "./dom.js";

// `specs` is a list of { title, fields: [{ path, label, live }] }; `live(text, names)` makes the change with which a
// hand sets the parameter while the run goes on. Parameters without one belong to the start of a run.
export class Controls {
  constructor(root, specs, onChange, help) {
    this.root = root;
    this.help = help;
    // The words about parameters are fetched when somebody comes near them.
    for (const event of ["pointerover", "focusin"]) root.addEventListener(event, () => this.#explain());
    this.specs = specs;
    this.onChange = onChange;
    this.fields = new Map();
  }

  get paths() {
    return this.specs.flatMap((group) => group.fields.map((field) => field.path));
  }

  // Shows what this scenario has; `shown` overrides values that hands have changed since the start.
  show(described, shown) {
    const byTemplate = new Map(described.map((control) => [control.template, control]));
    const key = described.map((control) => `${control.path} ${control.kind}`).join("\n");
    if (key !== this.key) {
      this.key = key;
      this.isExplained = false;
      this.fields.clear();
      this.root.replaceChildren(...this.specs.map((group) => this.#group(group, byTemplate)).filter(Boolean));
    }
    for (const control of described) {
      const { input, problem } = this.fields.get(control.path) ?? {};
      const value = shown.get(control.path) ?? control.value ?? control.default ?? "";
      if (!input || (input === document.activeElement && input.value !== "")) continue;
      input.value = String(value);
      this.#accept(input, problem);
    }
  }

  async #explain() {
    if (this.isExplained) return;
    this.isExplained = true;
    const shown = [...this.fields];
    try {
      const texts = await this.help(shown.map(([path]) => path));
      shown.forEach(([, { say }], i) => say(texts[i]));
    } catch {
      this.isExplained = false;
    }
  }

  #group(group, byTemplate) {
    const fields = group.fields.filter((field) => byTemplate.has(field.path));
    if (fields.length === 0) return null;
    return h("fieldset", {}, h("legend", {}, group.title), ...fields.map((field) => this.#field(field, byTemplate.get(field.path))));
  }

  #field(field, control) {
    const id = uniqueId("field");
    const problem = h("span.problem", { id: `${id}-problem`, role: "alert" });
    const input = this.#input(control, id);
    input.addEventListener("change", () => this.#changed(field, control, input, problem));
    const words = h("span", {}, "…");
    const help = h("p.help", { id: `${id}-help`, hidden: true }, words, `${defaultText(control)} `, h("code", {}, control.path));
    const toggle = h("button.what", {
      type: "button",
      "aria-expanded": "false",
      "aria-controls": help.id,
      "aria-label": `What is ${field.label}?`,
      onclick: () => {
        help.hidden = !help.hidden;
        toggle.setAttribute("aria-expanded", String(!help.hidden));
      },
    }, "?");
    const say = (text) => {
      setText(words, text);
      toggle.title = text;
    };
    this.fields.set(control.path, { input, problem, say });
    return h("div.field", {}, h("label", { for: id }, field.label, field.isFromStart && h("span.start", {}, " from the start")), h("span.entry", {}, input, toggle), help, problem);
  }

  #input(control, id) {
    const about = { id, "aria-describedby": `${id}-help ${id}-problem` };
    if (control.kind === "choice") {
      return h("select", about, ...control.choices.map((choice) => h("option", { value: choice }, choice)));
    }
    about.placeholder = String(control.default ?? "none");
    if (control.kind === "number" || control.kind === "integer") {
      const limits = { min: control.minimum, max: control.maximum };
      for (const key of Object.keys(limits)) if (limits[key] === null) delete limits[key];
      const given = Object.fromEntries(Object.entries(limits).map(([key, value]) => [key, String(value)]));
      return h("input", { ...about, type: "number", step: "any", inputmode: "decimal", ...given });
    }
    return h("input", { ...about, type: "text", autocomplete: "off", spellcheck: "false" });
  }

  async #changed(field, control, input, problem) {
    this.#accept(input, problem);
    if (input.type === "number" && !input.checkValidity()) return this.#refuse(input, problem, input.validationMessage);
    try {
      await this.onChange(control, input.value, field);
      if (input.value === "") input.value = String(control.default ?? "");
    } catch (error) {
      this.#refuse(input, problem, error.message);
    }
  }

  #accept(input, problem) {
    setText(problem, "");
    input.removeAttribute("aria-invalid");
  }

  #refuse(input, problem, text) {
    input.setAttribute("aria-invalid", "true");
    setText(problem, text);
  }
}

function defaultText({ default: value }) {
  return value === undefined || value === null ? "" : ` Default ${value}.`;
}
