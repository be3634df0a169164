// A program for another runtime: prints what it makes of the table.
import { checkTable } from "./value-table.ts"

console.log(JSON.stringify(checkTable()))
