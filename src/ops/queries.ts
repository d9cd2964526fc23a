/** Questions about tensors that the torch namespace answers; each is a method or property of Tensor too. */
import { Tensor } from "../tensor/tensor.ts";

/** Is `obj` a tensor? */
export function is_tensor(obj: unknown): obj is Tensor {
  return obj instanceof Tensor;
}
/** Number of elements. */
export function numel(input: Tensor): number {
  return input.numel();
}
/** Has it a floating-point dtype? */
export function is_floating_point(input: Tensor): boolean {
  return input.is_floating_point();
}
/** Has it a complex dtype? leafgrad has none. */
export function is_complex(input: Tensor): boolean {
  return input.is_complex();
}
/** Can its dtype hold negative numbers? */
export function is_signed(input: Tensor): boolean {
  return input.is_signed();
}
/** Was it made in inference mode? */
export function is_inference(input: Tensor): boolean {
  return input.is_inference();
}
/** Is its one element different from zero? */
export function is_nonzero(input: Tensor): boolean {
  return input.is_nonzero();
}
/** Have both tensors the same sizes? */
export function is_same_size(input: Tensor, other: Tensor): boolean {
  return input.is_same_size(other);
}
/** The real part of `input`: a real tensor itself. */
export function real(input: Tensor): Tensor {
  return input;
}
