// Resolves names of the packages' sources to their declarations, through imports and re-exports.
// Must not know which declarations are public.
import { existsSync, readFileSync, readdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseSync } from "oxc-parser"

/** Source files of the packages below `folder`, by the specifier that imports them. */
export function entryPoints(folder) {
  const manifests = readdirSync(folder)
    .map((name) => join(folder, name, "package.json"))
    .filter((file) => existsSync(file))
  return new Map(
    manifests.flatMap((file) => {
      const { name, exports } = JSON.parse(readFileSync(file, "utf8"))
      const sources = Object.entries(exports ?? {})
      return sources.map(([path, to]) => [join(name, path), join(dirname(file), to["@hawser/source"])])
    }),
  )
}

/** Names that a declaration statement declares. */
function namesIn(node) {
  if (node.type === "VariableDeclaration") return node.declarations.map(({ id }) => id.name)
  return node.id?.name === undefined ? [] : [node.id.name]
}

/** Name of an import or export specifier, which may be a string. */
const nameOf = (node) => node.name ?? node.value

/** One parsed file: local declarations, imported names and exported names. */
function parseModule(file) {
  const source = readFileSync(file, "utf8")
  const { program, comments } = parseSync(file, source)
  const module = { file, source, comments, declarations: new Map(), imports: new Map(), exports: new Map() }
  const declare = (node, at) => {
    for (const name of namesIn(node)) {
      const known = module.declarations.get(name) ?? []
      module.declarations.set(name, [...known, { node, at }])
    }
  }
  for (const node of program.body) {
    if (node.type === "ImportDeclaration")
      for (const { local, imported } of node.specifiers)
        if (imported !== undefined)
          module.imports.set(local.name, { from: node.source.value, name: nameOf(imported) })
    if (node.type !== "ExportNamedDeclaration") {
      declare(node, node.start)
      continue
    }
    if (node.declaration !== null) {
      declare(node.declaration, node.start)
      for (const name of namesIn(node.declaration)) module.exports.set(name, { name })
    }
    for (const { local, exported } of node.specifiers)
      module.exports.set(nameOf(exported), { from: node.source?.value, name: nameOf(local) })
  }
  return module
}

export class Modules {
  #entries
  #parsed = new Map()

  constructor(entries) {
    this.#entries = entries
  }

  module(file) {
    const known = this.#parsed.get(file) ?? parseModule(file)
    this.#parsed.set(file, known)
    return known
  }

  /** Names that a file exports. */
  exportsOf(file) {
    return [...this.module(file).exports.keys()]
  }

  /** Declarations of an exported name; empty for a name of another package. */
  exported(file, name) {
    const target = this.module(file).exports.get(name)
    if (target === undefined) return []
    return target.from === undefined ? this.named(file, target.name) : this.#imported(file, target)
  }

  /** Declarations of a name in the scope of a file; empty for type parameters, globals and names of other packages. */
  named(file, name) {
    const module = this.module(file)
    const found = module.declarations.get(name)
    if (found !== undefined) return found.map((declaration) => ({ ...declaration, module, name }))
    const target = module.imports.get(name)
    return target === undefined ? [] : this.#imported(file, target)
  }

  #imported(file, { from, name }) {
    const target = from.startsWith(".") ? join(dirname(file), from) : this.#entries.get(from)
    return target === undefined ? [] : this.exported(target, name)
  }
}
