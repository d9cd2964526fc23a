/** The graph from loss to leaves. Long repetitions are folded; a block opens when it is chosen. */
import type { Graph, GraphNode, Page } from "../src/doctor/report/html/page.ts";
import { html, section } from "./dom.ts";
import { around, blockId, fold, visible, type Block } from "./fold.ts";
import { count, plural } from "./format.ts";
import { drawing, legend, shortened, type Face, type Wire } from "./graph-drawing.ts";
import { nodeDetails } from "./node.ts";
import type { Selection, Store } from "./selection.ts";

/** A graph with its blocks. */
class Folded {
  readonly graph: Graph;
  readonly blocks: readonly Block[];
  readonly open = new Set<string>();
  private readonly indexOf: ReadonlyMap<number, number>;

  constructor(graph: Graph) {
    this.graph = graph;
    this.blocks = fold(graph.nodes.map(({ type, spot }) => `${type} ${spot?.source}:${spot?.line}:${spot?.column}`));
    this.indexOf = new Map(graph.nodes.map(({ id }, i) => [id, i]));
  }

  node(id: number | null): GraphNode | null {
    const index = id === null ? undefined : this.indexOf.get(id);
    return index === undefined ? null : this.graph.nodes[index];
  }

  /** Opens what hides a node. */
  reveal(id: number | null): void {
    const index = id === null ? undefined : this.indexOf.get(id);
    if (index !== undefined) for (const block of around(this.blocks, index)) this.open.add(block);
  }

  /** What is seen, the loss first, and the links between. */
  shown(path: readonly number[]): { faces: Face[]; wires: Wire[] } {
    const { nodes } = this.graph;
    const blocks = visible(this.blocks, this.open);
    const blockOf = new Int32Array(nodes.length);
    blocks.forEach(({ from, to }, b) => blockOf.fill(b, from, to));
    const steps = new Set(path.slice(1).map((node, i) => `${path[i]} ${node}`));
    const wires = new Map<string, Wire>();
    nodes.forEach((node, i) => {
      node.next.forEach((next, edge) => {
        const target = next === null ? undefined : this.indexOf.get(next);
        if (target === undefined || blockOf[target] === blockOf[i]) return;
        const [from, to] = [blockId(blocks[blockOf[i]]), blockId(blocks[blockOf[target]])];
        const known = wires.get(`${from} ${to}`);
        const onPath = steps.has(`${node.id} ${next}`);
        wires.set(`${from} ${to}`, { from, to, isSick: node.sick[edge] || known?.isSick === true, isOnPath: onPath || known?.isOnPath === true, isCut: node.isCut || nodes[target].isCut });
      });
    });
    return { faces: blocks.map((block) => face(block, nodes.slice(block.from, block.to), this.graph.roots)).reverse(), wires: [...wires.values()] };
  }
}

function face(block: Block, nodes: readonly GraphNode[], roots: readonly number[]): Face {
  const [first] = nodes;
  const isBlock = nodes.length > 1;
  const labels = [...new Set(nodes.filter(({ isLeaf }) => !isLeaf).map(({ label }) => label))];
  const name = labels.length === 0 ? plural(nodes.length, "leaf").replace("leafs", "leaves") : labels.slice(0, 2).join(", ") + (labels.length > 2 ? ", …" : "");
  return {
    id: blockId(block), nodes: nodes.map(({ id }) => id), isBlock,
    label: isBlock ? `${name}${block.times > 1 ? ` × ${count(block.times)}` : ""}` : first.label,
    note: isBlock ? `${count(nodes.length)} nodes` : first.isLeaf ? "leaf" : [roots.includes(first.id) && /^[\w$.]+$/.test(first.tensor) && first.tensor !== first.label ? shortened(first.tensor) : "", first.spot === null ? "" : `line ${first.spot.line}`].filter((part) => part !== "").join(" · "),
    isLeaf: nodes.every(({ isLeaf }) => isLeaf), isSaved: nodes.some(({ isSaved }) => isSaved), isOverwritten: nodes.some(({ isOverwritten }) => isOverwritten), isPoisoned: nodes.some(({ isPoisoned }) => isPoisoned), isCut: nodes.some(({ isCut }) => isCut), isCutOff: nodes.every(({ isCutOff }) => isCutOff),
  };
}

