/** The doctor: `import { diagnose } from "leafgrad/doctor"`. */
export { diagnose, type Report } from "./diagnose.ts";
export type { Culprit, Edit, Finding, Fix, Proof, Severity, Victim } from "./rules/rule.ts";
