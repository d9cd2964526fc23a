"""The operations by the way they are called."""

FLOATS = ["float32", "float64"]
INTEGERS = ["int64", "int32", "int16", "int8", "uint8"]

UNARY_POSITIVE = ["sqrt", "rsqrt", "log"]
UNARY = UNARY_POSITIVE + """neg exp log1p expm1 sin cos tan atan tanh sigmoid relu erf abs sign floor ceil round trunc reciprocal
square square exp tanh sigmoid relu neg""".split()
BINARY = "add add add sub sub rsub mul mul mul div div floor_divide remainder pow pow atan2 maximum minimum".split()
COMPARE = "eq ne lt le gt ge gt lt logical_and logical_or logical_xor logical_not isnan isinf isfinite".split()

IN_PLACE_UNARY = UNARY_POSITIVE + """neg exp log1p expm1 sin cos tan atan tanh sigmoid relu erf abs sign floor ceil round trunc
reciprocal square zero zero relu sigmoid exp neg logical_not""".split()
IN_PLACE_BINARY = """add add add sub mul mul mul div copy copy fill fill floor_divide remainder pow atan2 clamp masked_fill masked_fill
tril triu cumsum eq lt logical_and""".split()

# Those that take a list of dimensions, and all.
DIM_REDUCTIONS = ["sum", "mean", "var", "std", "amax", "amin", "logsumexp", "all", "any"]
FULL_REDUCTIONS = DIM_REDUCTIONS + ["sum", "mean", "sum", "prod", "norm", "max", "min", "max", "argmax", "argmin"]

OUT_BINARY = "add mul sub div pow maximum minimum atan2 eq lt matmul".split()
OUT = OUT_BINARY + "add mul sub exp neg sqrt sigmoid sum mean amax prod all cumsum".split()

ACTIVATIONS = """gelu silu mish softplus elu selu celu leaky_relu relu6 hardtanh hardswish logsigmoid softsign tanhshrink
softshrink hardshrink threshold glu""".split()
ACTIVATIONS_IN_PLACE = "relu silu elu leaky_relu hardtanh relu6 mish selu".split()
LOSSES = """l1_loss smooth_l1_loss huber_loss binary_cross_entropy_with_logits soft_margin_loss kl_div poisson_nll_loss mse_loss""".split()
INTEGER_BINARY = """floor_divide remainder fmod div div pow true_divide bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift
bitwise_not mul sub""".split()
COMBINED = "hstack vstack dstack column_stack row_stack block_diag".split()
TERNARY = "addcmul addcdiv lerp".split()
TWO_SIDED = "hypot fmod xlogy logaddexp logaddexp2 copysign heaviside fmax fmin bitwise_and bitwise_or bitwise_xor true_divide dist".split()
