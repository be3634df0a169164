// Loaded into the world's process before its program: at SIGUSR2 it collects its garbage, so that what is left is what lives.
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc")
process.on("SIGUSR2", () => collect())
