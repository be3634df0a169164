// Finds the prose of a file: comments and string literals of TypeScript, JavaScript and Promela, and the text of Markdown.
// Must not know which words are refused.
import { Visitor, parseSync } from "oxc-parser"

const decoration = /^[ \t]*(?:\/\/+|\/\*+|\*+\/|\*(?!\*))|\*+\/$/gm
const fence = /^[ \t]*(```+)[\s\S]*?^[ \t]*\1/gm
const promelaComment = /\/\/[^\n]*|\/\*[\s\S]*?\*\//g
const adjacentLines = /\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*/y

/** Overwrites every match. The length and the line breaks stay, so that offsets remain valid. */
export function mask(text, pattern, filler) {
  return text.replaceAll(pattern, (match) => match.replaceAll(/[^\n]/g, filler))
}

/** Texts of the comments at these offsets. Adjacent line comments form one text. */
function commentsAt(source, comments) {
  let last = 0
  return comments.flatMap(({ start, end }) => {
    if (start < last) return []
    adjacentLines.lastIndex = start
    last = Math.max(end, start + (adjacentLines.exec(source)?.[0].length ?? 0))
    return [{ start, text: mask(source.slice(start, last), decoration, " "), isProse: true }]
  })
}

/** String literals of three words or more: error sentences, test titles and texts for users. */
function stringsIn(program, source) {
  const found = []
  const add = ({ start, end }) => found.push({ start, text: source.slice(start, end), isProse: false })
  const addString = (node) => typeof node.value === "string" && add(node)
  new Visitor({ Literal: addString, TemplateElement: add }).visit(program)
  return found.filter(({ text }) => /\S\s+\S+\s+\S/.test(text))
}

/** Texts of a file with their offsets; `isProse` is true for comments and Markdown, false for string literals. */
export function textsIn(file, source) {
  if (file.endsWith(".md")) return [{ start: 0, text: mask(source, fence, " "), isProse: true }]
  if (file.endsWith(".pml")) {
    const found = [...source.matchAll(promelaComment)]
    const comments = found.map(({ index, 0: text }) => ({ start: index, end: index + text.length }))
    return commentsAt(source, comments)
  }
  const { comments, program } = parseSync(file, source)
  return [...commentsAt(source, comments), ...stringsIn(program, source)]
}
