// Mounts the page.
import "./zod-without-eval.ts"
import { render } from "preact"
import { App } from "./hud/app.tsx"
import "./styles.css"

const root = document.getElementById("app")
if (root === null) throw new Error("the page has no #app")
render(<App />, root)
