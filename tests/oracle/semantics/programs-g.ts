import * as torch from "leafgrad";
import { leaf, loose } from "./helpers.ts";
import { tuple } from "./pyrepr.ts";

const { set_detect_anomaly } = torch.autograd;

/** Section G: anomaly mode. */
export const programs: Record<string, () => unknown> = {
  G01: () => {
    set_detect_anomaly(true, () => {
      const a = torch.zeros(2, { requires_grad: true });
      const b = a.sqrt().mul(0);
      b.sum().backward();
    });
  },
  G01b: () => {
    torch.autograd.detect_anomaly(() => {});
  },
  G01c: () =>
    set_detect_anomaly(true, { check_nan: false }, () => {
      const a = torch.zeros(2, { requires_grad: true });
      const b = a.sqrt().mul(0);
      b.sum().backward();
      return a.grad;
    }),
  G01f: () => {
    const o = [torch.is_anomaly_enabled()];
    set_detect_anomaly(true, () => {
      o.push(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled());
    });
    return o;
  },
  G01g: () => {
    const a = set_detect_anomaly(true, () => leaf(2).mul(2));
    const { metadata } = loose(a.grad_fn);
    return tuple(Object.keys(metadata).sort(), Array.isArray(metadata.traceback_) ? "list" : typeof metadata.traceback_);
  },
  G01h: () => {
    const a = torch.zeros(2, { requires_grad: true });
    const b = a.sqrt().mul(0).sum();
    set_detect_anomaly(true, () => b.backward());
  },
};
