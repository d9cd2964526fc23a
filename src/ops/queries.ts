/** Questions about tensors that the torch namespace answers; each is a method or property of Tensor too. */
import { Tensor } from "../tensor/tensor.ts";

/** Is `obj` a tensor? */
export const is_tensor = (obj: unknown): obj is Tensor => obj instanceof Tensor;
/** Number of elements. */
export const numel = (input: Tensor): number => input.numel();
/** Has it a floating-point dtype? */
export const is_floating_point = (input: Tensor): boolean => input.is_floating_point();
/** Has it a complex dtype? leafgrad has none. */
export const is_complex = (input: Tensor): boolean => input.is_complex();
/** Can its dtype hold negative numbers? */
export const is_signed = (input: Tensor): boolean => input.is_signed();
/** Was it made in inference mode? */
export const is_inference = (input: Tensor): boolean => input.is_inference();
/** Is its one element different from zero? */
export const is_nonzero = (input: Tensor): boolean => input.is_nonzero();
/** Have both tensors the same sizes? */
export const is_same_size = (input: Tensor, other: Tensor): boolean => input.is_same_size(other);
