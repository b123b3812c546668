/** Counts work that must not be cut off. */
export class InFlight {
  #count = 0
  readonly #waiting = new Set<() => void>()

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#count += 1
    try {
      return await work()
    } finally {
      this.#count -= 1
      if (this.#count === 0) {
        for (const resolve of this.#waiting) resolve()
        this.#waiting.clear()
      }
    }
  }

  /** Resolves when nothing is left. */
  idle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.add(resolve)
    })
  }
}
