/** Charts of gradient norms: node by node along backward, and for each leaf from one backward to the next. */
import uPlot from "uplot";
import type { GraphNode, Page } from "../src/doctor/report/html/page.ts";
import { html, section, svg } from "./dom.ts";
import { number, plural } from "./format.ts";
import type { Store } from "./selection.ts";

/** Rows of the table that says in words what a chart shows. */
const mostRows = 200;

export function normsView(page: Page, store: Store): HTMLElement {
  const perNode = html("div", { class: "chart" });
  const caption = html("p", { class: "reading", "aria-live": "off" });
  const table = html("tbody");
  const hasSteps = page.leaves.backwards.length > 2 && page.leaves.series.some(({ norms }) => norms.some((norm) => norm !== null));
  const perStep = html("div", { class: "chart" });
  const charts: uPlot[] = [];
  let nodes: GraphNode[] = [];

  function draw(): void {
    const { graph, finding } = store.selection;
    nodes = (page.graphs[graph]?.nodes ?? []).filter(({ grad }) => grad !== null).toSorted((a, b) => a.order! - b.order!);
    const path = new Set(finding !== null && page.findings[finding].graph === graph ? page.findings[finding].pathNodes : []);
    for (const chart of charts.splice(0)) chart.destroy();
    if (nodes.length > 0) charts.push(nodeChart(perNode, nodes, path, (i) => (caption.textContent = i === null ? hint() : reading(nodes[i])), (i) => store.choose({ node: nodes[i].id, spot: nodes[i].spot })));
    rest.hidden = nodes.length === 0;
    caption.textContent = nodes.length === 0 ? "No gradient was computed." : hint();
    table.replaceChildren(...nodes.slice(0, mostRows).map((node) => html("tr", {}, html("th", { scope: "row" }, html("code", {}, node.label)), html("td", {}, node.spot === null ? "" : `line ${node.spot.line}`), html("td", {}, isSick(node) ? "not finite" : number(node.grad!.norm)))));
    perStep.replaceChildren();
    if (hasSteps) charts.push(stepChart(perStep, page));
  }

  const hint = (): string => `${plural(nodes.length, "gradient")}, from the loss (left) to the leaves`;

  store.follow((now, before) => {
    if (before !== null && (now.graph !== before.graph || now.finding !== before.finding)) draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let width = 0;
  new ResizeObserver(([entry]) => {
    if (Math.round(entry.contentRect.width) === width) return;
    width = Math.round(entry.contentRect.width);
    draw();
  }).observe(perNode);
  const inWords = html("details", {}, html("summary", {}, "As a table"), html("div", { class: "scroll" }, html("table", {}, html("thead", {}, html("tr", {}, ...["node", "line", "norm of its gradient"].map((text) => html("th", { scope: "col" }, text)))), table)));
  const rest = html("div", { class: "rest" }, key(), inWords);
  const steps = hasSteps ? [html("h3", {}, "Leaves, from one backward to the next"), perStep] : [];
  return section("norms", "Gradient norms", html("div", { class: "panel" }, html("h3", {}, "Node by node"), perNode, caption, rest, ...steps));
}

function key(): HTMLElement {
  const entry = (look: string, sign: string, text: string): HTMLElement => html("li", {}, html("span", { class: look, "aria-hidden": "true" }, sign), text);
  return html("ul", { class: "key" }, entry("dot", "", "every node"), entry("dot path", "", "on the path of the finding"), entry("cross", "✖", "not finite"), entry("naught", "0", "zero"));
}

const isSick = ({ grad }: GraphNode): boolean => grad!.nan + grad!.inf > 0;

const reading = (node: GraphNode): string => `${node.call}${node.spot === null ? "" : `, line ${node.spot.line}`}: ${isSick(node) ? "not finite" : `norm ${number(node.grad!.norm)}`}`;

/** Norms are drawn as powers of ten; a zero has none. */
const power = (norm: number | null): number | null => (norm === null || norm === 0 ? null : Math.log10(norm));

const powers = (_: uPlot, splits: number[]): string[] => splits.map((p) => (!Number.isInteger(p) ? "" : Math.abs(p) > 3 ? `1e${p}`.replace("-", "−") : number(10 ** p)));

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function axes(values: uPlot.Axis["values"]): uPlot.Axis[] {
  const common = { stroke: colour("quiet"), font: "12px system-ui, sans-serif", grid: { stroke: colour("rule"), width: 1 }, ticks: { stroke: colour("rule"), width: 1 } };
  return [{ ...common, values, space: 56, size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 1e5], grid: { show: false } }, { ...common, values: powers, size: 58, space: 26, incrs: [1, 2, 5, 10, 20, 50] }];
}

/** The range of powers, wide enough that a flat line does not look like a jump. */
const range = (_: uPlot, min: number | null, max: number | null): [number, number] => {
  const [low, high] = [Math.floor(min ?? 0), Math.ceil(max ?? 0)];
  return [Math.min(low, high - 2), Math.max(high, low + 2) + 0.3];
};

function nodeChart(parent: HTMLElement, nodes: readonly GraphNode[], path: ReadonlySet<number>, hover: (i: number | null) => void, choose: (i: number) => void): uPlot {
  const norms = nodes.map((node) => (isSick(node) ? null : power(node.grad!.norm)));
  const along = nodes.map(({ id }, i) => (path.has(id) ? norms[i] : null));
  const data = [nodes.map((_, i) => i), norms, along] as uPlot.AlignedData;
  const name = (_: uPlot, splits: number[]): string[] => splits.map((i) => (Number.isInteger(i) ? shortened(nodes[i]?.label ?? "") : ""));
  const chart: uPlot = new uPlot({
    width: parent.clientWidth, height: 240, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false }, points: { size: 9 } },
    scales: { x: { time: false, range: (_, min, max) => [min - 0.5, max + 0.5] }, y: { range } },
    axes: axes(name),
    series: [{}, { stroke: colour("quiet"), width: 1, dash: [2, 3], points: { show: nodes.length < 400, size: 6, fill: colour("quiet") }, spanGaps: false }, { stroke: colour("accent"), width: 2, spanGaps: true, points: { show: true, size: 8, fill: colour("accent") } }],
    hooks: { setCursor: [(u) => hover(u.cursor.idx ?? null)], draw: [(u) => odd(u, nodes)] },
  }, data, parent);
  chart.over.addEventListener("click", () => {
    if (chart.cursor.idx != null) choose(chart.cursor.idx);
  });
  return chart;
}

