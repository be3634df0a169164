// Loaded into the world's process before its program. SIGUSR2 makes it collect its garbage, so that the memory left is
// live.
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc")
process.on("SIGUSR2", () => collect())
