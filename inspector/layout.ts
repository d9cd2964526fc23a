/** Lays a graph out with dagre. */
import { Graph, layout, type GraphLabel } from "@dagrejs/dagre";

export interface Box {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

export interface Link {
  readonly from: string;
  readonly to: string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** The centres of the boxes. */
  readonly places: ReadonlyMap<string, Point>;
  /** The bends of each link, in the order of the links. */
  readonly bends: readonly (readonly Point[])[];
}

/** From top to bottom or from left to right, whichever fits better into the room. */
export function laidOut(boxes: readonly Box[], links: readonly Link[], room: { width: number; height: number }): Layout {
  const scale = ({ width, height }: Layout): number => Math.min(1, room.width / width, (1.4 * room.height) / height);
  const down = directed(boxes, links, "TB");
  if (room.width < 560) return down;
  const across = directed(boxes, links, "LR");
  return scale(across) > scale(down) + 0.02 ? across : down;
}

function directed(boxes: readonly Box[], links: readonly Link[], rankdir: NonNullable<GraphLabel["rankdir"]>): Layout {
  const graph = new Graph();
  graph.setGraph({ rankdir, nodesep: 14, ranksep: 30, marginx: 12, marginy: 12 });
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const { from, to } of links) graph.setEdge(from, to, {});
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as GraphLabel & { width?: number; height?: number };
  const places = new Map(boxes.map(({ id }) => [id, graph.node(id) as Point]));
  return { width, height, places, bends: links.map(({ from, to }) => (graph.edge(from, to) as { points: Point[] }).points) };
}

/** A smooth line through points: straight to the first middle, then curves around each bend. */
export function smooth(points: readonly Point[]): string {
  const at = ({ x, y }: Point): string => `${x.toFixed(1)},${y.toFixed(1)}`;
  const middle = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const last = points.length - 1;
  const curves = points.slice(1, -1).map((p, i) => `Q${at(p)} ${at(i + 2 === last ? points[last] : middle(p, points[i + 2]))}`);
  return `M${at(points[0])} ${curves.length === 0 ? `L${at(points[last])}` : curves.join(" ")}`;
}
