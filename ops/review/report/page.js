"use strict";
// Draws the report in the page. Text from settings and clouds only ever becomes text nodes.
const report = JSON.parse(document.getElementById("report").textContent);
const SIGNS = { replace: "+-", release: "+-", delete: "-", update: "~", create: "+", differs: "~" };
const LISTED = 200; // neighbours listed; the rest is counted
const LINES = 60; // lines drawn

const search = document.getElementById("search");
const filter = document.getElementById("filter");
const board = document.getElementById("board");
const detail = document.getElementById("detail");
let stack; // the selected stack, as prepared
let rows = new Map(); // from each resource on the board to its row
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

const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const called = (node) => (node.physical === node.name ? node.type : `${node.type} ${node.physical}`);
const textOf = (node) => [node.name, node.physical, node.type, node.component, node.change?.operation ?? ""]
  .concat((node.change?.properties ?? []).map((changed) => changed.path)).join("\n").toLowerCase();

function prepare(raw) {
  if (raw.ready) return raw;
  raw.stages = [...new Set(raw.nodes.map((node) => node.stage))].sort();
  raw.sizes = new Map(); // number of resources per component
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

const policy = (violation) => [violation.level, violation.severity, violation.rule].filter(Boolean).join(" ");

function head() {
  const counts = Object.entries(stack.counts).map(([operation, count]) => `${count} to ${operation}`);
  const box = make("div", { class: "verdict", "data-verdict": stack.verdict },
    make("p", {},
      make("b", {}, report.stacks.length > 1 ? `${stack.stack}: ${stack.verdict}. ` : `${stack.verdict}. `),
      stack.summary),
    make("ul", {}, ...stack.reasons.map((reason) => {
      const detailed = (name) => (reason.details[name] ? `${name} (${reason.details[name]})` : name);
      const shown = reason.names.slice(0, 12).map(detailed).join(", ");
      const more = reason.names.length > 12 ? ` and ${reason.names.length - 12} more` : "";
      return make("li", {}, reason.text, reason.names.length ? `: ${shown}${more}` : "");
    })),
    stack.actions.length ? make("p", {}, make("b", {}, "To do: "), stack.actions.join(" ")) : null);
  const lines = [make("p", { class: "soft" },
    `${plural(stack.nodes.length, "resource")}${counts.length ? `, ${counts.join(", ")}` : ""}`)];
  for (const move of stack.traffic) {
    lines.push(make("p", {}, `Traffic of ${move.name}: ${move.old.join(", ")} → ${move.new.join(", ")}`));
  }
  if (stack.outputs.length) {
    const changes = stack.outputs.flatMap((output) =>
      output.properties.map((changed) => make("tr", {},
        make("td", {}, `${output.change} (${output.kind}) ${changed.path}`), ...values(changed))));
    lines.push(make("p", {}, "Stack outputs"), make("table", {}, make("tbody", {}, ...changes)));
  }
  const failure = stack.failure;
  if (failure && failure.errors.length) {
    lines.push(make("ul", {}, ...failure.errors.map((error) =>
      make("li", {}, make("code", {}, error.path), ` is `, make("code", {}, error.value),
        `; expected: ${error.expected}`))));
  } else if (failure) {
    lines.push(make("pre", {}, failure.message));
  }
  const messages = [
    ...stack.violations.map((violation) => message(
      policy(violation), violation.urn.split("::").pop(), violation.message)),
    ...(failure ? [] : stack.diagnostics).map((diagnostic) => message(
      diagnostic.severity, diagnostic.urn.split("::").pop(), diagnostic.message)),
  ];
  if (messages.length) {
    lines.push(make("details", messages.length > 2 ? {} : { open: "" },
      make("summary", {}, plural(messages.length, "message")), make("ul", {}, ...messages)));
  }
  document.getElementById("verdict").replaceChildren(box, ...lines);
}

// -- the board ----------------------------------------------------------------------------------

const FILTERS = {
  all: () => true,
  changed: (node) => node.change,
  destroyed: (node) => node.change && node.change.destroyed,
  created: (node) => node.change && node.change.operation === "create",
};

function draw() {
  const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = stack.nodes.filter((node) =>
    FILTERS[filter.value](node) && terms.every((term) => node.text.includes(term)));
  const stages = new Map(stack.stages.map((stage) => [stage, new Map()]));
  for (const node of found) {
    const components = stages.get(node.stage);
    if (!components.has(node.component)) components.set(node.component, []);
    components.get(node.component).push(node);
  }
  rows = new Map();
  board.replaceChildren(...[...stages].map(([stage, components]) =>
    make("section", {}, make("h2", {}, stage),
      ...[...components].map(([name, nodes]) => component(name, nodes, terms.length > 0)),
      components.size ? null : make("p", { class: "soft" }, "no matches"))));
  document.getElementById("count").textContent =
    `${found.length.toLocaleString("en")} of ${plural(stack.nodes.length, "resource")}`;
  mark();
}

function component(name, nodes, searching) {
  const changed = nodes.filter((node) => node.change);
  const destroyed = changed.some((node) => node.change.destroyed);
  const onlyNew = changed.every((node) => node.change.operation === "create");
  const size = stack.sizes.get(name);
  const count = !changed.length ? `${size}`
    : onlyNew && changed.length === size ? `${size} new` : `${changed.length} of ${size} change`;
  const box = make("details", {
    class: `component${destroyed ? " destroyed" : changed.length && !onlyNew ? " touched" : ""}`,
    "data-component": name,
  }, make("summary", {}, name || "providers", make("span", { class: "soft" }, ` ${count}`)));
  const fill = () => {
    if (box.children.length > 1) return;
    const worst = (node) => (node.change ? (node.change.destroyed ? 0 : 1) : 2);
    box.append(...[...nodes].sort((a, b) => worst(a) - worst(b)).map(row));
  };
  // Rows are created when the component opens: thousands of them would take too long.
  box.addEventListener("toggle", () => { fill(); mark(); });
  box.fill = fill;
  if (searching || (changed.length && !onlyNew)) {
    fill();
    box.open = true;
  }
  return box;
}

function row(node) {
  const operation = node.change?.operation ?? "";
  const button = make("button", { class: "row", type: "button", onclick: () => select(node) },
    make("span", { class: `sign ${operation}`, role: "img", "aria-label": operation || "unchanged" },
      SIGNS[operation] ?? (operation ? "~" : "")),
    make("span", {}, make("span", { class: "name" }, node.name), make("span", { class: "kind" }, called(node))));
  rows.set(node, button);
  return button;
}

// -- one resource -------------------------------------------------------------------------------

function select(node) {
  selected = node;
  if (node && !rows.has(node)) reveal(node);
  detail.hidden = !node;
  mark(); // after the columns have their final width
  if (!node) return;
  const change = node.change;
  const properties = change?.properties ?? [];
  detail.replaceChildren(...[
    make("button", { class: "close", type: "button", "aria-label": "Close", onclick: close }, "×"),
    make("h1", {}, change ? make("span", { class: change.operation }, `${change.operation} `) : null, node.name),
    make("div", { class: "soft" }, `${called(node)}, ${node.stage}${node.component ? `, ${node.component}` : ""}`),
    make("code", { class: "soft" }, node.urn),
    change?.loss ? make("p", { class: "delete" }, change.loss) : null,
    change?.dropped ? make("p", {}, change.dropped) : null,
    change?.follows.length ? make("p", {}, `Caused by its dependencies: ${change.follows.join(", ")}`) : null,
    properties.length ? make("h3", {}, "Properties") : null,
    properties.length ? make("table", {}, make("tbody", {}, ...properties.map(property))) : null,
    ...violations(node),
    ...neighbours("Dependencies", node.needs),
    ...neighbours("Dependents", node.neededBy, reach(node, "neededBy").size),
  ].filter(Boolean));
  rows.get(node)?.scrollIntoView({ block: "nearest" });
}

const values = (changed) => (changed.old === null
  ? [make("td", { colspan: 2 }, changed.new)]
  : [make("td", { class: "old" }, changed.old), make("td", { class: "new" }, changed.new)]);

function property(changed) {
  const forced = changed.replaces ? make("div", { class: "replace" }, "forces the replacement") : null;
  return make("tr", {}, make("td", {}, changed.path, forced), ...values(changed));
}

function violations(node) {
  const mine = stack.violations.filter((violation) => violation.urn === node.urn);
  if (!mine.length) return [];
  return [make("h3", {}, "Policies"),
    make("ul", {}, ...mine.map((violation) =>
      message(policy(violation), "", violation.message)))];
}

function neighbours(title, nodes, all = nodes.length) {
  if (!nodes.length) return [];
  const further = all > nodes.length ? `, ${all} including indirect ones` : "";
  const items = nodes.slice(0, LISTED).map((node) => make("li", {},
    make("button", { class: "link", type: "button", onclick: () => select(node) }, node.name),
    make("span", { class: "soft" }, ` ${node.type}`)));
  if (nodes.length > LISTED) items.push(make("li", {}, `and ${nodes.length - LISTED} more`));
  return [make("h3", {}, `${title} ${nodes.length}${further}`), make("ul", {}, ...items)];
}

/** Show a resource that a filter or a closed component hides. */
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

/** Mark the selected resource and its neighbours, and draw lines to the visible ones. */
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
  const position = (button) => {
    const box = button.getBoundingClientRect();
    return { left: box.left - origin.left, right: box.right - origin.left, y: box.top - origin.top + box.height / 2 };
  };
  const start = position(from);
  for (const node of near.slice(0, LINES)) {
    const to = rows.get(node);
    if (!to?.offsetParent) continue;
    const other = position(to);
    const [x1, x2] = other.left >= start.right ? [start.right, other.left]
      : other.right <= start.left ? [start.left, other.right] : [start.left, other.left];
    const bend = x1 === x2 ? -28 : (x2 - x1) / 2;
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M${x1},${start.y} C${x1 + bend},${start.y} ${x2 - bend * (x1 === x2 ? -1 : 1)},${other.y} ${x2},${other.y}`);
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
show(report.stacks.find((raw) => raw.verdict === report.verdict));
