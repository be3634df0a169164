// The order of test files: those that take minutes begin first, the ones that mostly wait before those that compute, so that
// their time runs beside that of all others.
import { BaseSequencer } from "vitest/node"
import type { TestSpecification } from "vitest/node"

const patient = [
  "tests/browsers/patience.test.ts",
  "tests/e2e/sessions.test.ts",
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
