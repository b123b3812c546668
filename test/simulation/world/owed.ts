/** Money that a customer is to get back once, by whichever refund: what failed is sent again for the same reason. */
export type Owed = {
  charge: string
  amount: number
  /** Refunds and postings that are about it. */
  ids: Set<string>
}

export class OwedMoney {
  private readonly all: Owed[] = []

  begin(charge: string, amount: number): Owed {
    const owed = { charge, amount, ids: new Set<string>() }
    this.all.push(owed)
    return owed
  }

  /** What a refund, or a posting of one, is about. */
  of(id: string): Owed | undefined {
    return this.all.find(({ ids }) => ids.has(id))
  }
}
