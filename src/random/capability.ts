/**
 * Which of PyTorch's builds for x86 to reproduce. PyTorch picks one by the processor, and their random floats differ in
 * the last bits: `AVX2`, which is also what AVX-512 machines run for random numbers, fuses multiply and add and has
 * vectorised float32 normals; `DEFAULT` rounds every step and calls the C library.
 */
export type CpuCapability = "AVX2" | "DEFAULT";

let capability: CpuCapability = "DEFAULT";

/** The build in force: `DEFAULT` unless told otherwise. */
export function get_cpu_capability(): CpuCapability {
  return capability;
}

/**
 * Chooses the build, as the environment variable ATEN_CPU_CAPABILITY does for PyTorch. Returns the one before.
 *
 * ```ts
 * const before = setCpuCapability("AVX2"); // "DEFAULT"
 * setCpuCapability(before);
 * ```
 */
export function setCpuCapability(next: CpuCapability): CpuCapability {
  const before = capability;
  capability = next;
  return before;
}
