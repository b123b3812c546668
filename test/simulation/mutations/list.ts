import { CONSOLE_MUTATIONS } from './console'
import { SDK_MUTATIONS } from './sdk'

/** A deliberate breakage of a guard or a statement, and what has to turn red. */
export type Mutation = {
  name: string
  file: string
  /** The SQL function of the file that is broken: `find` is looked for from its beginning. */
  within?: string
  find: string
  replace: string
  /** Seeds to play, or a test file of the suite. */
  caughtBy: { from: number; seeds: number } | string
}

export const MUTATIONS: readonly Mutation[] = [...SDK_MUTATIONS, ...CONSOLE_MUTATIONS]
