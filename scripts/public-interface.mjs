// Lists the public interface of the packages: each exported function, and each member of an interface, a type literal or a class that
// an entry point exports or that an exported signature names. Must not know which docstrings it needs.
import { Modules, entryPoints } from "./modules.mjs"

/** Parts of a node that its signature does not contain. */
const hiddenParts = new Set(["key", "right", "checkType", "extendsType", "decorators"])
/** Parts that are values: only a function among them has a signature. */
const valueParts = new Set(["init", "value"])
/** Parts that name a type, a class or a constant. */
const namingParts = new Set(["superClass", "expression", "typeName", "exprName"])

const isFunction = (node) => /Function/.test(node?.type)
const isPrivate = ({ key, accessibility, type }) =>
  type === "StaticBlock" || key?.type === "PrivateIdentifier" || accessibility === "private"

function keyOf({ type, key, computed }) {
  if (type === "TSIndexSignature") return "[index]"
  if (key === undefined) return type === "TSCallSignatureDeclaration" ? "()" : "new()"
  const name = key.object === undefined ? (key.name ?? key.value) : `${key.object.name}.${key.property.name}`
  return computed ? `[${name}]` : String(name)
}

function membersOf({ type, members, body }) {
  if (type === "TSTypeLiteral") return members
  return type === "TSInterfaceBody" || type === "ClassBody" ? body : undefined
}

function groupBy(values, keyOfValue) {
  const groups = new Map()
  for (const value of values) groups.set(keyOfValue(value), [...(groups.get(keyOfValue(value)) ?? []), value])
  return groups
}

class Walk {
  /** Items of the interface: a name, its module and its declaring nodes. Overloads and accessor pairs form one item. */
  items = []
  #modules
  #seen = new Set()

  constructor(modules) {
    this.#modules = modules
  }

  /** Adds the declarations of one name, and whatever their signatures name. */
  declarations(declarations) {
    const overloads = declarations.filter(({ node }) => node.type === "TSDeclareFunction")
    const shown = overloads.length > 0 ? overloads : declarations
    if (shown.length === 0) return
    const [{ module, name }] = shown
    if (this.#seen.has(`${module.file} ${name}`)) return
    this.#seen.add(`${module.file} ${name}`)
    const functions = shown.filter(({ node }) => isFunction(node) || isFunction(node.declarations?.[0].init))
    if (functions.length > 0)
      this.items.push({ module, name, nodes: functions.map(({ at, node }) => ({ ...node, start: at })) })
    for (const { node } of shown) this.#parts(module, node, name)
  }

  #members(module, members, path) {
    const visible = members.filter((member) => !isPrivate(member))
    for (const [key, nodes] of groupBy(visible, keyOf)) {
      const name = `${path}.${key}`
      this.items.push({ module, name, nodes })
      for (const node of nodes) this.#parts(module, node, name)
    }
  }

  #parts(module, node, path) {
    const parts = Object.entries(node).filter(
      ([key, part]) => !hiddenParts.has(key) && (!valueParts.has(key) || isFunction(part)),
    )
    for (const [key, part] of parts)
      if (namingParts.has(key))
        this.declarations(this.#modules.named(module.file, (part?.left ?? part)?.name))
      else for (const each of [part].flat()) this.#node(module, each, path)
  }

  #node(module, node, path) {
    if (typeof node?.type !== "string" || node.type === "BlockStatement") return
    const members = membersOf(node)
    if (members === undefined) this.#parts(module, node, path)
    else this.#members(module, members, path)
  }
}

/** The public interface of the packages below `folder`, without the entry points that are `internal`. */
export function publicInterface(folder, internal) {
  const entries = entryPoints(folder)
  const modules = new Modules(entries)
  const walk = new Walk(modules)
  for (const [specifier, file] of entries)
    if (!internal.has(specifier))
      for (const name of modules.exportsOf(file)) walk.declarations(modules.exported(file, name))
  return walk.items
}
