import * as torch from "leafgrad";
import { ints, leaf, loose } from "./helpers.ts";
import { float, later, size, tuple } from "./pyrepr.ts";

const F = torch.nn.functional;

/** Section J: accumulation into `.grad`. */
const accumulation: Record<string, () => unknown> = {
  J01: () => {
    const a = leaf(2);
    a.mul(2).sum().backward();
    const g = a.grad;
    a.mul(3).sum().backward();
    return tuple(a.grad, g === a.grad, a.grad!._version);
  },
  // Python compares `data_ptr()`; here a write through one shows whether the other shares its memory.
  J02: () => {
    const a = leaf(2);
    const t = torch.ones(2);
    a.backward(t);
    t.fill_(7);
    return tuple(a.grad!.index(0).item() === 7, a.grad === t);
  },
  J02c: () => {
    const a = leaf(2, 3);
    a.sum().backward();
    return tuple(tuple(...a.grad!.stride()), a.grad!.is_contiguous());
  },
  J02d: () => {
    const a = torch.ones(3, 2).t().requires_grad_();
    a.mul(2).sum().backward();
    return tuple(tuple(...a.stride()), tuple(...a.grad!.stride()));
  },
  J02e: () => {
    const a = leaf(2, 3);
    a.backward(torch.ones(3, 2).t());
    return tuple(...a.grad!.stride());
  },
  J02f: () => {
    const a = torch.ones(1, 3).expand(2, 3).requires_grad_();
    a.mul(2).sum().backward();
    return tuple(tuple(...a.grad!.stride()), size(a.grad!.shape));
  },
  J03: () => {
    const a = leaf(2);
    a.mul(2).sum().backward();
    const g = a.grad;
    a.pow(2).sum().backward({ create_graph: true });
    return tuple(g === a.grad, a.grad, a.grad!.requires_grad, a.grad!.grad_fn!.name());
  },
  J04: () => {
    const a = leaf(2);
    a.mul(2).sum().backward();
    return tuple(a.grad!.requires_grad, a.grad!.grad_fn);
  },
  J06: () => {
    const a = leaf(2);
    const o: unknown[] = [];
    a.register_hook((g) => void o.push((g.tolist() as number[]).map(float)));
    a.mul(2).add(a.mul(3)).sum().backward();
    return o;
  },
  J07: () => {
    const a = leaf(2);
    const [b, c] = [a.mul(2), a.mul(3)];
    const [next, other] = [b.grad_fn!.next_functions, c.grad_fn!.next_functions];
    return tuple(next[0]![0] === other[0]![0], next[0]![0]!.name(), tuple(...next.map((n) => tuple(...n))));
  },
  J08: () => {
    const a = leaf(2);
    a.mul(2).sum().backward();
    const v = a.grad!._version;
    a.mul(2).sum().backward();
    return tuple(v, a.grad!._version);
  },
  J09: () => {
    const a = leaf(2);
    const g = torch.ones(2);
    a.grad = g;
    a.mul(2).sum().backward();
    return tuple(g, a.grad === g);
  },
  J10: () => {
    const a = leaf(2);
    const g = torch.ones(2, { requires_grad: true });
    a.grad = g;
    a.mul(2).sum().backward();
    return a.grad;
  },
};

