/** What is known of one node of the graph. */
import type { GraphNode, Page, Stats } from "../src/doctor/report/html/page.ts";
import { html, type Child } from "./dom.ts";
import { count, number, shape } from "./format.ts";
import type { Store } from "./selection.ts";
import { spotLink } from "./source.ts";

export function nodeDetails(page: Page, store: Store, node: GraphNode): HTMLElement[] {
  const states = statesOf(node);
  return [
    html("h3", {}, html("code", {}, node.label), html("span", { class: "quiet" }, ` ${node.type}`)),
    html("p", {}, html("code", {}, node.call), " ", spotLink(page, store, node.spot)),
    html("ul", { class: "states" }, ...states.map((state) => html("li", { class: state.split(" ")[0] }, state))),
    facts([
      ["tensor", node.tensor],
      ["shape", node.shape === null ? "–" : shape(node.shape)],
      ["dtype", node.dtype],
      ["version", String(node.version)],
      ["saves", node.saves.length === 0 ? "nothing" : node.saves.map(({ tensor, version, overwritten }) => `${tensor} at version ${version}${overwritten ? ", overwritten since" : ""}`).join("; ")],
    ]),
    statistics("Value", node.value),
    statistics("Gradient that arrives", node.grad),
  ];
}

export function statesOf(node: GraphNode): string[] {
  return [node.isCut ? "cut" : node.isLeaf ? "leaf" : "non-leaf", node.isSaved ? "saved" : null, node.isOverwritten ? "overwritten" : null, node.isPoisoned ? "not finite" : null, node.isCutOff ? "behind the cut" : null].filter((state) => state !== null);
}

function facts(rows: readonly (readonly [string, Child])[]): HTMLElement {
  return html("dl", {}, ...rows.flatMap(([term, text]) => [html("dt", {}, term), html("dd", {}, text)]));
}

function statistics(title: string, stats: Stats | null): HTMLElement {
  if (stats === null) return html("div", { class: "stats" }, html("h4", {}, title), html("p", { class: "quiet" }, "none was seen"));
  const { numel, nan, inf, zero, norm, min, max, head } = stats;
  const odd = [nan === 0 ? null : `${count(nan)} NaN`, inf === 0 ? null : `${count(inf)} infinite`, zero === 0 ? null : `${count(zero)} zero`].filter((part) => part !== null).join(", ");
  return html("div", { class: "stats" }, html("h4", {}, title),
    facts([["norm", number(norm)], ["range", `${number(min)} … ${number(max)}`], ["elements", `${count(numel)}${odd === "" ? "" : `: ${odd}`}`]]),
    html("p", { class: "head" }, `[${head.slice(0, 8).map(number).join(", ")}${numel > 8 ? ", …" : ""}]`));
}
