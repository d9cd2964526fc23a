/**
 * Folds a long sequence of nodes into blocks. Nodes stand after all that they lead to, and a block is a stretch of the
 * sequence; so whatever is folded, the graph of what is left has no cycle.
 */
export interface Block {
  /** The stretch; `to` is not included. */
  readonly from: number;
  readonly to: number;
  /** How often its first part repeats; 1 where it does not. */
  readonly times: number;
  readonly children: readonly Block[];
}

/** Sequences up to this long are shown whole. */
const whole = 60;
/** A block opens to at most this many parts. */
const fan = 24;
/** The longest part that is looked for again. */
const longestPeriod = 96;

/** The blocks of a sequence, of which `keys` tells what is alike. */
export function fold(keys: readonly string[]): Block[] {
  return keys.length <= whole ? singles(0, keys.length) : folded(keys, 0, keys.length);
}

const blockId = ({ from, to }: Block): string => `${from}-${to}`;

/** What is seen while some blocks are open. */
export function visible(blocks: readonly Block[], open: ReadonlySet<string>): Block[] {
  return blocks.flatMap((block) => (block.children.length > 0 && open.has(blockId(block)) ? visible(block.children, open) : [block]));
}

/** The blocks that must be open for a node to be seen, outermost first. */
export function around(blocks: readonly Block[], index: number): string[] {
  const block = blocks.find(({ from, to }) => from <= index && index < to);
  return block === undefined || block.children.length === 0 ? [] : [blockId(block), ...around(block.children, index)];
}

export { blockId };

function singles(from: number, to: number): Block[] {
  return Array.from({ length: to - from }, (_, i) => ({ from: from + i, to: from + i + 1, times: 1, children: [] }));
}

function folded(keys: readonly string[], from: number, to: number): Block[] {
  const blocks: Block[] = [];
  for (let at = from; at < to; ) {
    const { period, times } = repetition(keys, at, to);
    const end = at + period * times;
    blocks.push(...(times === 1 ? singles(at, end) : [repeated(keys, at, period, times)]));
    at = end;
  }
  return gathered(blocks);
}

/** The repetition that begins at a position and covers most. */
function repetition(keys: readonly string[], at: number, to: number): { period: number; times: number } {
  let best = { period: 1, times: 1 };
  for (let period = 1; period <= longestPeriod && at + 2 * period <= to; period++) {
    let same = 0;
    while (at + period + same < to && keys[at + same] === keys[at + period + same]) same++;
    const times = 1 + Math.floor(same / period);
    if (times >= 3 && period * times > best.period * best.times + period) best = { period, times };
  }
  return best.period * best.times >= 6 ? best : { period: 1, times: 1 };
}

function repeated(keys: readonly string[], at: number, period: number, times: number): Block {
  const parts = Array.from({ length: times }, (_, i): Block => part(keys, at + i * period, at + (i + 1) * period));
  return { from: at, to: at + period * times, times, children: gathered(parts) };
}

function part(keys: readonly string[], from: number, to: number): Block {
  if (to - from === 1) return { from, to, times: 1, children: [] };
  return { from, to, times: 1, children: to - from <= fan ? singles(from, to) : folded(keys, from, to) };
}

/** At most `fan` blocks, which hold the others. */
function gathered(blocks: readonly Block[]): Block[] {
  if (blocks.length <= fan) return [...blocks];
  const size = Math.ceil(blocks.length / fan);
  return Array.from({ length: Math.ceil(blocks.length / size) }, (_, i) => {
    const children = blocks.slice(i * size, (i + 1) * size);
    if (children.length === 1) return children[0];
    return { from: children[0].from, to: children.at(-1)!.to, times: 1, children: gathered(children) };
  });
}
