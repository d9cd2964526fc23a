/** The doctor: `import { diagnose } from "leafgrad/doctor"`. */
export { diagnose, type DiagnoseOptions, type Report } from "./diagnose.ts";
export { record, watch } from "./session.ts";
export type { Trace } from "./trace/trace.ts";
export type { Culprit, Edit, Finding, Fix, Proof, Severity, Victim } from "./rules/rule.ts";
