"use strict";
// Draws the report that the page carries. Text from settings and clouds only ever becomes text nodes.
const report = JSON.parse(document.getElementById("report").textContent);
const SIGNS = { replace: "+-", delete: "-", update: "~", create: "+", differs: "~" };
const LISTED = 200; // so many neighbours are listed; the rest is counted
const LINES = 60; // so many lines are drawn

const search = document.getElementById("search");
const filter = document.getElementById("filter");
const board = document.getElementById("board");
const detail = document.getElementById("detail");
let stack; // the one that is looked at, with what is derived from it
let rows = new Map(); // of resources that are on the board now
let selected = null;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const plural = (count, one) => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
const called = (node) => (node.physical === node.name ? node.type : `${node.type} ${node.physical}`);
const textOf = (node) => [node.name, node.physical, node.type, node.component, node.change?.operation ?? ""]
  .concat((node.change?.properties ?? []).map((one) => one.path)).join("\n").toLowerCase();

function prepare(raw) {
  if (raw.ready) return raw;
  raw.stages = [...new Set(raw.nodes.map((node) => node.stage))].sort();
  raw.sizes = new Map(); // of components
  for (const node of raw.nodes) {
    raw.sizes.set(node.component, (raw.sizes.get(node.component) ?? 0) + 1);
    node.needs = [];
    node.neededBy = [];
    node.text = textOf(node);
  }
  for (const [needing, needed] of raw.edges) {
    raw.nodes[needing].needs.push(raw.nodes[needed]);
    raw.nodes[needed].neededBy.push(raw.nodes[needing]);
  }
  raw.ready = true;
  return raw;
}

function reach(start, direction) {
  const seen = new Set();
  const ahead = [start];
  while (ahead.length) {
    for (const next of ahead.pop()[direction]) {
      if (!seen.has(next) && next !== start) {
        seen.add(next);
        ahead.push(next);
      }
    }
  }
  return seen;
}

// -- the head -----------------------------------------------------------------------------------

function message(title, about, text) {
  return make("li", {}, make("b", {}, title), about ? ` on ${about}` : "", make("pre", {}, text));
}

function head() {
  const counts = Object.entries(stack.counts).map(([word, count]) => `${count} to ${word}`);
  const box = make("div", { class: "verdict", "data-verdict": stack.verdict },
    report.stacks.length > 1 ? make("b", {}, `${stack.stack}: ${stack.verdict}`) : null,
    make("ul", {}, ...stack.reasons.map((reason) => {
      const shown = reason.names.slice(0, 12).join(", ");
      const more = reason.names.length > 12 ? ` and ${reason.names.length - 12} more` : "";
      return make("li", {}, reason.words, reason.names.length ? `: ${shown}${more}` : "");
    })));
  const lines = [make("p", { class: "soft" },
    `${plural(stack.nodes.length, "resource")}${counts.length ? `, ${counts.join(", ")}` : ""}`)];
  for (const move of stack.traffic) {
    lines.push(make("p", {}, `Traffic of ${move.name}: ${move.old.join(", ")} → ${move.new.join(", ")}`));
  }
  const failure = stack.failure;
  if (failure && failure.errors.length) {
    lines.push(make("ul", {}, ...failure.errors.map((one) =>
      make("li", {}, make("code", {}, one.path), ` is `, make("code", {}, one.value),
        `; expected: ${one.expected}`))));
  } else if (failure) {
    lines.push(make("pre", {}, failure.message));
  }
  const told = [
    ...stack.violations.map((one) =>
      message(`${one.level} ${one.rule}`, one.urn.split("::").pop(), one.message)),
    ...(failure ? [] : stack.diagnostics).map((one) =>
      message(one.severity, one.urn.split("::").pop(), one.message)),
  ];
  if (told.length) {
    lines.push(make("details", told.length > 2 ? {} : { open: "" },
      make("summary", {}, plural(told.length, "message")), make("ul", {}, ...told)));
  }
  document.getElementById("verdict").replaceChildren(box, ...lines);
}

// -- the board ----------------------------------------------------------------------------------

