/** Calls of PyTorch's first years, with numbers before the tensors that they multiply: `x.add_(-lr, grad)`, `addmm(beta, self, alpha, mat1, mat2)`. */
import { warn } from "../errors.ts";
import { Signature } from "./arguments.ts";
import { signatureText } from "./mismatch.ts";
import type { Parameter } from "./schema.ts";

/** The signatures of such calls (tools/autograd/deprecated.yaml); a method's begin with `self`. */
function deprecatedForms({ schema, options }: Signature, isMethod: boolean): Signature[] {
  const [self, ...tensors] = schema.parameters.filter((p) => !p.keywordOnly);
  const [first, ...more] = schema.parameters.filter((p) => p.keywordOnly).map((p) => ({ ...p, keywordOnly: false, hasDefault: false }));
  const forms = more.length === 0 ? [[self, first]] : [[first, more[0]], [first]].map(([beta, ...alpha]) => (isMethod ? [self, beta, ...alpha] : [beta, self, ...alpha]));
  return forms.map((start) => {
    const parameters: Parameter[] = [...start, ...tensors];
    return new Signature({ ...schema, parameters, positional: parameters.length, positions: new Map(parameters.map((p, i) => [p.name, i])) }, options);
  });
}

/** Such a call as it is written today, or null where it is none. */
export function modernCall(name: string, signature: Signature, args: readonly unknown[], named: Record<string, unknown> | null, isMethod: boolean): unknown[] | null {
  if (signature.options.hasDeprecated !== true) return null;
  for (const form of deprecatedForms(signature, isMethod)) {
    const values = form.match(args, named);
    if (values === null) continue;
    const [old, now] = [form, signature].map((s) => `\n\t${name}${signatureText(s, isMethod)}`);
    warn(`This overload of ${name} is deprecated:${old}\nConsider using one of the following signatures instead:${now}`);
    const valueOf = (p: Parameter): unknown => values[form.schema.positions.get(p.name) ?? -1];
    const { parameters } = signature.schema;
    return [...parameters.filter((p) => !p.keywordOnly).map(valueOf), Object.fromEntries(parameters.filter((p) => p.keywordOnly).map((p) => [p.name, valueOf(p)]))];
  }
  return null;
}
