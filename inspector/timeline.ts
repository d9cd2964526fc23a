/** What happened to one piece of memory: who made, saved, wrote and read it, and at which version. */
import type { Moment, Page, StorageTimeline } from "../src/doctor/report/html/page.ts";
import { html, section } from "./dom.ts";
import { count } from "./format.ts";
import type { Store } from "./selection.ts";
import { spotLink } from "./source.ts";

const signs: Record<Moment["kind"], string> = { made: "○", saved: "◆", written: "✎", used: "▽", refused: "✖" };

export function timelineView(page: Page, store: Store): HTMLElement {
  if (page.storages.length === 0) return section("memory", "Memory", html("p", { class: "quiet" }, "No tensor was written in place."));
  const list = html("ol", { class: "moments" });
  const option = ({ storage, name, conflict }: StorageTimeline): HTMLElement => html("option", { value: storage }, `${conflict ? "✖ " : ""}${name}`);
  const picker = html("select", { "aria-label": "Whose memory", onchange: () => store.choose({ storage: Number(picker.value) }) }, ...page.storages.map(option));
  store.follow(({ storage }) => {
    const shown = page.storages.find((s) => s.storage === storage) ?? page.storages[0];
    picker.value = String(shown.storage);
    list.replaceChildren(...shown.moments.map((moment) => row(page, store, moment)), ...(shown.left === 0 ? [] : [html("li", { class: "quiet" }, `… ${count(shown.left)} more`)]));
  });
  return section("memory", "Memory", html("div", { class: "tools" }, picker, html("span", { class: "quiet" }, "writes, saves and versions of its storage")), html("div", { class: "panel" }, list));
}

function row(page: Page, store: Store, { kind, text, version, spot, harm }: Moment): HTMLElement {
  return html("li", { class: `${kind}${harm === null ? "" : " harm"}` },
    html("span", { class: "sign", role: "img", "aria-label": kind }, signs[kind]),
    html("span", { class: "version", title: `version ${version}` }, `v${version}`),
    html("span", { class: "what" }, html("span", {}, text), " ", spotLink(page, store, spot), harm === null ? null : html("span", { class: "reason" }, harm)));
}
