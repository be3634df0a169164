// The mistakes that `npm run mutants` makes, one after the other.
import { atomicMutants } from "./atomic-mutants.ts"
import { clientMutants } from "./client-mutants.ts"
import { deliveryMutants } from "./delivery-mutants.ts"
import { journalMutants } from "./journal-mutants.ts"
import { lifeMutants } from "./life-mutants.ts"
import { loudMutants } from "./loud-mutants.ts"
import type { Mutant } from "./mutant.ts"
import { requestMutants } from "./request-mutants.ts"
import { serverMutants } from "./server-mutants.ts"
import { staleMutants } from "./stale-mutants.ts"
import { topicMutants } from "./topic-mutants.ts"

export const mutants: readonly Mutant[] = [
  ...deliveryMutants,
  ...serverMutants,
  ...lifeMutants,
  ...requestMutants,
  ...clientMutants,
  ...staleMutants,
  ...topicMutants,
  ...loudMutants,
  ...journalMutants,
  ...atomicMutants,
]
