import type {
  Change,
  Charge,
  CheckoutSession,
  Dispute,
  Invoice,
  KeptAnswer,
  Mail,
  PaymentIntent,
  ProviderEvent,
  Refund,
  Stored,
} from './objects'

/** One kind of object in the order of its creation; replacing keeps the place. */
export class Collection<T extends { readonly id: string; readonly createdS: number }> {
  readonly #rows: T[] = []
  readonly #places = new Map<string, number>()

  get(id: string): T | undefined {
    const place = this.#places.get(id)
    return place === undefined ? undefined : this.#rows[place]
  }

  placeOf(id: string): number | undefined {
    return this.#places.get(id)
  }

  at(place: number): T | undefined {
    return this.#rows[place]
  }

  get size(): number {
    return this.#rows.length
  }

  put(row: T): void {
    const place = this.#places.get(row.id)
    if (place === undefined) {
      this.#places.set(row.id, this.#rows.length)
      this.#rows.push(row)
    } else {
      this.#rows[place] = row
    }
  }

  /** Rows made at or before a second are a prefix, because creation times never go back. Returns its length. */
  countUntil(createdS: number): number {
    let low = 0
    let high = this.#rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const row = this.#rows[middle]
      if (row !== undefined && row.createdS <= createdS) low = middle + 1
      else high = middle
    }
    return low
  }
}

export class State {
  readonly paymentIntents = new Collection<PaymentIntent>()
  readonly charges = new Collection<Charge>()
  readonly refunds = new Collection<Refund>()
  readonly disputes = new Collection<Dispute>()
  readonly sessions = new Collection<CheckoutSession>()
  readonly invoices = new Collection<Invoice>()
  readonly mails = new Collection<Mail>()
  readonly events = new Collection<ProviderEvent>()
  readonly answers = new Map<string, KeptAnswer>()
  /** How objects are shown, over what they are: as an older account's, or broken. Not kept. */
  readonly shownAs = new Map<string, Readonly<Record<string, unknown>>>()
  sequence = 0
  lastCreatedS = 0

  constructor(private readonly idempotencyWindowMs: number) {}

  apply(change: Change): void {
    this.sequence = Math.max(this.sequence, change.sequence)
    for (const stored of change.put) this.#put(stored)
    if (change.answer !== undefined) this.#keep(change.answer)
    if (change.forget !== undefined) this.answers.delete(change.forget)
  }

  /** Answers are kept in the order of their making, so those past their window are the first ones. */
  #keep(answer: KeptAnswer): void {
    for (const old of this.answers.values()) {
      if (answer.atMs - old.atMs < this.idempotencyWindowMs) break
      this.answers.delete(old.key)
    }
    this.answers.delete(answer.key)
    this.answers.set(answer.key, answer)
  }

  #put(stored: Stored): void {
    this.lastCreatedS = Math.max(this.lastCreatedS, stored.createdS)
    switch (stored.object) {
      case 'payment_intent':
        this.paymentIntents.put(stored)
        break
      case 'charge':
        this.charges.put(stored)
        break
      case 'refund':
        this.refunds.put(stored)
        break
      case 'dispute':
        this.disputes.put(stored)
        break
      case 'checkout.session':
        this.sessions.put(stored)
        break
      case 'invoice':
        this.invoices.put(stored)
        break
      case 'mail':
        this.mails.put(stored)
        break
      case 'event':
        this.events.put(stored)
        break
    }
  }
}
