// `npm run model [-- NAME…]`: verifies the Promela models of spec/ exhaustively, checks that the states which each of them names are
// reached, and that every BREAK_ switch, turned on, yields a counter-example. Needs spin and a C compiler. Exit code 0: all as expected.
import { readFileSync } from "node:fs"
import { toolsFound, verify } from "../spec/verify.mjs"

// Each list is a run: the settings that differ from the model's own, the cheapest run last. The cheapest run is also
// searched for endless behaviour, and the switches are tried on it first.
const models = {
  session: [[], ["DIALS=4", "COMMANDS=2", "EVENTS=1"], ["COMMANDS=2", "EVENTS=1", "WATCH"]],
  token: [[], ["DIALS=4", "ALONE"]],
  admission: [[], ["DIALS=2"]],
  inbound: [[]],
  volatile: [[], ["KEYS=2", "VALUES=2", "MESSAGES=2", "PLAIN=0"]],
  stream: [[]],
  atomic: [[], ["KILLS=1", "REQUESTS=2"]],
  life: [[], ["DIALS=3", "TAKEOVERS_MAX=1"]],
  journal: [
    [],
    ["CRASHES=1", "CUTS=1"],
    ["TOPIC", "REQUESTS=0", "PUBLICATIONS=3"],
    ["REQUESTS=0", "EVENTS=2"],
    ["CRASHES=1"],
  ],
}

const startedMs = performance.now()
const totals = { states: 0, refuted: 0, switches: 0, failures: 0 }

function report(ok, line, run) {
  if (!ok) totals.failures += 1
  const figures =
    run && `${run.states.toLocaleString("en").padStart(11)} states ${run.seconds.toFixed(1).padStart(6)} s`
  const columns = [
    ok ? "ok  " : "FAIL",
    line.model.padEnd(9),
    line.what.padEnd(38),
    figures ?? "",
    line.verdict,
  ]
  console.log(columns.join("  "))
}

function checkRuns(model, source) {
  const named = new Set([...source.matchAll(/\breached\(([A-Z_]+)\)/g)].map((match) => match[1]))
  const missing = new Set(named)
  for (const settings of models[model]) {
    const run = verify(model, { settings })
    totals.states += run.states
    for (const state of run.reached) missing.delete(state)
    const verdict = run.violation ?? (run.complete ? "verified" : "search not complete")
    report(run.complete, { model, what: settings.join(" ") || "as it stands", verdict }, run)
    if (settings.length > 0) continue
    report(run.idle === 0, { model, what: `${run.idle} statements never executed`, verdict: "" })
  }
  const what = `${named.size - missing.size} of ${named.size} named states reached`
  report(missing.size === 0, { model, what, verdict: [...missing].join(" ") })
  const run = verify(model, { settings: models[model].at(-1), endless: true })
  const verdict = run.violation ?? "every behaviour ends"
  report(run.complete, { model, what: "endless behaviour sought", verdict }, run)
}

function checkSwitches(model, source) {
  for (const name of new Set(source.match(/\bBREAK_[A-Z_]+\b/g))) {
    let run
    for (const settings of [...models[model]].reverse()) {
      run = verify(model, { settings: [name, ...settings], optimise: false })
      if (run.violation !== undefined) break
    }
    const found = run.violation !== undefined
    totals.switches += 1
    if (found) totals.refuted += 1
    report(found, { model, what: name, verdict: found ? "counter-example found" : "NO COUNTER-EXAMPLE" }, run)
  }
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in models))
if (unknown.length > 0) {
  console.error(`model: no such model: ${unknown.join(", ")}; there are ${Object.keys(models).join(", ")}`)
  process.exit(2)
}
if (!toolsFound) {
  console.error(
    "model: spin and a C compiler are needed: apt-get install spin gcc libc6-dev (macOS: brew install spin)",
  )
  process.exit(2)
}
const chosen = wanted.length > 0 ? wanted : Object.keys(models)
for (const model of chosen) {
  const source = readFileSync(new URL(`../spec/${model}.pml`, import.meta.url), "utf8")
  checkRuns(model, source)
  checkSwitches(model, source)
}
const seconds = Math.round((performance.now() - startedMs) / 1000)
const { states, refuted, switches, failures } = totals
const verdict = failures === 0 ? "verified" : `run, ${failures} of the lines above not as expected`
const count = `${chosen.length} models ${verdict}, ${states.toLocaleString("en")} states`
console.log(`model: ${count}, ${refuted} of ${switches} broken switches refuted, ${seconds} s`)
process.exitCode = failures === 0 ? 0 : 1
