// The tests that `npm test` runs again on the newest Node: what touches Node's own API, and is done in a minute.
import { configDefaults, defineConfig } from "vitest/config"
import config from "./vitest.config.ts"

export default defineConfig({
  ...config,
  test: {
    ...config.test,
    include: ["packages/*/src/**/*.test.ts", "tests/{faults,sessions,sockets,vectors}/**/*.test.ts"],
    // Bun's server does not run on Node.
    exclude: [...configDefaults.exclude, "tests/sockets/bun.test.ts"],
    env: { HAWSER_TEST_BUN: "off" },
  },
})
