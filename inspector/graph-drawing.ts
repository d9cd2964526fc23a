/** Draws a graph as SVG; form and words tell the kinds of nodes apart, and colour helps. */
import { html, svg } from "./dom.ts";
import { laidOut, smooth, type Point } from "./layout.ts";

export interface Face {
  readonly id: string;
  readonly nodes: readonly number[];
  readonly isBlock: boolean;
  readonly label: string;
  readonly note: string;
  readonly isLeaf: boolean;
  readonly isSaved: boolean;
  readonly isOverwritten: boolean;
  readonly isPoisoned: boolean;
  readonly isCut: boolean;
  readonly isCutOff: boolean;
}

export interface Wire {
  readonly from: string;
  readonly to: string;
  readonly isSick: boolean;
  readonly isOnPath: boolean;
  /** No gradient goes along it. */
  readonly isCut: boolean;
}

export interface Drawn {
  readonly faces: readonly Face[];
  readonly wires: readonly Wire[];
  readonly culprit: number | null;
  readonly path: ReadonlySet<number>;
  readonly room: { readonly width: number; readonly height: number };
  readonly open: (face: Face) => void;
  readonly choose: (node: number) => void;
}

const height = 46;
const longestLabel = 19;
/** Graphs are shrunk to fit, but never so far that their letters cannot be read. */
const smallest = 0.85;

export function drawing(drawn: Drawn): SVGSVGElement {
  const boxes = drawn.faces.map((face) => ({ id: face.id, width: widthOf(face), height }));
  const { width, height: tall, places, bends } = laidOut(boxes, drawn.wires, drawn.room);
  const scale = Math.max(smallest, Math.min(1, drawn.room.width / width));
  const wires = drawn.wires.map((wire, i) => svg("path", { class: `wire${wire.isSick ? " sick" : ""}${wire.isOnPath ? " path" : ""}${wire.isCut ? " cut" : ""}`, d: smooth(bends[i]), "marker-end": wire.isCut ? null : `url(#arrow${wire.isSick ? "-sick" : wire.isOnPath ? "-path" : ""})` }));
  const nodes = drawn.faces.map((face, i) => nodeShape(face, boxes[i].width, places.get(face.id)!, drawn));
  nodes[0]?.setAttribute("tabindex", "0");
  return svg("svg", { width: Math.ceil(width * scale), height: Math.ceil(tall * scale), viewBox: `0 0 ${width} ${tall}`, role: "group", "aria-label": "Graph from loss to leaves; arrow keys go from node to node", onkeydown: walk(drawn, places) }, definitions(), svg("g", {}, ...wires), svg("g", {}, ...nodes));
}

const badges = (face: Face): string[] => [face.isCut ? "cut" : null, face.isCutOff ? "cut off" : null, face.isPoisoned ? "not finite" : null, face.isOverwritten ? "overwritten" : null, face.isSaved && !face.isOverwritten ? "saved" : null].filter((word) => word !== null);

const secondLine = (face: Face): string => [face.note, ...badges(face)].filter((part) => part !== "").join(" · ");

