// The order of test files: files that take minutes begin first, waiting ones before computing ones, so that they run in
// parallel with all others.
import { BaseSequencer } from "vitest/node"
import type { TestSpecification } from "vitest/node"

const patient = [
  "tests/browsers/patience.test.ts",
  "tests/e2e/sessions.test.ts",
  "tests/e2e/kills.test.ts",
  "tests/kill/kill.test.ts",
  "tests/models/model.test.ts",
  "tests/simulation/simulation.test.ts",
  "tests/fuzz/fuzz.test.ts",
]

export class PatientFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isPatient = ({ moduleId }: TestSpecification): boolean =>
      patient.some((path) => moduleId.endsWith(path))
    const first = patient.flatMap((path) => sorted.filter(({ moduleId }) => moduleId.endsWith(path)))
    return [...first, ...sorted.filter((file) => !isPatient(file))]
  }
}
