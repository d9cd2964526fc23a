/** Builds the page from the data that the command line wrote into it. */
import type { Page } from "../src/doctor/report/html/page.ts";
import { normsView } from "./charts.ts";
import { html } from "./dom.ts";
import { findingsView, focusOf } from "./findings.ts";
import { plural } from "./format.ts";
import { graphView } from "./graph.ts";
import { Store } from "./selection.ts";
import { sourceView } from "./source.ts";
import { timelineView } from "./timeline.ts";

const page = JSON.parse(document.getElementById("data")!.textContent) as Page;
const store = new Store();

function header(): HTMLElement {
  const errors = page.findings.filter(({ severity }) => severity === "error").length;
  const warnings = page.findings.length - errors;
  const counts = [errors === 0 ? null : html("span", { class: "count error" }, `✖ ${plural(errors, "error")}`), warnings === 0 ? null : html("span", { class: "count warning" }, `▲ ${plural(warnings, "warning")}`), page.findings.length > 0 ? null : html("span", { class: "count good" }, "✔ nothing found")];
  return html("header", {},
    html("p", { class: "product" }, "leafgrad doctor"),
    html("h1", {}, page.program),
    html("p", { class: "counts" }, ...counts),
    page.error === null ? null : html("p", { class: "thrown" }, html("span", { class: "quiet" }, "ended by "), html("code", {}, page.error)));
}

const graph = graphView(page, store);
document.body.append(
  html("a", { class: "skip", href: "#findings" }, "Skip to the findings"),
  header(),
  html("main", { id: "findings", tabindex: -1 }, findingsView(page, store), sourceView(page, store), graph, normsView(page, store), timelineView(page, store)),
);
const [first] = page.findings;
if (first !== undefined) store.choose(focusOf(first, 0));
else store.choose({ node: page.graphs[0]?.roots[0] ?? null });
