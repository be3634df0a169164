// A program for another runtime: prints its results of the table.
import { checkTable } from "./value-table.ts"

console.log(JSON.stringify(checkTable()))
