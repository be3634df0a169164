// Entry point of `@hawser/server/journal`: sessions that outlive their process.
export { fileJournal } from "./journal/file-journal.ts"
export type { FileJournalOptions } from "./journal/file-journal.ts"
export type { Migration, Migrations } from "./journal/restore-replicas.ts"
export type { JournalOption, Recovery } from "./journal/server-journal.ts"
