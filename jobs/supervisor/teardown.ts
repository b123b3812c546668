/**
 * What was begun, to be ended in the other order. It is ended once, whoever asks: a start that fails because its database
 * is being ended waits for that end, and does not exit in the middle of it.
 */
export class Teardown {
  private readonly steps: (() => Promise<void> | void)[] = []
  private readonly controller = new AbortController()
  private ended: Promise<void> | undefined

  /** Aborts as soon as the end begins: nothing is to be begun any more. */
  readonly signal = this.controller.signal

  add(step: () => Promise<void> | void): void {
    this.steps.push(step)
  }

  /** Ends all, also where one of them fails; then it throws what failed. */
  end(): Promise<void> {
    this.controller.abort(new Error('the start was told to stop'))
    this.ended ??= this.endAll()
    return this.ended
  }

  private async endAll(): Promise<void> {
    const failures: unknown[] = []
    // Asked anew each time: something may have been begun a moment ago.
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop()) {
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not all could be ended')
  }
}
