// Checks that each function and member of the public interface has a docstring with a sentence, and that each number has a unit in its
// name or docstring. `node scripts/docstrings.mjs [folder of packages]` prints `file:line: Interface.member` for each fault;
// `--count` prints the faults of each package.
import { publicInterface } from "./public-interface.mjs"

/** Entry points that are not a public interface. */
const internal = new Set(["@hawser/protocol/core", "@hawser/protocol/testing"])

const unitInName = /(?:Ms|Seconds|Bytes|Count|PerSecond|Ratio|[Pp]ort|[Oo]ffset|[Ss]tatus|[Cc]ode|[Ii]ndex)$/
const unitInText =
  /\b(?:ms|(?:milli)?seconds?|minutes?|hours?|bytes?|[KM]iB|numbers?|counts?|times|per|ratio|factor|codes?|ports?|versions?|index|offsets?|units?|bits?|in \w+s|from -?\d+ to \d+)\b/i
/** A plural noun among the first three words: "Open connections of …". */
const countedNoun = /^(?:\w+ ){0,2}(?!(?:this|returns|does|always|status)\b)\w{2,}[^s\W]s\b/i

/** Text of the docstring that ends right before the offset, without its tags; empty if there is none. */
function docstringAt({ source, comments }, start) {
  const last = comments.findLast(({ end }) => end <= start)
  if (!last?.value.startsWith("*") || source.slice(last.end, start).trim() !== "") return ""
  const text = last.value.replaceAll(/^\s*\*+ ?/gm, "")
  return text.split(/^\s*@/m)[0].trim()
}

const isSentence = (text) => /\w\W+\w[\s\S]*[.!?]/.test(text)
const hasUnit = (text) => unitInText.test(text) || countedNoun.test(text)

/** True for a property of type number, optional or not, and for a method that returns one. */
function isNumber({ typeAnnotation, returnType, value }) {
  const type = (typeAnnotation ?? returnType ?? value?.returnType)?.typeAnnotation
  return [type, ...(type?.types ?? [])].some((part) => part?.type === "TSNumberKeyword")
}

function faultOf({ module, name, nodes }) {
  const texts = nodes.map(({ start }) => docstringAt(module, start)).filter(isSentence)
  if (texts.length === 0) return name
  if (!nodes.some(isNumber) || unitInName.test(name) || texts.some(hasUnit)) return undefined
  return `${name} (number without a unit)`
}

const folder = process.argv.slice(2).find((argument) => argument !== "--count") ?? "packages"
const items = publicInterface(folder, internal)
const faults = items.flatMap((item) => {
  const { file, source } = item.module
  const line = source.slice(0, item.nodes[0].start).split("\n").length
  const fault = faultOf(item)
  return fault === undefined ? [] : [{ file, text: `${file}:${line}: ${fault}` }]
})
if (process.argv.includes("--count")) {
  const counts = new Map()
  for (const { file } of faults) {
    const name = file.slice(folder.length + 1).split("/")[0]
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  for (const [name, count] of counts) console.log(`${String(count).padStart(5)}  ${name}`)
} else for (const { text } of faults) console.log(text)
console.log(`docstrings: ${faults.length} faults in ${items.length} functions and members`)
process.exitCode = faults.length === 0 ? 0 : 1
