import type { WriteStream } from "node:tty";

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/** Gives a text a look. `util.styleText` would do, were it in every Node 20. */
export type Style = (text: string, ...looks: (keyof typeof codes)[]) => string;

/** Colours for a terminal that wants them (`NO_COLOR`, `FORCE_COLOR` and `TERM` have their say); else none. */
export function styleFor(stream: NodeJS.WriteStream): Style {
  const { FORCE_COLOR: forced } = process.env;
  const wanted = forced ? forced !== "0" : stream.isTTY && (stream as WriteStream).hasColors();
  if (!wanted) return (text) => text;
  return (text, ...looks) => `\u001B[${looks.map((look) => codes[look]).join(";")}m${text}\u001B[0m`;
}
