/**
 * An answer whose body is there, and may be read more than once: for a proxy, to which a Web stream of it would cost more than all
 * else. Its headers are end to end and true of the bytes. Its stream is empty: it is for those who know it.
 */
export class WholeResponse extends Response {
  constructor(
    readonly content: Uint8Array,
    init: ResponseInit,
  ) {
    super(null, init)
  }

  /** Null when there are more. */
  within(bytesMax: number): Uint8Array | null {
    return this.content.byteLength > bytesMax ? null : this.content
  }
}
