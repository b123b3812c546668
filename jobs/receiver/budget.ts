/**
 * Bounds the bytes of requests that are being read or wait to be stored. One request is always let in, however
 * large, so that a small budget cannot lock everything out.
 */
export class ByteBudget {
  readonly #max: number
  #used = 0

  constructor(maxBytes: number) {
    this.#max = maxBytes
  }

  get usedBytes(): number {
    return this.#used
  }

  /** A share that grows while a request is read, and is given back once. */
  open(): BudgetShare {
    let held = 0
    return {
      grow: (bytes) => {
        if (this.#used > held && this.#used + bytes > this.#max) return false
        held += bytes
        this.#used += bytes
        return true
      },
      release: () => {
        this.#used -= held
        held = 0
      },
    }
  }
}

export type BudgetShare = {
  /** false = full: nothing was taken */
  grow(bytes: number): boolean
  release(): void
}
