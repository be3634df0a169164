// `npm run bench`: measures, prints the tables, and writes the reports.
import { mkdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { UnusableArguments, parseArguments, usage } from "./arguments.ts"
import type { BenchArguments } from "./arguments.ts"
import { goals, shownRatios } from "./goals.ts"
import { judgeChanges } from "./judge-change.ts"
import { judgeGoal, measureRatio } from "./judge-goals.ts"
import { describeMachine } from "./machine.ts"
import { prepareCheckout } from "./other-checkout.ts"
import { renderGrowth } from "./report/growth.ts"
import { renderHtml } from "./report/html.ts"
import { renderJson } from "./report/json.ts"
import { describe, renderTable } from "./report/table.ts"
import { runBench } from "./run-bench.ts"

const resultsDirectory = fileURLToPath(new URL("results/", import.meta.url))

async function measure(asked: BenchArguments): Promise<number> {
  if (asked.against !== undefined) prepareCheckout(asked.against)
  const machine = describeMachine(asked.against)
  console.log(`${describe(machine).join("\n")}\n`)
  const run = await runBench(asked)
  const chosen = new Set(asked.scenarios.flatMap(({ rows }) => rows.map(({ name }) => name)))
  const judged = goals
    .filter(({ scenario }) => chosen.has(scenario))
    .map((goal) => judgeGoal(goal, run.results))
  const ratios = shownRatios
    .map((comparison) => measureRatio(comparison, run.results))
    .filter(({ measured }) => measured !== undefined)
  const changes = judgeChanges(run.results)
  const { quick, rounds } = asked
  const report = { run, judged, ratios, changes, machine, quick, rounds }
  console.log(renderTable(report))
  mkdirSync(resultsDirectory, { recursive: true })
  writeFileSync(`${resultsDirectory}report.html`, renderHtml(report))
  writeFileSync(`${resultsDirectory}report.json`, renderJson(report))
  const growth = renderGrowth(run.results)
  if (growth !== undefined) writeFileSync(`${resultsDirectory}growth.svg`, growth)
  if (asked.jsonFile !== undefined) writeFileSync(asked.jsonFile, renderJson(report))
  for (const sentence of run.absent) console.log(`\nabsent: ${sentence}`)
  if (!run.pinned) console.log("\nthe server has no core for itself: this needs taskset and two cores")
  const { failures } = run.results
  for (const { scenario, server, round, message } of failures)
    console.error(`\nfailed: ${scenario}, ${server}, round ${round + 1}: ${message}`)
  const worse = changes.filter(({ verdict }) => verdict === "worse").length
  const changed =
    asked.against === undefined ? "" : `, ${worse} of ${changes.length} figures worse than before`
  const met = judged.filter((goal) => goal.met).length
  const measured = judged.filter((goal) => goal.measured !== undefined).length
  const summary = `${met} of ${judged.length} goals met, ${judged.length - measured} not measured${changed}`
  console.log(
    `\nbench: ${summary}, ${failures.length} failures, ${Math.round(run.seconds)} s; bench/results/report.html`,
  )
  return failures.length === 0 ? 0 : 1
}

try {
  const asked = parseArguments(process.argv.slice(2))
  if (asked === undefined) console.log(usage)
  else process.exitCode = await measure(asked)
} catch (error) {
  if (!(error instanceof UnusableArguments)) throw error
  console.error(`${error.message}\n\n${usage}`)
  process.exitCode = 2
}
