/** The program's source with line numbers; its gutter bears the marks of the findings. */
import type { Page, Spot } from "../src/doctor/report/html/page.ts";
import { html, scrollTo, section } from "./dom.ts";
import { tokenLines, type Token } from "./highlight.ts";
import type { Selection, Store } from "./selection.ts";

const signs = { error: "✖", warning: "▲", victim: "◇" };

export function sourceView(page: Page, store: Store): HTMLElement {
  const body = html("div", { class: "code", tabindex: 0, role: "region", "aria-label": "Source" });
  const files = html("select", { "aria-label": "File", onchange: () => draw(Number(files.value)) }, ...page.sources.map(({ file }, i) => html("option", { value: i }, file)));
  let shown = -1;
  let rows: HTMLElement[] = [];

  function draw(source: number): void {
    if (source !== shown) {
      shown = source;
      files.value = String(source);
      rows = lines(page, store, source);
      body.replaceChildren(...rows);
    }
    paint(store.selection);
  }

  function paint({ finding, spot }: Selection): void {
    const marks = finding === null ? [] : page.findings[finding].marks.filter((m) => m.source === shown);
    rows.forEach((row, i) => {
      const mark = marks.find(({ line }) => line === i + 1);
      row.dataset.role = mark?.role ?? (spot?.source === shown && spot.line === i + 1 ? "spot" : "");
      underline(row, mark ?? (row.dataset.role === "spot" ? spot : null));
    });
  }

  store.follow((now, before) => {
    if (page.sources.length === 0) return;
    const spot = now.spot ?? (now.finding === null ? null : (page.findings[now.finding].marks[0] ?? null));
    draw(spot?.source ?? Math.max(0, shown));
    if (spot !== null && (now.spot !== before?.spot || now.finding !== before?.finding)) reveal(body, rows[spot.line - 1]);
  });
  const head = page.sources.length > 1 ? html("p", { class: "picker" }, files) : html("p", { class: "picker" }, html("code", {}, page.sources[0]?.file ?? ""));
  return section("source", "Source", page.sources.length === 0 ? html("p", { class: "quiet" }, "The trace holds no source.") : html("div", { class: "panel" }, head, body));
}

/** Scrolls the code alone, never the page. */
function reveal(body: HTMLElement, row: HTMLElement | undefined): void {
  if (row === undefined) return;
  const top = row.offsetTop - body.clientHeight / 2;
  body.scrollTo({ top, left: 0 });
}

function lines(page: Page, store: Store, source: number): HTMLElement[] {
  return tokenLines(page.sources[source].text).map((tokens, i) => {
    const row = html("div", { class: "line" }, html("span", { class: "gutter" }, ...gutter(page, store, source, i + 1)), html("span", { class: "number" }, String(i + 1)), html("code", { class: "text" }));
    return Object.assign(row, { tokens });
  });
}

function gutter(page: Page, store: Store, source: number, line: number): HTMLElement[] {
  const here = page.findings.flatMap((finding, index) => finding.marks.filter((m) => m.source === source && m.line === line).map((mark) => ({ finding, index, mark })));
  // The line to blame speaks before the lines that suffer; one mark a line is enough.
  const [first] = here.toSorted((a, b) => Number(a.mark.role === "victim") - Number(b.mark.role === "victim"));
  if (first === undefined) return [];
  const { finding, index, mark } = first;
  const look = mark.role === "victim" ? "victim" : finding.severity;
  const label = `Line ${line}, ${mark.text}: ${finding.message}`;
  return [html("button", { class: `mark ${look}`, type: "button", title: label, "aria-label": label, onclick: () => store.choose({ finding: index, spot: null }) }, signs[look])];
}

/** Draws a line's tokens, with a stretch of it marked. */
function underline(row: HTMLElement & { tokens?: Token[] }, spot: Spot | null): void {
  const [from, to] = spot === null ? [0, 0] : [spot.column - 1, spot.column - 1 + spot.length];
  const parts: HTMLElement[] = [];
  let at = 0;
  for (const { kind, text } of row.tokens ?? []) {
    const cuts = [0, from - at, to - at, text.length].filter((cut) => cut >= 0 && cut <= text.length).sort((a, b) => a - b);
    for (let i = 0; i + 1 < cuts.length; i++) {
      if (cuts[i] === cuts[i + 1]) continue;
      const inside = at + cuts[i] >= from && at + cuts[i + 1] <= to;
      parts.push(html("span", { class: inside ? `${kind} marked` : kind }, text.slice(cuts[i], cuts[i + 1])));
    }
    at += text.length;
  }
  row.querySelector(".text")!.replaceChildren(...parts);
}

/** `line 4`; of several files also which: `rotation.ts:4`. */
export function spotText({ sources }: Page, { source, line }: Pick<Spot, "source" | "line">): string {
  return sources.length > 1 ? `${sources[source].file}:${line}` : `line ${line}`;
}

/** A button that shows a place in the source. */
export function spotLink(page: Page, store: Store, spot: Spot | null, text?: string): HTMLElement | null {
  if (spot === null) return null;
  const show = (): void => {
    store.choose({ spot });
    const code = document.querySelector(".source .line[data-role='spot'], .source .line[data-role='culprit'], .source .line[data-role='victim']");
    if (code !== null) scrollTo(document.querySelector(".source")!);
  };
  return html("button", { class: "link", type: "button", onclick: show }, text ?? spotText(page, spot));
}
