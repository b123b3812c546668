/**
 * Bounds the bytes of requests that are being read or wait to be stored, in all and for each address. One request
 * of each address is let in as long as there is room in all, and one is always let in, however large, so that a
 * small budget cannot lock everything out.
 */
export class ByteBudget {
  readonly #max: number
  readonly #addressMax: number
  readonly #byAddress = new Map<string, number>()
  #used = 0

  /** An address alone holds at most half: what is left lets the others in while it waits. */
  constructor(maxBytes: number, addressMaxBytes: number = maxBytes / 2) {
    this.#max = maxBytes
    this.#addressMax = addressMaxBytes
  }

  get usedBytes(): number {
    return this.#used
  }

  /** A share that grows while a request is read, and is given back once. */
  open(address: string): BudgetShare {
    let held = 0
    const ofAddress = () => this.#byAddress.get(address) ?? 0
    const take = (bytes: number) => {
      held += bytes
      this.#used += bytes
      const now = ofAddress() + bytes
      if (now > 0) this.#byAddress.set(address, now)
      else this.#byAddress.delete(address)
    }
    return {
      grow: (bytes) => {
        if (this.#used > held && this.#used + bytes > this.#max) return 'full'
        if (ofAddress() > held && ofAddress() + bytes > this.#addressMax) return 'too much of one sender'
        take(bytes)
        return 'taken'
      },
      release: () => take(-held),
    }
  }
}

export type BudgetShare = {
  /** Anything but `taken`: nothing was taken. */
  grow(bytes: number): 'taken' | 'full' | 'too much of one sender'
  release(): void
}