export function graphView(page: Page, store: Store): HTMLElement {
  if (page.graphs.length === 0) return section("graph", "Graph", html("p", { class: "quiet" }, "No gradient was asked for, so there is no graph."));
  const graphs = page.graphs.map((graph) => new Folded(graph));
  const canvas = html("div", { class: "canvas" });
  const details = html("div", { class: "details", "aria-live": "polite" });
  const summary = html("p", { class: "quiet" });
  const picker = html("select", { "aria-label": "Which backward", onchange: () => store.choose({ graph: Number(picker.value), node: null }) }, ...page.graphs.map(({ label }, i) => html("option", { value: i }, label)));
  const foldAll = html("button", { type: "button", class: "tool", onclick: () => redraw(true) }, "Fold all");

  function redraw(folding = false): void {
    // Before it is on the page it has no width to fit into.
    if (!canvas.isConnected) return;
    const folded = graphs[store.selection.graph];
    if (folding) folded.open.clear();
    const path = pathOf(store.selection);
    const { faces, wires } = folded.shown(path);
    const culprit = store.selection.finding === null ? null : page.findings[store.selection.finding].node;
    canvas.replaceChildren(drawing({ faces, wires, culprit, path: new Set(path), room: { width: canvas.clientWidth || 800, height: 600 }, open, choose: (node) => store.choose({ node, spot: folded.node(node)?.spot ?? null }) }));
    foldAll.hidden = folded.open.size === 0;
    const { nodes } = folded.graph;
    summary.textContent = `${plural(nodes.length, "node")}${faces.length < nodes.length ? `, folded to ${count(faces.length)}` : ""}; gradients flow along the arrows`;
    mark(store.selection);
  }

  function open(face: Face): void {
    graphs[store.selection.graph].open.add(face.id);
    redraw();
    canvas.querySelector<SVGElement>(`[data-nodes~="${face.nodes.at(-1)}"]`)?.focus();
  }

  function pathOf({ finding, graph }: Selection): readonly number[] {
    return finding !== null && page.findings[finding].graph === graph ? page.findings[finding].pathNodes : [];
  }

  function mark({ node, graph }: Selection): void {
    for (const shape of canvas.querySelectorAll<SVGElement>("[data-nodes]")) {
      const chosen = node !== null && shape.dataset.nodes === String(node);
      shape.setAttribute("aria-pressed", String(chosen));
    }
    const chosen = graphs[graph].node(node);
    details.replaceChildren(...(chosen === null ? [html("p", { class: "quiet" }, "Choose a node to see its shape, version and numbers.")] : nodeDetails(page, store, chosen)));
  }

  store.follow((now, before) => {
    picker.value = String(now.graph);
    const folded = graphs[now.graph];
    const { size } = folded.open;
    folded.reveal(now.node);
    if (before === null || now.graph !== before.graph || now.finding !== before.finding || folded.open.size !== size) redraw();
    else if (now.node !== before.node) mark(now);
    if (now.node !== null && now.node !== before?.node) show(canvas, now.node);
  });
  new ResizeObserver(widthChanges(() => redraw())).observe(canvas);
  const left = page.graphCount - page.graphs.length;
  return section("graph", "Graph",
    html("div", { class: "tools" }, page.graphs.length > 1 ? picker : html("span", { class: "quiet" }, page.graphs[0].label), left > 0 ? html("span", { class: "quiet" }, `${count(left)} more are left out`) : null, foldAll, summary),
    html("div", { class: "panel split" }, html("div", { class: "stage" }, canvas, legend()), details));
}

/** Calls back when a width has been measured or has changed. */
function widthChanges(changed: () => void): ResizeObserverCallback {
  let width = 0;
  return ([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (now === width) return;
    width = now;
    changed();
  };
}

/** Scrolls the canvas alone, never the page. */
function show(canvas: HTMLElement, node: number): void {
  const shape = canvas.querySelector<SVGGElement>(`[data-nodes~="${node}"]`);
  if (shape === null) return;
  const [box, room] = [shape.getBoundingClientRect(), canvas.getBoundingClientRect()];
  const isSeen = box.left >= room.left && box.right <= room.right && box.top >= room.top && box.bottom <= room.bottom;
  if (isSeen) return;
  canvas.scrollBy({ left: box.left + box.width / 2 - room.left - room.width / 2, top: box.top + box.height / 2 - room.top - room.height / 2 });
}
