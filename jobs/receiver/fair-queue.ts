/** Who sent a request: its address, and its connection within that address. */
export type Sender = { address: string; connection: object }

/**
 * Takes turns between addresses, and within an address between connections, so that a sender with much to say delays
 * the others by one request each. First in, first out within a connection.
 */
export class FairQueue<T> {
  readonly #addresses = new Map<string, Map<object, T[]>>()
  #length = 0

  get length(): number {
    return this.#length
  }

  push({ address, connection }: Sender, item: T): void {
    const connections = this.#addresses.get(address) ?? new Map<object, T[]>()
    this.#addresses.set(address, connections)
    const items = connections.get(connection)
    if (items) items.push(item)
    else connections.set(connection, [item])
    this.#length += 1
  }

  /** The next in turn, when `fits` lets it go. */
  take(fits: (item: T) => boolean): T | undefined {
    for (const [address, connections] of this.#addresses) {
      for (const [connection, items] of connections) {
        const item = items[0]
        if (item === undefined || !fits(item)) return undefined
        items.shift()
        this.#length -= 1
        // To the end of both lines; a Map keeps the order of insertion.
        connections.delete(connection)
        if (items.length > 0) connections.set(connection, items)
        this.#addresses.delete(address)
        if (connections.size > 0) this.#addresses.set(address, connections)
        return item
      }
    }
    return undefined
  }
}