const FILTERS = {
  all: () => true,
  changed: (node) => node.change,
  lost: (node) => node.change && node.change.lost,
  created: (node) => node.change && node.change.operation === "create",
};

function draw() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = stack.nodes.filter((node) =>
    FILTERS[filter.value](node) && words.every((word) => node.text.includes(word)));
  const stages = new Map(stack.stages.map((stage) => [stage, new Map()]));
  for (const node of found) {
    const components = stages.get(node.stage);
    if (!components.has(node.component)) components.set(node.component, []);
    components.get(node.component).push(node);
  }
  rows = new Map();
  board.replaceChildren(...[...stages].map(([stage, components]) =>
    make("section", {}, make("h2", {}, stage),
      ...[...components].map(([name, nodes]) => component(name, nodes, words.length > 0)),
      components.size ? null : make("p", { class: "soft" }, "nothing to show"))));
  document.getElementById("count").textContent =
    `${found.length.toLocaleString("en")} of ${plural(stack.nodes.length, "resource")}`;
  mark();
}

function component(name, nodes, searching) {
  const changed = nodes.filter((node) => node.change);
  const lost = changed.some((node) => node.change.lost);
  const dull = changed.every((node) => node.change.operation === "create");
  const size = stack.sizes.get(name);
  const told = !changed.length ? `${size}`
    : dull && changed.length === size ? `${size} new` : `${changed.length} of ${size} change`;
  const box = make("details", {
    class: `component${lost ? " lost" : changed.length && !dull ? " touched" : ""}`,
    "data-component": name,
  }, make("summary", {}, name || "providers", make("span", { class: "soft" }, ` ${told}`)));
  const fill = () => {
    if (box.children.length > 1) return;
    const worst = (node) => (node.change ? (node.change.lost ? 0 : 1) : 2);
    box.append(...[...nodes].sort((a, b) => worst(a) - worst(b)).map(row));
  };
  // Rows are made when they are looked at: thousands of them are not worth waiting for.
  box.addEventListener("toggle", () => { fill(); mark(); });
  box.fill = fill;
  if (searching || (changed.length && !dull)) {
    fill();
    box.open = true;
  }
  return box;
}

function row(node) {
  const word = node.change?.operation ?? "";
  const button = make("button", { class: "row", type: "button", onclick: () => select(node) },
    make("span", { class: `sign ${word}`, role: "img", "aria-label": word || "unchanged" }, SIGNS[word] ?? (word ? "~" : "")),
    make("span", {}, make("span", { class: "name" }, node.name), make("span", { class: "kind" }, called(node))));
  rows.set(node, button);
  return button;
}

// -- one resource -------------------------------------------------------------------------------

function select(node) {
  selected = node;
  if (node && !rows.has(node)) reveal(node);
  detail.hidden = !node;
  mark(); // now that the columns have the width that they will have
  if (!node) return;
  const change = node.change;
  const properties = change?.properties ?? [];
  detail.replaceChildren(...[
    make("button", { class: "close", type: "button", "aria-label": "Close", onclick: close }, "×"),
    make("h1", {}, change ? make("span", { class: change.operation }, `${change.operation} `) : null, node.name),
    make("div", { class: "soft" }, `${called(node)}, ${node.stage}${node.component ? `, ${node.component}` : ""}`),
    make("code", { class: "soft" }, node.urn),
    change?.refused ? make("p", { class: "delete" }, `Refused: ${change.refused}`) : null,
    change?.follows.length ? make("p", {}, `Follows from what it needs: ${change.follows.join(", ")}`) : null,
    properties.length ? make("h3", {}, "Properties") : null,
    properties.length ? make("table", {}, make("tbody", {}, ...properties.map(property))) : null,
    ...violations(node),
    ...neighbours("Needs", node.needs),
    ...neighbours("Needed by", node.neededBy, reach(node, "neededBy").size),
  ].filter(Boolean));
  rows.get(node)?.scrollIntoView({ block: "nearest" });
}

