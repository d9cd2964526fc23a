/** Cuts a source into lines of coloured tokens; a few rules of JavaScript's syntax are enough. */
export interface Token {
  readonly kind: "plain" | "comment" | "string" | "keyword" | "number";
  readonly text: string;
}

const token =
  /(?<comment>\/\/.*|\/\*[\s\S]*?\*\/)|(?<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|(?<keyword>\b(?:import|export|from|as|const|let|var|function|return|if|else|for|of|in|while|do|new|class|extends|async|await|throw|try|catch|finally|typeof|null|undefined|true|false)\b)|(?<number>\b\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?\b)/g;

export function tokenLines(source: string): Token[][] {
  const lines: Token[][] = [[]];
  const add = (kind: Token["kind"], text: string): void => {
    text.split("\n").forEach((part, i) => {
      if (i > 0) lines.push([]);
      if (part !== "") lines.at(-1)!.push({ kind, text: part });
    });
  };
  let end = 0;
  for (const match of source.matchAll(token)) {
    add("plain", source.slice(end, match.index));
    const [kind, text] = Object.entries(match.groups!).find(([, part]) => part !== undefined)! as [Token["kind"], string];
    add(kind, text);
    end = match.index + text.length;
  }
  add("plain", source.slice(end));
  return lines;
}
