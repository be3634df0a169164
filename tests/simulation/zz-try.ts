import { runSeed } from "./run-seed.ts"
Error.stackTraceLimit = Number(process.env["STACK"] ?? 0)
const first = Number(process.argv[2] ?? 1), count = Number(process.argv[3] ?? 1), steps = Number(process.argv[4] ?? 1000)
const cpu0 = process.cpuUsage(); const t = performance.now(); let total = 0; let failures = 0
const seen = new Map<string, number>()
const kinds = new Map<string, number[]>()
for (let s = first; s < first + count; s++) {
  const t0 = performance.now(); const r = await runSeed(s, steps); if (performance.now() - t0 > 2000) console.log("slow", s, r.steps, performance.now() - t0)
  total += r.steps
  for (const [k, n] of r.seen) seen.set(k, (seen.get(k) ?? 0) + n)
  if (r.failure) { failures++
    const k = r.failure.text.replace(/[0-9.]+/g, "#").split("\n")[0].slice(0, 140); kinds.set(k, [...(kinds.get(k) ?? []), s])
    if (count === 1) { console.log(r.failure.lines.slice(-Number(process.env["LINES"] ?? 60)).join("\n")); console.log({ ...r.failure, lines: [] }) } }
}
const sec = (performance.now() - t) / 1000
for (const [k, l] of kinds) console.log(l.length, k, l.slice(0, 6).join(","))
const cpu = process.cpuUsage(cpu0); console.log({ cpuPerSecond: Math.round(total / ((cpu.user + cpu.system) / 1e6)), failures, total, sec, perSecond: Math.round(total / sec) })
if (process.argv[5]) console.log(seen)
