/** Makes elements. Texts become text nodes, so that nothing of a program is ever read as markup. */
export type Child = Node | string | null;
type Attributes = Record<string, string | number | boolean | ((event: never) => void) | null>;

function fill<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** `html("button", { class: "link", onclick: f }, "text")` */
export function html<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

let sections = 0;

/** A landmark with its heading. */
export function section(name: string, title: string, ...children: Child[]): HTMLElement {
  const id = `heading-${sections++}`;
  return html("section", { class: name, "aria-labelledby": id }, html("h2", { id }, title), ...children);
}

export function scrollTo(element: Element, block: ScrollLogicalPosition = "nearest"): void {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ block, inline: "nearest", behavior: calm ? "auto" : "smooth" });
}
