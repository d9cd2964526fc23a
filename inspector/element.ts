/** The element at which it went wrong: its equation, each factor with its line, and its neighbours. */
import type { Arithmetic, ElementStrip, Page, PageFinding } from "../src/doctor/report/html/page.ts";
import { html, type Child } from "./dom.ts";
import { count, isFinite, number, shape } from "./format.ts";
import type { Store } from "./selection.ts";
import { spotLink } from "./source.ts";

export function elementView(page: Page, store: Store, { arithmetic, victimValues }: PageFinding): HTMLElement | null {
  if (arithmetic === null && victimValues === null) return null;
  const at = arithmetic === null || arithmetic.element.length === 0 ? "" : ` [${arithmetic.element.join(", ")}]`;
  return html("div", { class: "row element" }, html("h4", {}, `Element${at}`),
    ...(arithmetic === null ? [] : [equation(arithmetic), factors(page, store, arithmetic)]),
    victimValues === null ? null : strip(victimValues));
}

function equation({ quantity, symbolic, numeric, value, grad, outcome }: Arithmetic): HTMLElement {
  const line = (...children: Child[]): HTMLElement => html("div", {}, ...children);
  const steps = [...new Set([symbolic, numeric])].map((text) => line("= ", text));
  return html("div", { class: "equation" }, line(quantity), ...steps,
    line("= ", outcome === null || grad === null ? result(value) : number(value)),
    outcome === null || grad === null ? null : line(html("span", { class: "words" }, "times the gradient "), `${number(grad)} · ${number(value)} = `, result(outcome)));
}

const result = (n: Parameters<typeof number>[0]): HTMLElement => html("strong", { class: isFinite(n) ? "" : "bad" }, number(n));

function factors(page: Page, store: Store, { factors }: Arithmetic): HTMLElement {
  const rows = factors.map(({ name, value, note, spot }) =>
    html("tr", {}, html("th", { scope: "row" }, html("code", {}, name)), html("td", { class: isFinite(value) ? "" : "bad" }, number(value)), html("td", {}, note === name ? null : html("span", { class: "note" }, `${note} `), spotLink(page, store, spot))));
  const head = ["factor", "value", "where from"].map((text) => html("th", { scope: "col" }, text));
  return html("div", { class: "scroll" }, html("table", { class: "factors" }, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows)));
}

/** The first elements of what suffered. */
function strip({ name, shape: sizes, head, numel, bad }: ElementStrip): HTMLElement {
  const cells = head.map((n, i) => html("li", { class: isFinite(n) ? "" : "bad", title: `${name}, element ${i}` }, number(n)));
  const isFarther = bad.length > 0 && head.every(isFinite);
  const more = numel > head.length ? html("li", { class: "more" }, `… ${count(numel - head.length)} more`) : null;
  return html("figure", { class: "strip" }, html("figcaption", {}, html("code", {}, name), `, ${sizes.length === 0 ? "a scalar" : `shape ${shape(sizes)}`}`, isFarther ? `; not finite at position ${bad[0]}` : null), html("ul", {}, ...cells, more));
}
