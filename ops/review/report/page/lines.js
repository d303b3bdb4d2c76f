// The lines from the selected resource to all that it needs and that needs it. The stages are the
// layers of the layout, so that no graph library has to find them.
const SVG = "http://www.w3.org/2000/svg";
const BEND = 14; // pixels by which a line leaves a column that both of its ends are in

/**
 * The lines, each with its two ends: from what is needed to what needs it. A line to a direct
 * neighbour ends at its row, or at the component if that is closed. Indirect ones join components.
 */
function lines() {
  const found = [];
  const joined = new Map(); // from each end to the ends that it is joined with
  const header = (node) => boxes.get(node.component).firstElementChild;
  const row = (node) => (boxes.get(node.component).open ? rows.get(node) : header(node));
  const join = (from, to, kind, needed, needing) => {
    if (!joined.has(from)) joined.set(from, new Set());
    if (from === to || joined.get(from).has(to)) return;
    joined.get(from).add(to);
    found.push({ from, to, kind, needed, needing });
  };
  const direct = (needed, needing, kind) => join(row(needed), row(needing), kind, needed, needing);
  for (const [node, onlyOrder] of selected.needs) direct(node, selected, onlyOrder ? "order" : "needs");
  for (const [node, onlyOrder] of selected.neededBy) direct(selected, node, onlyOrder ? "order" : "needed-by");
  for (const reached of [reach(selected, "needs"), reach(selected, "neededBy")]) {
    for (const node of reached) {
      for (const [needed, onlyOrder] of node.needs) {
        if (!onlyOrder && reached.has(needed)) join(header(needed), header(node), "far", needed, node);
      }
    }
  }
  return found;
}

function drawLines() {
  board.querySelector("svg")?.remove();
  if (!selected) return;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  const origin = board.getBoundingClientRect();
  const place = (element) => {
    const box = element.getBoundingClientRect();
    const middle = box.top + Math.min(box.height / 2, 16); // of the name
    return { left: box.left - origin.left, right: box.right - origin.left, y: middle - origin.top };
  };
  for (const line of lines()) {
    const [from, to] = [place(line.from), place(line.to)];
    const [after, before] = [to.left >= from.right, to.right <= from.left];
    const [x1, x2] = [after ? from.right : from.left, before ? to.right : to.left];
    const bend = after || before ? (x1 + x2) / 2 : Math.min(x1, x2) - BEND;
    const back = x2 < bend ? 6 : -6; // from the tip of the arrow
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", line.kind);
    path.setAttribute("d", `M${x1},${from.y} C${bend},${from.y} ${bend},${to.y} ${x2},${to.y}`
      + ` m${back},-4 l${-back},4 l${back},4`);
    path.dataset.needed = line.needed.name;
    path.dataset.needing = line.needing.name;
    svg.append(path);
  }
  board.append(svg);
}
