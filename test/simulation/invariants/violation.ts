/** What broke, in one sentence. It ends the history. */
export class Violation extends Error {
  override readonly name = 'Violation'
  constructor(
    /** Which invariant, for the shrinking: another one is another fault. */
    readonly invariant: string,
    message: string,
  ) {
    super(`${invariant}: ${message}`)
  }
}
