// The board: a column for each stage of the deployment, with the components and their resources.
const SIGNS = { replace: "+-", release: "+-", delete: "-", update: "~", create: "+", differs: "~" };
const VALUES = 8; // changed properties shown of a resource; the detail has all of them
const NEIGHBOURS = 12; // a component opens for at most this many neighbours of the selected resource
const ROWS = 400; // rows on the board at first; the components after them are closed

const search = document.getElementById("search");
const filter = document.getElementById("filter");
const board = document.getElementById("board");
let stack; // the stack that is shown
let selected = null; // the selected resource
let near = new Set(); // what it needs and what needs it, directly
let far = new Set(); // and indirectly
let rows = new Map(); // from each resource on the board to its row
let boxes = new Map(); // from each component on the board to its box
let opened = new Map(); // from each component that the reader opened or closed to whether it is open

const FILTERS = {
  all: () => true,
  changed: (node) => node.change,
  destroyed: (node) => node.change && node.change.destroyed,
  created: (node) => node.change && node.change.operation === "create",
};
const called = (node) => (node.physical === node.name ? node.type : `${node.type} ${node.physical}`);
const searchTerms = () => search.value.toLowerCase().split(/[\s→]+/).filter(Boolean);

/** Draw the resources that match, and the selected one with all that it needs or that needs it. */
function draw() {
  const terms = searchTerms();
  filter.disabled = terms.length > 0; // a search looks at all resources
  const matches = terms.length ? (node) => contains(node.text, terms) : FILTERS[filter.value];
  const found = new Set(stack.nodes.filter(matches));
  const shown = new Set([...found, ...near, ...far]);
  if (selected) shown.add(selected);
  const stages = new Map(stack.stages.map((stage) => [stage, new Map()]));
  for (const node of stack.nodes) {
    if (!shown.has(node)) continue;
    const components = stages.get(node.stage);
    if (!components.has(node.component)) components.set(node.component, []);
    components.get(node.component).push(node);
  }
  rows = new Map();
  boxes = new Map();
  board.replaceChildren(...[...stages].map(([stage, components]) =>
    make("section", components.size ? {} : { class: "empty" }, make("h2", {}, stage),
      ...[...components].map(([name, nodes]) => component(name, nodes, found, terms)))));
  document.getElementById("count").textContent =
    `${found.size.toLocaleString("en")} of ${plural(stack.nodes.length, "resource")}`;
  drawLines();
}

/** The text beside the name of a component. */
function sizeText(all, changed) {
  if (!changed.length) return `${all.length}`;
  return changed.length === all.length && changed.every((node) => node.change.operation === "create")
    ? `${all.length} new` : `${changed.length} of ${all.length} change`;
}

/** The box of a component. `nodes` are those of its resources that the board shows. */
function component(name, nodes, found, terms) {
  const all = stack.components.get(name);
  const changed = all.filter((node) => node.change);
  const touched = changed.filter((node) => node.change.operation !== "create");
  const status = changed.some((node) => node.change.destroyed) ? " destroyed" : touched.length ? " touched" : "";
  const matching = nodes.some((node) => found.has(node));
  const neighbours = nodes.filter((node) => near.has(node)).length;
  const box = make("details", { class: `component${status}${matching ? "" : " guest"}`, "data-component": name },
    make("summary", { onclick: () => { opened.set(name, !box.open); fill(box, nodes, [], terms); } },
      name || "providers", make("span", { class: "soft" },
        ` ${sizeText(all, changed)}${neighbours ? `, ${plural(neighbours, "neighbour")}` : ""}`)));
  box.addEventListener("toggle", drawLines);
  boxes.set(name, box);
  const related = nodes.filter((node) => node === selected || near.has(node));
  const listed = opened.get(name) ?? (rows.size < ROWS && matching && (terms.length || touched.length));
  if (listed) {
    fill(box, nodes, [], terms);
  } else if (opened.get(name) !== false && (nodes.includes(selected) || (neighbours && neighbours <= NEIGHBOURS))) {
    fill(box, related, nodes.filter((node) => !related.includes(node)), terms);
  }
  box.open = box.children.length > 1;
  return box;
}

/** Create the rows of a component when it opens: thousands at once would take too long. */
function fill(box, nodes, rest, terms) {
  if (box.children.length > 1) return;
  const worst = (node) => (node.change ? (node.change.destroyed ? 0 : 1) : 2);
  const draw = (some) => some.sort((a, b) => worst(a) - worst(b)).map((node) => row(node, terms));
  box.append(...draw([...nodes]));
  if (!rest.length) return;
  const showRest = () => {
    opened.set(box.dataset.component, true);
    more.replaceWith(...draw(rest));
  };
  const more = make("button", { class: "more", type: "button", onclick: showRest }, `${rest.length} more`);
  box.append(more);
}

function row(node, terms) {
  const operation = node.change?.operation ?? "";
  const relation = near.has(node) ? " near" : far.has(node) ? " far" : "";
  const button = make("button", { class: `row${relation}`, type: "button", onclick: () => select(node) },
    make("span", { class: `sign ${operation}`, role: "img", "aria-label": operation || "unchanged" },
      SIGNS[operation] ?? (operation ? "~" : "")),
    make("span", {}, make("span", { class: "name" }, node.name), make("span", { class: "kind" }, called(node)),
      ...(node.change ? changeLines(node.change, terms) : [])));
  if (node === selected) button.setAttribute("aria-current", "true");
  rows.set(node, button);
  return button;
}

/** What changes in a resource, in lines. A property that the search found comes first. */
function changeLines(change, terms) {
  const line = (kind, ...children) => make("span", { class: `line ${kind}` }, ...children);
  const hit = (changed) => terms.some((term) => searchable(changed).includes(term));
  const properties = [...change.properties].sort((a, b) => hit(b) - hit(a));
  return [
    change.loss ? line("delete", change.loss) : null,
    change.follows.length ? line("", `Caused by ${change.follows.slice(0, 3).join(", ")}`,
      change.follows.length > 3 ? ` and ${change.follows.length - 3} more` : null) : null,
    change.dropped ? line("", change.dropped) : null,
    change.summary ? line("summary", change.summary) : null,
    ...properties.slice(0, VALUES).map((changed) => line("", `${changed.path}: `,
      ...(changed.old === null ? [changed.new]
        : [make("span", { class: "old" }, changed.old), " → ", make("span", { class: "new" }, changed.new)]),
      changed.replaces ? make("b", { class: "replace" }, " forces the replacement") : null)),
    properties.length > VALUES ? line("", `and ${properties.length - VALUES} more`) : null,
  ];
}
