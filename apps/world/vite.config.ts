// Builds the browser client from source into dist/browser. In development it forwards calls to the world's server.
import { defaultClientConditions, defineConfig } from "vite"

const server = "http://localhost:8080"

export default defineConfig({
  resolve: { conditions: ["@hawser/source", ...defaultClientConditions] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { outDir: "dist/browser", emptyOutDir: true, target: "es2023", sourcemap: false },
  server: {
    proxy: { "/auth": server, "/api": server, "/ws": { target: server, ws: true } },
  },
})
