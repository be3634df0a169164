// Entry point of `@hawser/server/journal`: sessions that outlive their process.
export { fileJournal } from "./journal/file-journal.ts"
export type { FileJournalOptions } from "./journal/file-journal.ts"
export { inspectJournal } from "./journal/inspect-journal.ts"
export type {
  InspectOptions,
  InspectedRecord,
  InspectedSegment,
  JournalInspection,
} from "./journal/inspect-journal.ts"
export { journalReport, recordLines } from "./journal/journal-report.ts"
export type { RecordLineOptions } from "./journal/journal-report.ts"
export type { ShownOperation } from "./journal/operation-words.ts"
export type { Migration, Migrations } from "./journal/restore-replicas.ts"
export type { JournalOption, Recovery } from "./journal/server-journal.ts"
export type { ShownSession, ShownState, ShownTopic } from "./journal/shown-state.ts"
