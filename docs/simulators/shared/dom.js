// Small helpers to make elements without a framework.

// h("button.primary", { type: "button", onclick }, "text", child)
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && typeof value !== "string") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let counter = 0;
export function uniqueId(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}

// Writes a text only when it changed: no work for the browser otherwise.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Scrolls to a section, below the player's bar where that stays at the top.
export function scrollTo(section) {
  const bar = document.querySelector(".player");
  const isSticky = bar !== null && getComputedStyle(bar).position === "sticky";
  section.style.scrollMarginTop = `${(isSticky ? bar.offsetHeight : 0) + 8}px`;
  section.scrollIntoView({ block: "start" });
}

export function download(name, content, type) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
