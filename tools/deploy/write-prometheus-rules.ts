// Writes the manifests that are made from deploy/prometheus/rules; a part of `npm run generate`.
import { writeFileSync } from "node:fs";
import { prometheusRules, prometheusRulesPath } from "./prometheus-rules.js";

writeFileSync(prometheusRulesPath, prometheusRules());