/** Section K: what the graph says of itself. */
const graph: Record<string, () => unknown> = {
  K01: () => {
    const [a, b] = [leaf(2, 2), leaf(2, 2)];
    const made: Record<string, torch.Tensor | string> = {
      add: a.add(b), sub: a.sub(b), rsub: a.rsub(1), mul: a.mul(b), div: a.div(b), neg: a.neg(),
      pow: a.pow(2), pow_t: a.pow(b), rpow: torch.pow(2, a), mm: a.matmul(b), exp: a.exp(), log: a.log(),
      sum: a.sum(), sumdim: a.sum(0), mean: a.mean(), meandim: a.mean(0),
      max: a.max(), maxdim: a.max(0)[0], amax: a.amax(),
      view: a.view(4), reshape: a.reshape(4), t: a.t(), T: a.T, permute: a.permute(1, 0),
      transpose: a.transpose(0, 1), expand: leaf(1).expand(3), index0: a.index(0), slice: a.index(":, 0:1"),
      adv: a.index(ints([0])), mask: a.index(a.gt(0)), cat: torch.cat([a, b]), stack: torch.stack([a, b]),
      relu: a.relu(), sigmoid: a.sigmoid(), tanh: a.tanh(), softmax: a.softmax(0), log_softmax: a.log_softmax(0),
      linear: "F.linear", addmm: "addmm", clone: a.clone(), contig: a.t().contiguous(), to: a.double(),
      unsq: a.unsqueeze(0), sq: leaf(1, 2).squeeze(), sqd: leaf(1, 2).squeeze(0),
      unbind: a.unbind()[0]!, split: a.split(1)[0]!, std: a.std(), var: a.var(), norm: a.norm(),
      where: torch.where(a.gt(0), a, b), gather: a.gather(0, ints([[0, 0]])), mse: F.mse_loss(a, b),
      nll: "F.nll_loss", ce: "F.cross_entropy", conv: "F.conv2d", bn: "F.batch_norm", ln: "F.layer_norm",
      dropout: "F.dropout", gelu: "F.gelu", maxpool: "F.max_pool2d", emb: "F.embedding",
      bmm: torch.bmm(leaf(1, 2, 2), leaf(1, 2, 2)), einsum: "einsum", prod: a.prod(), cumsum: a.cumsum(0),
      sort: "sort", topk: "topk", clamp: a.clamp(0), abs: a.abs(), sqrt: a.sqrt(), rsqrt: a.rsqrt(),
      addi: a.clone().add_(b), copy: torch.zeros(2, 2).copy_(a), fillna: a.masked_fill(a.gt(0), 0),
      dot: leaf(2).dot(leaf(2)), mv: a.mv(leaf(2)), matmul3: torch.matmul(leaf(2, 2, 2), a),
      logsumexp: a.logsumexp(0), tril: a.tril(), diag: "diag", inv: "linalg.inv", repeat: a.repeat(2, 1),
      flip: a.flip(0), roll: a.roll(1), selu: "F.selu", elu: "F.elu", leaky: "F.leaky_relu",
      hardtanh: "F.hardtanh", softplus: "F.softplus", silu: "F.silu", maximum: torch.maximum(a, b),
    };
    const name = (x: torch.Tensor | string): unknown => (typeof x === "string" ? later(x) : x.grad_fn!.name());
    return Object.fromEntries(Object.entries(made).map(([key, x]) => [key, name(x)]));
  },
  K02: () => {
    const a = leaf(2);
    const c = torch.ones(2);
    const next = a.mul(c).grad_fn!.next_functions;
    return tuple(
      tuple(...next[1]!),
      next[0]![0]!.name(),
      torch.stack([a, a]).unbind()[1]!.grad_fn === torch.stack([a, a]).unbind()[0]!.grad_fn,
      tuple(...leaf(2).mul(3).grad_fn!.next_functions[1]!),
    );
  },
  K03: () => {
    const [x, y] = leaf(2, 2).unbind();
    return tuple(x!.output_nr, y!.output_nr, leaf(1).output_nr);
  },
  K06: () => tuple(String(leaf(2).mul(2).grad_fn).slice(0, 18), String(leaf(2).mul(2))),
};

/** Section P: refusals of single ops. */
const refusals: Record<string, () => unknown> = {
  P01: () => void torch.ones(2, 3).matmul(torch.ones(2, 3)),
  P02: () => void torch.ones(2).add(torch.ones(3)),
  P03: () => void torch.ones(2, 3).view(4),
  P03b: () => void torch.ones(2, 3).t().view(6),
  P04: () => void torch.ones(2).index(5),
  P04b: () => void torch.ones(2).index(ints([5])),
  P04c: () => void torch.ones(2).index(0, 0),
  P05: () => void torch.cat([torch.ones(2, 2), torch.ones(3, 3)]),
  P06: () => void torch.ones(2).sum(3),
  P07: () => void torch.ones(2, 2).matmul(torch.ones(2, 2, { dtype: torch.float64 })),
  P08: () => void ints([1, 2]).mean(),
  P09: () => void ints([1, 2]).add_(1.5),
  P10: () => void ints([1, 2]).softmax(0),
  P11: () => void torch.ones(2, 3).reshape(4),
  P13: () => void [...torch.ones([])],
  P12: () => void F.linear(torch.ones(2, 3), torch.ones(4, 5)),
  P15: () => void F.nll_loss(torch.ones(2, 3), ints([0, 5])),
  P16: () => void torch.ones(2).expand(3),
  P17: () => size(torch.ones(2, 1).squeeze(0).shape),
  P18: () => void torch.ones(2, 2).gather(0, torch.ones(2, 2)),
  P19: () => void F.embedding(ints([5]), torch.ones(2, 2)),
  P20: () => void F.conv2d(torch.ones(1, 2, 3, 3), torch.ones(1, 1, 2, 2)),
  P21: () => void torch.stack([torch.ones(2), torch.ones(3)]),
  P22: () => tuple(ints([3]).div(ints([2])), ints([3]).floor_divide(ints([2]))),
  P24: () => void torch.ones(0).item(),
  P25: () => void torch.ones(0).max(),
  P28: () => void torch.tensor(loose([[1, 2], [3]])),
};

export const programs = { ...accumulation, ...graph, ...refusals };