function property(one) {
  const forced = one.replaces ? make("div", { class: "replace" }, "forces the replacement") : null;
  return make("tr", {}, make("td", {}, one.path, forced),
    ...(one.old === null
      ? [make("td", { colspan: 2 }, one.new)]
      : [make("td", { class: "old" }, one.old), make("td", { class: "new" }, one.new)]));
}

function violations(node) {
  const mine = stack.violations.filter((one) => one.urn === node.urn);
  if (!mine.length) return [];
  return [make("h3", {}, "Policies"),
    make("ul", {}, ...mine.map((one) => message(`${one.level} ${one.rule}`, "", one.message)))];
}

function neighbours(title, nodes, all = nodes.length) {
  if (!nodes.length) return [];
  const further = all > nodes.length ? `, ${all} in all` : "";
  const items = nodes.slice(0, LISTED).map((node) => make("li", {},
    make("button", { class: "link", type: "button", onclick: () => select(node) }, node.name),
    make("span", { class: "soft" }, ` ${node.type}`)));
  if (nodes.length > LISTED) items.push(make("li", {}, `and ${nodes.length - LISTED} more`));
  return [make("h3", {}, `${title} ${nodes.length}${further}`), make("ul", {}, ...items)];
}

/** Bring a resource onto the board that a filter or a closed component hides. */
function reveal(node) {
  const find = () => [...board.querySelectorAll("details.component")]
    .find((box) => box.dataset.component === node.component);
  let box = find();
  box?.fill();
  if (!rows.has(node)) {
    search.value = "";
    filter.value = "all";
    draw();
    box = find();
    box?.fill();
  }
  if (box) box.open = true;
}

function close() {
  const before = rows.get(selected);
  select(null);
  before?.focus();
}

/** Mark the selected resource and its neighbours, and draw lines to those that can be seen. */
function mark() {
  const near = selected ? [...selected.needs, ...selected.neededBy] : [];
  const marked = new Set(near);
  for (const [node, button] of rows) {
    button.classList.toggle("near", marked.has(node));
    if (node === selected) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  board.querySelector("svg")?.remove();
  const from = rows.get(selected);
  if (!from?.offsetParent) return;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const origin = board.getBoundingClientRect();
  const place = (button) => {
    const box = button.getBoundingClientRect();
    return { left: box.left - origin.left, right: box.right - origin.left, y: box.top - origin.top + box.height / 2 };
  };
  const one = place(from);
  for (const node of near.slice(0, LINES)) {
    const to = rows.get(node);
    if (!to?.offsetParent) continue;
    const other = place(to);
    const [start, end] = other.left >= one.right ? [one.right, other.left]
      : other.right <= one.left ? [one.left, other.right] : [one.left, other.left];
    const bend = start === end ? -28 : (end - start) / 2;
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M${start},${one.y} C${start + bend},${one.y} ${end - bend * (start === end ? -1 : 1)},${other.y} ${end},${other.y}`);
    svg.append(path);
  }
  board.append(svg);
}

// -- the keyboard -------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  const typing = ["INPUT", "SELECT"].includes(document.activeElement.tagName);
  if (event.key === "/" && !typing) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape") {
    if (selected) close();
    else if (search.value) { search.value = ""; draw(); }
  } else if (["ArrowDown", "ArrowUp"].includes(event.key) && document.activeElement.tagName !== "SELECT") {
    const all = [...board.querySelectorAll("summary, details[open] > .row")];
    const next = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    if (all[next]) {
      event.preventDefault();
      all[next].focus();
    }
  }
});
search.addEventListener("input", draw);
filter.addEventListener("change", draw);
addEventListener("resize", mark);

function show(raw) {
  stack = prepare(raw);
  selected = null;
  detail.hidden = true;
  filter.value = stack.nodes.some((node) => node.change) ? "changed" : "all";
  for (const tab of document.querySelectorAll(".tabs button")) {
    tab.setAttribute("aria-pressed", String(tab.textContent === raw.stack));
  }
  head();
  draw();
}

if (report.stacks.length > 1) {
  document.getElementById("tabs").append(...report.stacks.map((raw) =>
    make("button", { type: "button", onclick: () => show(raw) }, raw.stack)));
}
show(report.stacks.find((one) => one.verdict === report.verdict));