const shortened = (text: string): string => (text.length <= 9 ? text : `${text.slice(0, 8)}…`);

/** Marks what has no power of ten: at the top what is not finite, at the bottom zeros. */
function odd(u: uPlot, nodes: readonly GraphNode[]): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  const draw = (sign: string, look: string, y: number, baseline: CanvasTextBaseline, wanted: (node: GraphNode) => boolean): void => {
    ctx.fillStyle = colour(look);
    ctx.textBaseline = baseline;
    nodes.forEach((node, i) => wanted(node) && ctx.fillText(sign, u.valToPos(i, "x", true), y));
  };
  draw("✖", "error", bbox.top, "top", isSick);
  draw("0", "ink", bbox.top + bbox.height - 3 * devicePixelRatio, "bottom", (node) => !isSick(node) && node.grad!.norm === 0);
  ctx.restore();
}

const strokes = ["accent", "error", "good", "warning", "quiet"];
const dashes = [[], [7, 3], [2, 3]];
const strokeOf = (i: number): string => strokes[i % strokes.length];
const dashOf = (i: number): number[] => dashes[Math.floor(i / strokes.length) % dashes.length];

function stepChart(parent: HTMLElement, { leaves: { backwards, series } }: Page): uPlot {
  const values = series.map(() => html("td"));
  const read = (step: number): void => values.forEach((cell, i) => (cell.textContent = normText(series[i].norms[step] ?? null)));
  // A backward that was refused brought no gradients.
  const last = backwards.findLastIndex((_, step) => series.some(({ norms }) => norms[step] !== null));
  const data = [backwards, ...series.map(({ norms }) => norms.map(power))] as uPlot.AlignedData;
  const chart = new uPlot({
    width: parent.clientWidth, height: 240, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range } },
    axes: axes((_, splits) => splits.map((n) => (Number.isInteger(n) ? String(n) : ""))),
    series: [{}, ...series.map((_, i) => ({ width: 1.5, stroke: colour(strokeOf(i)), dash: dashOf(i), points: { show: backwards.length < 60, size: 5 } }))],
    hooks: { setCursor: [(u) => read(u.cursor.idx ?? last)] },
  }, data, parent);
  read(last);
  const sample = (i: number): SVGElement => svg("svg", { width: 26, height: 8, "aria-hidden": "true" }, svg("line", { x1: 0, x2: 26, y1: 4, y2: 4, stroke: `var(--${strokeOf(i)})`, "stroke-width": 2, "stroke-dasharray": dashOf(i).join(" ") }));
  const rows = series.map(({ name }, i) => html("tr", {}, html("td", {}, sample(i)), html("th", { scope: "row" }, html("code", {}, name)), values[i]));
  parent.append(html("table", { class: "lines" }, html("tbody", {}, ...rows)));
  return chart;
}

const normText = (norm: number | null): string => (norm === null ? "–" : number(norm));