/** A long name loses its middle; the number that tells it from others stays. */
export function shortened(text: string): string {
  if (text.length <= longestLabel) return text;
  const [end] = /( #\d+)?$/.exec(text)!;
  return `${text.slice(0, longestLabel - 1 - end.length)}…${end}`;
}

function widthOf(face: Face): number {
  return Math.max(64, 8.1 * shortened(face.label).length + 30, 6.1 * secondLine(face).length + 30);
}

function nodeShape(face: Face, width: number, { x, y }: Point, { culprit, path, open, choose }: Drawn): SVGGElement {
  const [left, top] = [x - width / 2, y - height / 2];
  const isCulprit = culprit !== null && face.nodes.includes(culprit);
  const states = { leaf: face.isLeaf, block: face.isBlock, saved: face.isSaved, overwritten: face.isOverwritten, poisoned: face.isPoisoned, cut: face.isCut, "cut-off": face.isCutOff, culprit: isCulprit, "on-path": face.nodes.some((id) => path.has(id)) };
  const names = Object.entries(states).flatMap(([name, is]) => (is ? [name] : []));
  const act = (): void => (face.isBlock ? open(face) : choose(face.nodes[0]));
  const label = `${face.label}, ${secondLine(face)}${isCulprit ? ", to blame" : ""}${face.isBlock ? "; opens" : ""}`;
  const box = { x: left, y: top, width, height, rx: face.isLeaf ? height / 2 : 7, class: "box" };
  return svg("g", { class: `node ${names.join(" ")}`, role: "button", tabindex: -1, "aria-label": label, "aria-pressed": "false", "data-nodes": face.nodes.length > 200 ? `${face.nodes[0]} ${face.nodes.at(-1)}` : face.nodes.join(" "), "data-id": face.id,
    onclick: act, onkeydown: (event: KeyboardEvent) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); act(); } } },
    face.isBlock ? svg("rect", { ...box, x: left + 4, y: top + 4, class: "shadow" }) : null,
    svg("rect", box),
    // Saved: a second line inside of the first, as of something put in a folder.
    face.isSaved ? svg("rect", { x: left + 3.5, y: top + 3.5, width: width - 7, height: height - 7, rx: face.isLeaf ? height / 2 - 3.5 : 4.5, class: "inner" }) : null,
    svg("text", { x, y: y - 3, class: "label" }, `${face.isCut ? "✂ " : ""}${isCulprit ? "▶ " : ""}${shortened(face.label)}`),
    svg("text", { x, y: y + 13, class: "note" }, secondLine(face)));
}

/** Arrow keys go to the next node in their direction. */
function walk({ faces }: Drawn, places: ReadonlyMap<string, Point>): (event: KeyboardEvent) => void {
  const directions: Record<string, Point> = { ArrowUp: { x: 0, y: -1 }, ArrowDown: { x: 0, y: 1 }, ArrowLeft: { x: -1, y: 0 }, ArrowRight: { x: 1, y: 0 } };
  return (event) => {
    const direction = directions[event.key];
    const from = (event.target as SVGElement).closest<SVGGElement>(".node");
    if (direction === undefined || from === null) return;
    event.preventDefault();
    const here = places.get(from.dataset.id!)!;
    const distance = ({ id }: Face): number => {
      const { x, y } = places.get(id)!;
      const along = (x - here.x) * direction.x + (y - here.y) * direction.y;
      const aside = Math.abs((x - here.x) * direction.y) + Math.abs((y - here.y) * direction.x);
      return along <= 1 ? Infinity : along + 2 * aside;
    };
    const next = faces.reduce((best, face) => (distance(face) < distance(best) ? face : best), faces[0]);
    if (distance(next) === Infinity) return;
    const shape = from.parentElement!.querySelector<SVGGElement>(`[data-id="${next.id}"]`)!;
    from.setAttribute("tabindex", "-1");
    shape.setAttribute("tabindex", "0");
    shape.focus();
  };
}

function definitions(): SVGDefsElement {
  const arrow = (name: string): SVGElement => svg("marker", { id: `arrow${name}`, class: `arrow${name}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto" }, svg("path", { d: "M0,0.5 L8,4 L0,7.5 z" }));
  const stripes = svg("pattern", { id: "stripes", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("rect", { width: 7, height: 7, class: "stripe-ground" }), svg("rect", { width: 2, height: 7, class: "stripe" }));
  return svg("defs", {}, arrow(""), arrow("-path"), arrow("-sick"), stripes);
}

export function legend(): HTMLElement {
  const sample = (classes: string, text: string): HTMLElement => {
    const isLeaf = classes.includes("leaf");
    const box = svg("rect", { x: 1.5, y: 1.5, width: 27, height: 15, rx: isLeaf ? 7.5 : 3, class: "box" });
    const inner = classes.includes("saved") ? svg("rect", { x: 4, y: 4, width: 22, height: 10, rx: 2, class: "inner" }) : null;
    const shadow = classes.includes("block") ? svg("rect", { x: 4, y: 4, width: 27, height: 15, rx: 3, class: "shadow" }) : null;
    return html("li", {}, svg("svg", { width: 32, height: 20, "aria-hidden": "true" }, svg("g", { class: `node ${classes}` }, shadow, box, inner)), text);
  };
  return html("ul", { class: "legend" }, sample("leaf", "leaf"), sample("", "non-leaf"), sample("saved", "saved for backward"), sample("saved overwritten", "overwritten"), sample("poisoned", "not finite"), sample("cut", "cut: no gradient goes back"), sample("block", "folded"));
}
