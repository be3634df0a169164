import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"
import { PatientFirst } from "./scripts/patient-first.ts"

// Workspace packages are tested from source; Vite's own default conditions follow ours.
const conditions = ["@hawser/source", "module", "node", "development|production"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "apps/*/src/**/*.test.{ts,tsx}",
      "bench/**/*.test.ts",
      "tests/**/*.test.{ts,tsx}",
    ],
    reporters: [process.env["CI"] === undefined ? "default" : "dot", "./scripts/summary-reporter.ts"],
    retry: 0,
    // Three at least, also on two cores: many files wait for timers and browsers, those of `patient-first.ts` for minutes.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    sequence: { sequencer: PatientFirst },
    // Generous: a busy machine is no failure, and what hangs is found all the same.
    testTimeout: 30_000,
    coverage: { provider: "v8", include: ["packages/*/src/**", "apps/*/src/**"] },
  },
})
