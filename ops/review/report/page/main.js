// What a reader does: selects, searches, filters, uses the keyboard, follows a link to a resource.
const tabs = document.getElementById("tabs");

/** Select a resource of the stack, or none. The row stays in its place on the screen. */
function select(node) {
  const anchor = node ?? selected;
  const before = rows.get(anchor)?.getBoundingClientRect().top;
  selected = node;
  near = new Set(node ? [...node.needs.keys(), ...node.neededBy.keys()] : []);
  far = new Set(node ? [...reach(node, "needs"), ...reach(node, "neededBy")] : []);
  if (node && opened.get(node.component) === false) opened.delete(node.component);
  detail.hidden = !node;
  if (node) drawDetail(node);
  draw(); // after the columns have their final width
  const row = rows.get(anchor);
  if (before) scrollBy(0, (row?.getBoundingClientRect().top ?? before) - before);
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
  location.hash = address();
}

/** Draw the board for another search or filter. */
function find() {
  opened.clear();
  draw();
  const terms = searchTerms();
  filterHead(terms);
  for (const [index, tab] of [...tabs.children].entries()) {
    const { stack: name, texts } = report.stacks[index];
    tab.textContent = terms.length ? `${name} (${texts.filter((text) => contains(text, terms)).length})` : name;
  }
}

function show(shown) {
  stack = shown;
  selected = null;
  near = far = new Set();
  detail.hidden = true;
  filter.value = stack.nodes.some((node) => node.change) ? "changed" : "all";
  for (const [index, tab] of [...tabs.children].entries()) {
    tab.setAttribute("aria-pressed", String(report.stacks[index] === stack));
  }
  head();
  find();
}

// -- the address --------------------------------------------------------------------------------

/** The part of the address after "#", by which Back returns, and by which a link can lead here. */
const address = () => `#/${encodeURIComponent(selected?.urn ?? stack.stack)}`;

function follow() {
  if (stack && location.hash === address()) return;
  const named = (text) => location.hash === `#/${encodeURIComponent(text)}`;
  const target = (each) => each.nodes.find((node) => named(node.urn));
  const shown = report.stacks.find((each) => named(each.stack) || target(each)) ?? report.stacks[0];
  if (shown !== stack) show(shown);
  const node = target(shown) ?? null;
  if (node !== selected) select(node);
}

// -- the keyboard -------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  const typing = ["INPUT", "SELECT"].includes(document.activeElement.tagName);
  if (event.key === "/" && !typing) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape") {
    if (selected) select(null);
    else if (search.value) { search.value = ""; find(); }
  } else if (["ArrowDown", "ArrowUp"].includes(event.key) && (typing ? document.activeElement === search
    : !detail.contains(document.activeElement))) {
    const all = [...board.querySelectorAll("summary, details[open] > .row, details[open] > .more")];
    const next = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    if (all[next]) {
      event.preventDefault();
      all[next].focus();
    }
  }
});

search.addEventListener("input", find);
filter.addEventListener("change", find);
addEventListener("hashchange", follow);
new ResizeObserver(drawLines).observe(board);

if (report.judges.changed.length) document.getElementById("judges").append(judges(report.judges));
if (report.stacks.length > 1) {
  tabs.append(...report.stacks.map((each) =>
    make("button", { type: "button", onclick: () => { show(each); location.hash = address(); } }, each.stack)));
}
follow();
