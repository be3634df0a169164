// Checks comments, Markdown, error sentences and test titles against the section "Words" of CONTRIBUTING.md.
// `node scripts/words.mjs [path…]` prints `file:line: sentence` for each fault; `--count` prints the faults of each folder.
// `scripts/words-allowed.json` lists the sentences that are kept, each with its reason.
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs"
import { mask, textsIn } from "./prose.mjs"

const roots = ["packages", "apps", "bench", "scripts", "tests", "examples", "docs", "spec"]
const documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
const checked = /\.(?:[cm]?[jt]sx?|md|pml)$/
/** Fixtures contain faults on purpose. They are checked only if their own path is an argument. */
const skipped = /^(?:node_modules|dist)$|\.fixture\./
const allowedFile = "scripts/words-allowed.json"

const phrase = /\b(?:(?:is|are|was)\s+told|whoever|of\s+now|nobody|brings?\s+about)\b/i
/** A refused first word, after bullets, emphasis, a list number, a JSDoc tag or the number of a rule. */
const opening =
  /^[\s*_(>#|-]*(?:\d+\.\s+)?(?:@(?:param|template)\s+\w+\s+(?:-\s+)?|@(?!param|template)\w+\s+)?(?:[A-Z]\d+[*:.]*\s+)?(?:what|who|whoever|that\s+which)\b/i
/** Ends of sentences, paragraphs, list items, headings and table cells. */
const boundary = /[.!?][)*_]*\s+(?=[*_(]*[A-Z])|\n\s*\n|\n(?=\s*(?:[-*>#@|]|\d+\.\s))|(?<=^#.*)\n|\|/gm
/** Code in backticks, and targets of links. */
const code = /(`+)[^`]+\1|\]\([^)\s]*\)/g

/** Faults of one text, with their offsets in the file. */
function faultsInText({ start, text, isProse }) {
  const masked = mask(text, code, "`")
  const cuts = isProse ? [...masked.matchAll(boundary)].map((match) => match.index + match[0].length) : []
  return [0, ...cuts].flatMap((from, index) => {
    const sentence = masked.slice(from, cuts[index])
    if (!phrase.test(sentence) && !(isProse && opening.test(sentence))) return []
    const first = from + sentence.length - sentence.trimStart().length
    return [
      {
        at: start + first,
        sentence: text
          .slice(first, cuts[index])
          .replaceAll(/\s+|\|$/g, " ")
          .trim(),
      },
    ]
  })
}

function filesBelow(path) {
  if (!existsSync(path)) return []
  if (statSync(path).isFile()) return checked.test(path) ? [path] : []
  const names = readdirSync(path).filter((name) => !skipped.test(name))
  return names.flatMap((name) => filesBelow(`${path.replace(/\/$/, "")}/${name}`))
}

/** Faults of one file that the list of kept sentences does not contain. */
function faultsInFile(file, allowed) {
  const source = readFileSync(file, "utf8")
  const kept = allowed.filter((entry) => entry.file === file)
  return textsIn(file, source)
    .flatMap(faultsInText)
    .filter(({ sentence }) => !kept.some((entry) => sentence.includes(entry.sentence)))
    .map(({ at, sentence }) => ({ file, line: source.slice(0, at).split("\n").length, sentence }))
}

/** One line per workspace or top-level folder. */
function countsOf(faults) {
  const counts = new Map()
  for (const { file } of faults) {
    const folder = /^(?:packages|apps)\/[^/]+|^[^/]*/.exec(file)[0]
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  return [...counts].map(([folder, count]) => `${String(count).padStart(5)}  ${folder}`)
}

const given = process.argv.slice(2).filter((argument) => argument !== "--count")
const missing = given.filter((path) => !existsSync(path))
const allowed = existsSync(allowedFile) ? JSON.parse(readFileSync(allowedFile, "utf8")) : []
const files = (given.length === 0 ? [...documents, ...roots] : given).flatMap(filesBelow)
const faults = files.flatMap((file) => faultsInFile(file, allowed))
const lines = process.argv.includes("--count")
  ? countsOf(faults)
  : faults.map(({ file, line, sentence }) => `${file}:${line}: ${sentence}`)
for (const line of [...missing.map((path) => `${path}: no such file`), ...lines]) console.log(line)
console.log(`words: ${faults.length} faults in ${files.length} files`)
process.exitCode = faults.length + missing.length === 0 ? 0 : 1
