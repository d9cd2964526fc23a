/** The multiply-add peak of this machine in this engine: a loop that never leaves the registers. */
import { Assembler } from "../src/backends/wasm/assembler.ts";
import { compileKernel, features, type Kernel } from "../src/backends/wasm/engine.ts";

const accumulators = 12;
const rounds = 200_000;

function peakLoop(): Kernel {
  const a = new Assembler(3);
  const sums = Array.from({ length: accumulators }, () => a.local("v128"));
  const [x, y] = [a.local("v128"), a.local("v128")];
  a.f32(1e-9).op("f32x4.splat").set(x).f32(0.5).op("f32x4.splat").set(y);
  a.loop(() => {
    for (const sum of sums) {
      if (features.relaxed) a.get(sum).get(x).get(y).op("f32x4.relaxed_madd").set(sum);
      else a.get(sum).get(x).op("f32x4.mul").get(y).op("f32x4.add").set(sum);
    }
    a.get(2).i32(1).op("i32.sub").tee(2);
  });
  // The total goes to address 0, which the heap leaves unused: no engine may leave the sums out.
  a.i32(0).get(sums[0]!);
  for (const sum of sums.slice(1)) a.get(sum).op("f32x4.add");
  a.memory("v128.store");
  return compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body: a }] });
}

let kernel: Kernel | null = null;

/** Floating-point operations per nanosecond: the best of several runs now, for the machine's speed varies. */
export function multiplyAddPeak(): number {
  kernel ??= peakLoop();
  let best = 0;
  for (let i = 0; i < 8; i++) {
    const start = process.hrtime.bigint();
    kernel.run(0, 0, rounds);
    best = Math.max(best, (rounds * accumulators * 8) / Number(process.hrtime.bigint() - start));
  }
  return best;
}
