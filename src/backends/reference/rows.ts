/** The reference backend's row programs: plain loops, folding floats in double precision. */
import { foldsOf, type RowKernel, type RowPass, type RowProgram } from "../../ir/rows.ts";
import type { DType } from "../../tensor/dtype.ts";
import { build, reads, runningFold } from "./compile.ts";
import { cast, emit, viewOf } from "./emit.ts";

/** The dtype of each operand that a program reads or writes. */
function operandsOf(program: RowProgram): Map<number, DType> {
  const found = new Map<number, DType>();
  for (const { folds, stores } of program.passes) {
    for (const expr of [...folds.map((f) => f.map), ...stores.map((s) => s.value)]) for (const [i, dtype] of reads(expr).inputs) found.set(i, dtype);
    for (const { operand, dtype } of stores) found.set(operand, dtype);
  }
  for (const { operand, dtype } of program.results) found.set(operand, dtype);
  return found;
}

/** Compiles a row program into nested loops. */
export function compileRows(program: RowProgram): RowKernel {
  const folds = foldsOf(program);
  const operands = [...operandsOf(program)];
  const exprs = [...folds.flatMap((f) => [f.map, f.finish]), ...program.passes.flatMap((p) => p.stores.map((s) => s.value))];
  let first = 0;
  const passes = program.passes.map((pass) => {
    const lines = passLines(pass, first);
    first += pass.folds.length;
    return lines;
  });
  return build("{sizes,steps},at,scalars", [
    ...new Set(exprs.flatMap((expr) => reads(expr).scalars)),
    ...operands.map(([q, dtype]) => `const a${q}=heap.${viewOf(dtype).name};`),
    "for(let i=0;i<sizes[0];i++)for(let j=0;j<sizes[1];j++){",
    ...operands.map(([q]) => `const b${q}=at[${q}]+i*steps[${4 * q}]+j*steps[${4 * q + 1}];`),
    ...passes.flat(),
    ...program.results.map(({ operand, fold, dtype }) => `a${operand}[b${operand}>>>${viewOf(dtype).shift}]=${cast(`r${fold}`, folds[fold].finish.dtype, dtype)};`),
    "}",
  ]);
}

/** The statements of a pass, whose folds are numbered from `first` on. */
function passLines({ folds, stores }: RowPass, first: number): string[] {
  const inputs = new Map([...folds.map((f) => f.map), ...stores.map((s) => s.value)].flatMap((expr) => reads(expr).inputs));
  const written = new Map(stores.map((s) => [s.operand, s.dtype]));
  const positions = [...new Map([...inputs, ...written])];
  const running = folds.map(({ name, map, accumulator }, k) => {
    const { lines, value } = emit(map);
    return { lines, ...runningFold(name, accumulator, cast(value, map.dtype, accumulator), `acc${first + k}`) };
  });
  return [
    ...running.map((r) => r.start),
    "for(let m=0;m<sizes[2];m++)for(let n=0;n<sizes[3];n++){",
    ...positions.map(([q, dtype]) => `const p${q}=b${q}+m*steps[${4 * q + 2}]+n*steps[${4 * q + 3}]>>>${viewOf(dtype).shift};`),
    ...[...inputs].map(([q]) => `const x${q}=a${q}[p${q}];`),
    ...running.map((r) => `{${r.lines.join("")}${r.fold}}`),
    ...stores.map(({ operand, value, dtype }) => {
      const { lines, value: text } = emit(value);
      return `{${lines.join("")}a${operand}[p${operand}]=${cast(text, value.dtype, dtype)};}`;
    }),
    "}",
    ...folds.map(({ finish }, k) => {
      const { lines, value } = emit(finish);
      return `let r${first + k};{const acc=acc${first + k};${lines.join("")}r${first + k}=${value};}`;
    }),
  ];
}
