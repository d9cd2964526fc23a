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
    page.error === null ? null : thrown(page.error));
}

/** What ended the program: the kind of error, and its message on demand. */
function thrown(error: string): HTMLElement {
  const [kind] = error.split(":", 1);
  return html("details", { class: "thrown" }, html("summary", {}, `The program ended in ${kind}`), html("p", {}, html("code", {}, error.slice(kind.length + 2))));
}

const graph = graphView(page, store);
document.body.append(
  html("a", { class: "skip", href: "#findings" }, "Skip to the findings"),
  header(),
  html("main", { id: "findings", tabindex: -1 }, findingsView(page, store), sourceView(page, store), graph, normsView(page, store), timelineView(page, store)),
);
const [first] = page.findings;
if (first !== undefined) store.choose(focusOf(page, first, 0));
else store.choose({ node: page.graphs[0]?.roots[0] ?? null });
